/**
 * Walks a document tree and collects every problem with its position: policy and inventory are read
 * with it when an epoch is loaded, long before any action.
 *
 * Each method answers `undefined` where the node is not what it should be, after noting why, so that
 * a reader can go on and report everything at once.
 */
import { didYouMean } from './did-you-mean.ts';
import type { DocumentNode, MappingEntry, Position, Problem, ScalarNode } from './document.ts';
import { compareText } from './finding.ts';
import { isName } from './id.ts';
import { formatDurationMs, parseDurationMs } from './instant.ts';

/** Members of a mapping by key; the position is the mapping's. */
export interface Members {
  readonly position: Position;
  get(key: string): DocumentNode | undefined;
  /** The position of the key itself, else the mapping's. */
  positionOf(key: string): Position;
}

/** The keys a mapping may and must have. */
export interface Keys {
  /** What the mapping is, in the user's words, such as `rule`. */
  readonly what: string;
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
}

/** Bounds of an integer, both included. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** The problem codes that readers of any document give. */
export const DOCUMENT_CODES = [
  'wrong_type',
  'unknown_key',
  'missing_key',
  'duplicate_key',
  'bad_choice',
  'bad_duration',
  'bad_name',
  'out_of_range',
  'empty',
] as const;

/** What is wrong, where, and what to do. */
export interface Note {
  readonly code: string;
  readonly position: Position;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Collects problems while a document is read. */
export class DocumentReader {
  readonly #problems: Problem[] = [];
  #errors = 0;

  /** Everything noted so far, by file, line and column. */
  get problems(): readonly Problem[] {
    return this.#problems.toSorted(byPosition);
  }

  /** How many problems so far are errors. */
  get errorCount(): number {
    return this.#errors;
  }

  /** Notes what makes the document unusable. Answers `undefined`, so that it can be returned. */
  error(note: Note): undefined {
    this.#errors += 1;
    this.#problems.push(problemOf('error', note));
  }

  /** Notes what should be looked at but does not stop the document from being used. */
  warning(note: Note): undefined {
    this.#problems.push(problemOf('warning', note));
  }

  /** Takes over problems that something else found. */
  add(problems: readonly Problem[]): void {
    for (const problem of problems) {
      if (problem.severity === 'error') this.#errors += 1;
      this.#problems.push(problem);
    }
  }

  /** A mapping with exactly the keys allowed; unknown keys are refused with the nearest known one. */
  mapping(node: DocumentNode, keys: Keys): Members | undefined {
    const entries = this.entries(node, keys.what);
    if (entries === undefined) return undefined;
    const known = [...(keys.required ?? []), ...(keys.optional ?? [])];
    const byKey = new Map(entries.map((entry) => [entry.key, entry]));
    for (const { key, keyPosition } of entries) {
      if (known.includes(key)) continue;
      this.error({
        code: 'unknown_key',
        position: keyPosition,
        message: `unknown key \`${key}\` in ${keys.what}`,
        hint: didYouMean(key, known),
      });
    }
    for (const key of keys.required ?? []) {
      if (byKey.has(key)) continue;
      this.error({
        code: 'missing_key',
        position: node.position,
        message: `${keys.what} has no \`${key}\``,
        hint: `add \`${key}:\``,
      });
    }
    return {
      position: node.position,
      get: (key) => byKey.get(key)?.value,
      positionOf: (key) => byKey.get(key)?.keyPosition ?? node.position,
    };
  }

  /** The entries of a mapping whose keys are the user's own names; one given twice, or `__proto__`, is refused. */
  entries(node: DocumentNode, what: string): readonly MappingEntry[] | undefined {
    if (node.kind !== 'mapping') return this.#wrong(node, `${what} must be a mapping`);
    const seen = new Set<string>();
    for (const { key, keyPosition } of node.entries) {
      if (seen.has(key)) {
        this.error({
          code: 'duplicate_key',
          position: keyPosition,
          message: `\`${key}\` is given twice`,
        });
      }
      seen.add(key);
      // The strict parser refuses it too: what is written from here must be read back.
      if (key === '__proto__') {
        this.error({ code: 'bad_name', position: keyPosition, message: '`__proto__` is no name' });
        return undefined;
      }
    }
    return node.entries;
  }

  /** The items of a sequence. */
  list(node: DocumentNode, what: string): readonly DocumentNode[] | undefined {
    if (node.kind !== 'sequence') return this.#wrong(node, `${what} must be a list`);
    return node.items;
  }

  /** The items of a sequence, or a single scalar as a list of one. */
  oneOrMore(node: DocumentNode, what: string): readonly DocumentNode[] | undefined {
    if (node.kind === 'scalar') return [node];
    const items = this.list(node, what);
    if (items?.length === 0) {
      return this.error({
        code: 'empty',
        position: node.position,
        message: `${what} is an empty list`,
      });
    }
    return items;
  }

  /** A text. Numbers and booleans are not taken for texts. */
  string(node: DocumentNode, what: string): string | undefined {
    const scalar = this.#scalar(node, `${what} must be a text`);
    if (scalar === undefined) return undefined;
    if (typeof scalar.value === 'string') return scalar.value;
    return this.#wrong(node, `${what} must be a text`, `write "${scalar.text}" in quotes`);
  }

  /** A text that is not empty. */
  text(node: DocumentNode, what: string): string | undefined {
    const text = this.string(node, what);
    if (text?.trim() !== '') return text;
    return this.error({ code: 'empty', position: node.position, message: `${what} is empty` });
  }

  /** A name: 1 to 64 of a-z, 0-9, dot, underscore, hyphen. */
  name(node: DocumentNode, what: string): string | undefined {
    const text = this.string(node, what);
    // mutant: of what is no text there is nothing to give.
    return text !== undefined && this.isName(text, node.position, what) ? text : undefined;
  }

  /** Whether a text, such as a key, is a name; notes it where it is not. */
  isName(text: string, position: Position, what: string): boolean {
    if (isName(text)) return true;
    this.error({
      code: 'bad_name',
      position,
      message: `${what} \`${text}\` is not a name`,
      hint: 'names have 1 to 64 of a-z, 0-9, dot, underscore and hyphen, and begin and end with a letter or digit',
    });
    return false;
  }

  /** `true` or `false`. */
  boolean(node: DocumentNode, what: string): boolean | undefined {
    const scalar = this.#scalar(node, `${what} must be true or false`);
    if (scalar === undefined) return undefined;
    if (typeof scalar.value === 'boolean') return scalar.value;
    return this.#wrong(node, `${what} must be true or false`);
  }

  /** A whole number within the range. */
  integer(node: DocumentNode, what: string, range: IntegerRange): number | undefined {
    const scalar = this.#scalar(node, `${what} must be a whole number`);
    if (scalar === undefined) return undefined;
    if (typeof scalar.value !== 'bigint')
      return this.#wrong(node, `${what} must be a whole number`);
    if (scalar.value >= BigInt(range.min) && scalar.value <= BigInt(range.max))
      return Number(scalar.value);
    return this.error({
      code: 'out_of_range',
      position: node.position,
      message: `${what} is ${scalar.text}, not between ${String(range.min)} and ${String(range.max)}`,
    });
  }

  /** A duration such as `90s` or `1h30m`, in milliseconds. */
  duration(node: DocumentNode, what: string, range?: IntegerRange): number | undefined {
    const scalar = this.#scalar(node, `${what} must be a duration`);
    if (scalar === undefined) return undefined;
    const ms =
      typeof scalar.value === 'string'
        ? parseDurationMs(scalar.value)
        : scalar.value === 0n
          ? 0
          : undefined;
    if (ms === undefined) {
      return this.error({
        code: 'bad_duration',
        position: node.position,
        message: `${what} \`${scalar.text}\` is not a duration`,
        hint: 'write a number with a unit: 250ms, 90s, 15m, 1h30m, 7d',
      });
    }
    if (range === undefined || (ms >= range.min && ms <= range.max)) return ms;
    return this.error({
      code: 'out_of_range',
      position: node.position,
      message: `${what} is ${scalar.text}, not between ${formatDurationMs(range.min)} and ${formatDurationMs(range.max)}`,
    });
  }

  /** One of the words given. */
  oneOf<Word extends string>(
    node: DocumentNode,
    what: string,
    words: readonly Word[],
  ): Word | undefined {
    const text = this.string(node, what);
    if (text === undefined) return undefined;
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    return this.error({
      code: 'bad_choice',
      position: node.position,
      message: `${what} \`${text}\` is not known`,
      hint: didYouMean(text, words),
    });
  }

  #scalar(node: DocumentNode, message: string): ScalarNode | undefined {
    return node.kind === 'scalar' ? node : this.#wrong(node, message);
  }

  #wrong(node: DocumentNode, message: string, hint?: string): undefined {
    return this.error({
      code: 'wrong_type',
      position: node.position,
      message: `${message}, not ${describe(node)}`,
      hint,
    });
  }
}

/** What a node is, in the user's words. */
function describe(node: DocumentNode): string {
  if (node.kind === 'mapping') return 'a mapping';
  if (node.kind === 'sequence') return 'a list';
  if (node.value === null) return 'empty';
  return `\`${node.text}\``;
}

function problemOf(
  severity: 'error' | 'warning',
  { code, position, message, hint }: Note,
): Problem {
  const told = { code, severity, message: oneLine(message), position };
  return hint === undefined ? told : { ...told, hint: oneLine(hint) };
}

/** The longest message, in characters; what it quotes may be a whole file. */
const MESSAGE_LENGTH_MAX = 1000;

/** Messages quote what people wrote, which may have lines of its own. */
function oneLine(message: string): string {
  const line = message.slice(0, MESSAGE_LENGTH_MAX).replaceAll(/\s+/gu, ' ');
  return message.length > MESSAGE_LENGTH_MAX ? `${line}…` : line;
}

function byPosition(left: Problem, right: Problem): number {
  const [from, to] = [left.position, right.position];
  return compareText(from.file, to.file) || from.line - to.line || from.column - to.column;
}

/**
 * A document tree of a plain value, for documents written in TypeScript; every position is line 1,
 * column 1. Members that are `undefined` are left out. Throws `TypeError` on what no document can hold.
 */
export function documentOf(value: unknown, file: string): DocumentNode {
  const position: Position = { file, line: 1, column: 1 };
  if (Array.isArray(value)) {
    return {
      kind: 'sequence',
      items: value.map((item: unknown) => documentOf(item, file)),
      position,
    };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => ({ key, keyPosition: position, value: documentOf(member, file) }));
    return { kind: 'mapping', entries, position };
  }
  return { kind: 'scalar', value: scalarOf(value), text: String(value), position };
}

function scalarOf(value: unknown): ScalarNode['value'] {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
    return value;
  if (value === null) return null;
  throw new TypeError(`a document holds no ${typeof value}`);
}
