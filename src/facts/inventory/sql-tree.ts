/**
 * Reads the parser's tree of a statement, strictly: a member that the reader did not ask for is a part
 * of the statement that nobody understood, and the statement is refused.
 */
import { StatementRefusal } from './sql-parameters.ts';

/** The members of one node of the tree. */
export type TreeFields = Readonly<Record<string, unknown>>;

/** A node with its tag, such as `ColumnRef`. */
export interface TreeNode {
  readonly tag: string;
  readonly fields: TreeFields;
}

/** The members of an object; anything else is refused. */
export function fieldsOf(value: unknown): TreeFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StatementRefusal('sql_unproved', 'a part of the statement is not understood', -1);
  }
  return Object.fromEntries(Object.entries(value));
}

/** The one node in its wrapper. */
export function nodeOf(value: unknown): TreeNode {
  const [entry, more] = Object.entries(fieldsOf(value));
  if (entry === undefined || more !== undefined) return unproved('a part', {});
  return { tag: entry[0], fields: fieldsOf(entry[1]) };
}

/** A list; none where the member is absent. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : unproved('a list', {});
}

/** A text member. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : unproved('a name', {});
}

/** The names of a list of strings, such as those of a function. */
export function namesOf(value: unknown): readonly string[] {
  return listOf(value).map((item) => {
    const { tag, fields } = nodeOf(item);
    return tag === 'String' ? textOf(fields['sval'] ?? '') : unproved('a name', fields);
  });
}

/** Refuses members beyond the ones that the reader understands. */
export function only(fields: TreeFields, what: string, known: readonly string[]): void {
  const unknown = Object.keys(fields).find((key) => key !== 'location' && !known.includes(key));
  if (unknown !== undefined) unproved(`${what} with \`${unknown}\``, fields);
}

/** Refuses a node for what it is. */
export function unproved(what: string, fields: TreeFields): never {
  throw new StatementRefusal('sql_unproved', `${what} is not understood here`, locationOf(fields));
}

/** The byte at which a node begins, or -1. */
export function locationOf(fields: TreeFields): number {
  const location = fields['location'];
  return typeof location === 'number' ? location : -1;
}
