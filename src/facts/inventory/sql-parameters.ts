/**
 * Finds the named parameters of a statement when an inventory is loaded, so that the parser of
 * PostgreSQL, which knows only numbered ones, can read it. Comments end the reading: what people see
 * and what a database sees must be the same.
 */
import type { INVENTORY_CODES } from './limits.ts';

/** Why a statement is refused, and at which character of its text. */
export class StatementRefusal extends Error {
  override readonly name = 'StatementRefusal';
  readonly code: (typeof INVENTORY_CODES)[number];
  readonly offset: number;

  constructor(code: (typeof INVENTORY_CODES)[number], message: string, offset: number) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/** A statement with `$1`, `$2` … where its names stood. */
export interface NumberedStatement {
  readonly text: string;
  /** The name of each number, from 1. */
  readonly names: readonly string[];
  /** The character of the source at which a byte of `text` stands. */
  readonly sourceOffset: (byte: number) => number;
}

const TOKEN =
  /(?<comment>--|\/\*)|(?<string>'[^']*(?:'|$))|(?<quoted>"[^"]*(?:"|$))|(?<cast>::)|:(?<name>[A-Za-z_]\w*)|(?<foreign>[$?])/gu;

/** Numbers the parameters. Throws {@link StatementRefusal}: `sql_comment`, `sql_parameter`. */
export function numberParameters(source: string): NumberedStatement {
  const names: string[] = [];
  const pieces: { readonly text: string; readonly from: number }[] = [];
  let end = 0;
  for (const match of source.matchAll(TOKEN)) {
    const { index } = match;
    const { comment, name, foreign } = match.groups ?? {};
    if (comment !== undefined) {
      throw new StatementRefusal('sql_comment', 'a statement has no comments', index);
    }
    if (foreign !== undefined) {
      const message = `\`${foreign}\` cannot stand here; arguments are written as \`:name\``;
      throw new StatementRefusal('sql_parameter', message, index);
    }
    if (name === undefined) continue;
    if (!names.includes(name)) names.push(name);
    pieces.push({ text: source.slice(end, index), from: end });
    pieces.push({ text: `$${names.indexOf(name) + 1}`, from: index });
    end = index + match[0].length;
  }
  pieces.push({ text: source.slice(end), from: end });
  return {
    text: pieces.map(({ text }) => text).join(''),
    names,
    sourceOffset: (byte) => sourceOffset(pieces, byte),
  };
}

function sourceOffset(
  pieces: readonly { readonly text: string; readonly from: number }[],
  byte: number,
): number {
  let left = byte;
  for (const { text, from } of pieces) {
    const bytes = Buffer.from(text, 'utf8');
    if (left < bytes.length) return from + bytes.subarray(0, left).toString('utf8').length;
    left -= bytes.length;
  }
  return pieces.reduce((end, { text, from }) => Math.max(end, from + text.length), 0);
}
