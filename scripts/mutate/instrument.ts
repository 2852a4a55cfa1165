/**
 * One text with every mutant of a file in it, asleep. `$m(n)` is true while mutant `n` is awake, so that
 * thousands of mutants are tried without loading the file thousands of times. Lines stay where they were.
 */
import type { Mutant } from './mutators.ts';
import { childrenOf, nodeAt, type Syntax, type SyntaxNode } from './syntax.ts';

interface Site {
  readonly start: number;
  readonly end: number;
  readonly mutants: readonly Mutant[];
}

/** Something put into the text: a place that has mutants, or a count of a loop's rounds. */
type Piece = Site | { readonly at: number };

/** The source with its mutants; `switchUrl` names the module that wakes them. */
export function instrument(syntax: Syntax, mutants: readonly Mutant[], switchUrl: string): string {
  const places = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    const key = `${String(mutant.start)}-${String(mutant.end)}-${mutant.change.kind}`;
    places.set(key, [...(places.get(key) ?? []), mutant]);
  }
  const sites = [...places.values()].flatMap((same): Site[] => {
    const [first] = same;
    return first === undefined ? [] : [{ start: first.start, end: first.end, mutants: same }];
  });
  const loops = loopStarts(syntax.program).map((at) => ({ at }));
  const body = rendered(syntax.text, { start: 0, end: syntax.text.length }, [...sites, ...loops]);
  return `import { awake as $m, round as $round } from '${switchUrl}';${body}`;
}

/** The text from `start` to `end`, with the pieces that lie in it. */
function rendered(
  text: string,
  range: { readonly start: number; readonly end: number },
  pieces: readonly Piece[],
): string {
  const inside = pieces
    .filter((piece) => startOf(piece) >= range.start && endOf(piece) <= range.end)
    .sort(
      (left, right) =>
        startOf(left) - startOf(right) || endOf(right) - endOf(left) || outer(left) - outer(right),
    );
  let output = '';
  let at = range.start;
  for (const [index, piece] of inside.entries()) {
    if (startOf(piece) < at) continue;
    output += text.slice(at, startOf(piece));
    if ('at' in piece) {
      output += '$round();';
      at = piece.at;
    } else {
      const within = rendered(text, piece, inside.slice(index + 1));
      output += awakened(piece, within);
      at = piece.end;
    }
  }
  return output + text.slice(at, range.end);
}

function awakened(site: Site, original: string): string {
  const ids = site.mutants.map(({ id }) => `$m(${String(id)})`);
  const isRemoval = site.mutants.some(({ change }) => change.kind === 'removal');
  if (isRemoval) return `{ if (!${ids.join(' && !')}) ${original} }`;
  const others = site.mutants.map(({ change }, index) =>
    change.kind === 'expression' ? `${ids[index] ?? ''} ? (${change.text}) : ` : '',
  );
  return `(${others.join('')}(${original}))`;
}

function startOf(piece: Piece): number {
  return 'at' in piece ? piece.at : piece.start;
}

function endOf(piece: Piece): number {
  return 'at' in piece ? piece.at : piece.end;
}

/** Of two pieces over the same text, the statement is around the expression. */
function outer(piece: Piece): number {
  return 'at' in piece || piece.mutants[0]?.change.kind === 'removal' ? 0 : 1;
}

const LOOPS: ReadonlySet<string> = new Set([
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'WhileStatement',
  'DoWhileStatement',
]);

/** The places behind the opening braces of loops. */
function loopStarts(node: SyntaxNode): number[] {
  const body = nodeAt(node, 'body');
  const isBlock = LOOPS.has(node.type) && body?.type === 'BlockStatement';
  const own = isBlock ? [body.start + 1] : [];
  return [...own, ...childrenOf(node).flatMap(loopStarts)];
}
