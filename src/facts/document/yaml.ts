/**
 * The one door for configuration files: YAML becomes a tree in which every node knows where it stood.
 * Policy, inventory and lock file are read through it when an epoch is loaded, long before any action.
 *
 * What two readers could read in two ways is refused: duplicate keys, anchors, aliases, merge keys,
 * tags, directives and second documents. Anchors also blow up small files, and tags make types.
 */
import { Composer, isMap, isScalar, isSeq, LineCounter, Parser } from 'yaml';
import type { Document, Pair, ParsedNode, Scalar } from 'yaml';
import type {
  DocumentNode,
  MappingEntry,
  Position,
  Problem,
  ScalarNode,
} from '../../kernel/document.ts';
import { checkTokens } from './check-tokens.ts';
import { YAML_LIMITS, type YamlCode } from './yaml-refusal.ts';

export { YAML_CODES, YAML_LIMITS } from './yaml-refusal.ts';

/** A document, unless there are errors; problems in the order of the file. */
export interface YamlRead {
  readonly document: DocumentNode | undefined;
  readonly problems: readonly Problem[];
}

/** Reads one YAML 1.2 document strictly; `file` is the name that problems carry. */
export function readYaml(text: string, file: string): YamlRead {
  const reading = new Reading(text, file);
  // UNTRUSTED: until the checks below have passed, the text may be anything.
  if (text.length > YAML_LIMITS.textLengthMax) {
    reading.note(
      'yaml_too_large',
      0,
      `the file has more than ${YAML_LIMITS.textLengthMax} characters`,
    );
    return reading.result(undefined);
  }
  const tokens = [...new Parser(reading.lines.addNewLine).parse(text)];
  // INVARIANT: the composer recurses; it sees only tokens whose depth and number are bounded.
  checkTokens(tokens, (code, offset, message, hint) => reading.note(code, offset, message, hint));
  if (reading.problems.length > 0) return reading.result(undefined);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    intAsBigInt: true,
    // The package compares every pair of keys; `mapping` below does it in linear time.
    uniqueKeys: false,
    merge: false,
    strict: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents = [...composer.compose(tokens)];
  reading.checkDocuments(documents);
  const contents = documents[0]?.contents;
  if (contents === null || contents === undefined || reading.problems.length > 0) {
    return reading.result(undefined);
  }
  return reading.result(reading.node(contents));
}

/** One reading of one file: collects problems and makes nodes. */
class Reading {
  readonly lines: LineCounter = new LineCounter();
  readonly problems: Problem[] = [];
  readonly #text: string;
  readonly #file: string;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** The document only where nothing is wrong; the problems by position. */
  result(document: DocumentNode | undefined): YamlRead {
    const problems = this.problems.toSorted(
      (left, right) =>
        left.position.line - right.position.line || left.position.column - right.position.column,
    );
    return { document: problems.length === 0 ? document : undefined, problems };
  }

  note(code: YamlCode, offset: number, message: string, hint?: string): void {
    if (this.problems.length >= YAML_LIMITS.problemsMax) return;
    this.problems.push({
      code,
      severity: 'error',
      message,
      position: this.#position(offset),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #position(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    // An empty text has no lines.
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  // -------------------------------------------------------------- documents

  checkDocuments(documents: readonly Document.Parsed[]): void {
    const [first, second] = documents;
    for (const { errors, warnings } of documents) {
      for (const { code, message, pos } of [...errors, ...warnings]) {
        const tabbed = code === 'TAB_AS_INDENT';
        this.note(
          'yaml_syntax',
          pos[0],
          lowerCase(message),
          tabbed ? 'indent with spaces' : undefined,
        );
      }
    }
    if (this.problems.length > 0) return;
    if (second !== undefined) {
      this.note('yaml_second_document', second.range[0], 'the file holds more than one document');
    }
    const contents = first?.contents;
    if (contents === undefined || contents === null || isBlank(contents)) {
      this.note('yaml_empty', 0, 'the file is empty');
    }
  }

  // -------------------------------------------------------------- nodes

  node(node: ParsedNode): DocumentNode {
    const position = this.#position(node.range[0]);
    if (isSeq<ParsedNode>(node)) {
      return { kind: 'sequence', items: node.items.map((item) => this.node(item)), position };
    }
    if (isMap<ParsedNode, ParsedNode | null>(node)) {
      return { kind: 'mapping', entries: this.#entries(node.items), position };
    }
    if (isScalar(node)) return this.#scalar(node, position);
    // Aliases were refused as tokens.
    throw new TypeError('an alias reached the tree');
  }

  #entries(pairs: readonly Pair<ParsedNode, ParsedNode | null>[]): readonly MappingEntry[] {
    const seen = new Set<string>();
    return pairs.flatMap(({ key: keyNode, value: valueNode }) => {
      const key = this.#key(keyNode);
      if (key === undefined) return [];
      if (seen.has(key)) {
        this.note('duplicate_key', keyNode.range[0], `\`${key}\` is given twice`);
      }
      seen.add(key);
      const keyPosition = this.#position(keyNode.range[0]);
      const value: DocumentNode =
        valueNode === null
          ? { kind: 'scalar', value: null, text: '', position: keyPosition }
          : this.node(valueNode);
      return [{ key, keyPosition, value }];
    });
  }

  /** A key is its text: `0` and `true` are the keys "0" and "true". */
  #key(node: ParsedNode): string | undefined {
    const offset = node.range[0];
    if (!isScalar(node)) {
      this.note('yaml_bad_key', offset, 'a key must be a single word or a quoted text');
      return undefined;
    }
    const plain = node.type === 'PLAIN';
    const key = typeof node.value === 'string' ? node.value : (node.source ?? '');
    if (key === '') {
      this.note('yaml_bad_key', offset, 'a key is empty');
      return undefined;
    }
    if (plain && key === '<<') {
      this.note('yaml_anchor', offset, 'merge keys are not allowed', 'write the members out');
      return undefined;
    }
    this.#checkCharacters(key, offset);
    return key;
  }

  #scalar(node: Scalar.Parsed, position: Position): ScalarNode {
    const offset = node.range[0];
    const { value } = node;
    if (typeof value === 'string') {
      this.#checkCharacters(value, offset);
      return { kind: 'scalar', value, text: value, position, ...this.#content(node, value) };
    }
    const text = node.source ?? '';
    if (typeof value === 'bigint' && /^[-+]?0\d/u.test(text)) {
      this.note(
        'yaml_bad_number',
        offset,
        `\`${text}\` is octal to some readers and decimal to others`,
        'drop the leading zero, or quote it to make it a text',
      );
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      this.note('yaml_bad_number', offset, `\`${text}\` is not a finite number`);
    }
    if (
      value === null ||
      typeof value === 'boolean' ||
      typeof value === 'bigint' ||
      typeof value === 'number'
    ) {
      return { kind: 'scalar', value, text, position };
    }
    throw new TypeError(`the core schema has no ${typeof value}`);
  }

  /** Where a text begins, and whether the source spells it as it is. */
  #content(node: Scalar.Parsed, value: string): Pick<ScalarNode, 'contentAt' | 'respelled'> {
    const [start] = node.range;
    const offset = contentOffset(this.#text, node);
    const contentAt = offset === start ? {} : { contentAt: this.#position(offset) };
    // A literal block spells each line as it is, after the indentation that the first one has.
    const isBlock = node.type === 'BLOCK_LITERAL' && !/^\s/u.test(value);
    const isSpelled = isBlock || this.#text.startsWith(withoutLastLines(value), offset);
    return isSpelled ? contentAt : { ...contentAt, respelled: true };
  }

  #checkCharacters(text: string, offset: number): void {
    if (text.isWellFormed() && !FORBIDDEN.test(text)) return;
    this.note(
      'yaml_bad_character',
      offset,
      'a control character or a code point that is no character stands here',
    );
  }
}

/** Controls but tab and line feed, and noncharacters. */
const FORBIDDEN = /(?![\t\n])\p{Cc}|\p{Noncharacter_Code_Point}/u;

/** The text up to its last line ends; `/\n+$/` would look for them from each line end there is. */
function withoutLastLines(text: string): string {
  let end = text.length;
  while (text.charAt(end - 1) === '\n') end -= 1;
  return text.slice(0, end);
}

/** The offset at which a scalar's text begins: after its quote, or below the sign of its block. */
function contentOffset(text: string, { type, range: [start] }: Scalar.Parsed): number {
  if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') return start + 1;
  if (type !== 'BLOCK_LITERAL' && type !== 'BLOCK_FOLDED') return start;
  const lineEnd = text.indexOf('\n', start);
  if (lineEnd === -1) return start;
  const indented = /[^ \n]/gu;
  indented.lastIndex = lineEnd;
  return indented.exec(text)?.index ?? start;
}

function lowerCase(message: string): string {
  const line = message.replaceAll(/\s+/gu, ' ').trim();
  return line.slice(0, 1).toLowerCase() + line.slice(1);
}

function isBlank(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === '';
}
