/**
 * The first look at a configuration file: depth, size and forbidden constructs, on the flat tokens of
 * the YAML package and without recursion, so that whatever recurses later sees bounded input only.
 */
import type { CST } from 'yaml';
import { YAML_LIMITS, type YamlCode } from './yaml-refusal.ts';

/** Takes a problem at an offset of the text. */
export type NoteAt = (code: YamlCode, offset: number, message: string, hint?: string) => void;

/** Notes anchors, aliases, tags and directives, and a file that is too deep or has too many nodes. */
export function checkTokens(tokens: readonly CST.Token[], note: NoteAt): void {
  const waiting: { token: AnyToken; depth: number }[] = tokens.map((token) => ({
    token,
    depth: 0,
  }));
  let nodes = 0;
  let tooDeep = false;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next;
    checkToken(token, note);
    if (NODES.has(token.type)) nodes += 1;
    if (nodes > YAML_LIMITS.nodesMax) {
      const message = `the file has more than ${YAML_LIMITS.nodesMax} values`;
      return note('yaml_too_many_nodes', token.offset, message);
    }
    const inner = COLLECTIONS.has(token.type) ? depth + 1 : depth;
    if (inner <= YAML_LIMITS.depthMax) {
      for (const child of childrenOf(token).toReversed())
        waiting.push({ token: child, depth: inner });
    } else if (!tooDeep) {
      // Once is enough: a file that is too deep is too deep in many places.
      const message = `more than ${YAML_LIMITS.depthMax} levels of nesting`;
      note('yaml_too_deep', token.offset, message);
      tooDeep = true;
    }
  }
}

type AnyToken = CST.Token | CST.SourceToken;

const COLLECTIONS: ReadonlySet<string> = new Set(['block-map', 'block-seq', 'flow-collection']);
const NODES: ReadonlySet<string> = new Set([
  ...COLLECTIONS,
  'scalar',
  'single-quoted-scalar',
  'double-quoted-scalar',
  'block-scalar',
]);

function checkToken({ type, offset }: AnyToken, note: NoteAt): void {
  if (type === 'anchor' || type === 'alias') {
    note('yaml_anchor', offset, 'anchors and aliases are not allowed', 'write the value out');
  } else if (type === 'tag') {
    note('yaml_tag', offset, 'tags are not allowed', 'quote the value to make it a text');
  } else if (type === 'directive') {
    note('yaml_directive', offset, 'directives are not allowed', 'every file is YAML 1.2');
  }
}

function childrenOf(token: AnyToken): readonly AnyToken[] {
  if (token.type === 'document') {
    return token.value === undefined ? token.start : [...token.start, token.value];
  }
  if (token.type === 'block-scalar') return token.props;
  if (
    token.type === 'block-map' ||
    token.type === 'block-seq' ||
    token.type === 'flow-collection'
  ) {
    return token.items.flatMap(({ start, key, sep, value }) =>
      [...start, key ?? undefined, ...(sep ?? []), value].filter((child) => child !== undefined),
    );
  }
  return [];
}
