/** What every reader of an inventory needs: the collector of problems, and how paths are resolved. */
import path from 'node:path';
import type { DocumentNode, MappingEntry, Position } from '../../kernel/document.ts';
import type { DocumentReader } from '../../kernel/document-reader.ts';
import { INVENTORY_LIMITS, type INVENTORY_CODES } from './limits.ts';

/** One reading of one inventory. */
export interface InventoryReading {
  readonly reader: DocumentReader;
  /** Absolute; what relative paths of the inventory start from. */
  readonly baseDirectory: string;
}

/** A problem of an inventory. */
export interface InventoryNote {
  readonly code: (typeof INVENTORY_CODES)[number];
  readonly position: Position;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Notes an error and answers `undefined`. */
export function refuse(reading: InventoryReading, note: InventoryNote): undefined {
  return reading.reader.error(note);
}

/** A list, or one scalar as a list of one, with at most `max` items. */
export function bounded(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  { what, max }: { readonly what: string; readonly max: number },
): readonly DocumentNode[] {
  if (node === undefined) return [];
  const items = reading.reader.oneOrMore(node, what) ?? [];
  return withinLimit(reading, items, { what, max, position: node.position });
}

/** The entries of a mapping with at most `max` of them. */
export function boundedEntries(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  { what, max }: { readonly what: string; readonly max: number },
): readonly MappingEntry[] {
  if (node === undefined) return [];
  const entries = reading.reader.entries(node, what) ?? [];
  return withinLimit(reading, entries, { what, max, position: node.position });
}

function withinLimit<Item>(
  reading: InventoryReading,
  items: readonly Item[],
  limit: { readonly what: string; readonly max: number; readonly position: Position },
): readonly Item[] {
  if (items.length <= limit.max) return items;
  refuse(reading, {
    code: 'too_many',
    position: limit.position,
    message: `${limit.what} has ${items.length} members, at most ${limit.max} are allowed`,
  });
  return [];
}

/** An absolute, normal path; a relative one starts from `from`. */
export function readPath(
  reading: InventoryReading,
  node: DocumentNode,
  { what, from }: { readonly what: string; readonly from: string },
): string | undefined {
  const text = reading.reader.text(node, what);
  if (text === undefined) return undefined;
  if (/\p{Cc}/u.test(text) || text.startsWith('~')) {
    const hint = text.startsWith('~') ? 'write the home directory out' : undefined;
    const message = `${what} \`${text}\` is not a path`;
    return refuse(reading, { code: 'bad_path', position: node.position, message, hint });
  }
  return path.resolve(from, text);
}

/** A JSON pointer (RFC 6901), not the empty one. */
export function readPointer(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  what: string,
): string | undefined {
  const text = node === undefined ? undefined : reading.reader.text(node, what);
  if (text === undefined || node === undefined) return undefined;
  if (/^(?:\/(?:[^~/]|~[01])*)+$/u.test(text)) return text;
  return refuse(reading, {
    code: 'bad_pointer',
    position: node.position,
    message: `${what} \`${text}\` is not a JSON pointer`,
    hint: 'such as `/id` or `/data/0/name`',
  });
}

/** JSON pointers, one or a list. */
export function readPointers(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  what: string,
): readonly string[] {
  return bounded(reading, node, { what, max: INVENTORY_LIMITS.pointersMax }).flatMap(
    (item) => readPointer(reading, item, what) ?? [],
  );
}

const SIZE = /^(\d{1,12})(KiB|MiB|GiB)$/u;
const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** A number of bytes, plain or as `64KiB`, `10MiB`, `2GiB`. */
export function readSize(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  { what, max }: { readonly what: string; readonly max: number },
): number | undefined {
  if (node === undefined) return undefined;
  const range = { min: 1, max };
  if (node.kind === 'scalar' && typeof node.value === 'string') {
    const [, count = '', unit = ''] = SIZE.exec(node.value) ?? [];
    const bytes = Number(count) * (UNITS[unit] ?? 0);
    if (bytes >= 1 && bytes <= max) return bytes;
    const known = bytes > 0 ? `is more than ${max} bytes` : 'is not a size';
    return refuse(reading, {
      code: 'bad_size',
      position: node.position,
      message: `${what} \`${node.value}\` ${known}`,
      hint: 'write bytes, or a number with KiB, MiB or GiB',
    });
  }
  return reading.reader.integer(node, what, range);
}
