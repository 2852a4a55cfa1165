/**
 * A configuration document as a tree that remembers where each node stood, so that every error can
 * name file, line and column. Readers (YAML, TypeScript) make it; policy and inventory are compiled
 * from it. Pure data, no reader's types.
 */

/** Where a node begins: a file's name as given, a line and a column counted from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One node: a scalar, a sequence or a mapping. Integers of any size are bigint, other numbers keep their text. */
export type DocumentNode = ScalarNode | SequenceNode | MappingNode;

/** A scalar. `text` is the source spelling, which decimals are read from. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | boolean | bigint | number | null;
  readonly text: string;
  readonly position: Position;
  /** Where the text itself begins if not at `position`, such as after a quote. */
  readonly contentAt?: Position;
  /** The source spells the text otherwise (folded lines, escapes), so that only its beginning is sure. */
  readonly respelled?: true;
}

/** A sequence of nodes. */
export interface SequenceNode {
  readonly kind: 'sequence';
  readonly items: readonly DocumentNode[];
  readonly position: Position;
}

/** A mapping; keys are strings, each once, in the order of the source. */
export interface MappingNode {
  readonly kind: 'mapping';
  readonly entries: readonly MappingEntry[];
  readonly position: Position;
}

/** One member of a mapping, with the position of its key. */
export interface MappingEntry {
  readonly key: string;
  readonly keyPosition: Position;
  readonly value: DocumentNode;
}

/** What is wrong with a document and where; `code` is stable, `hint` says what to do. */
export interface Problem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly position: Position;
  readonly hint?: string;
}
