/**
 * A whole ledger as one file, for whoever checks it elsewhere: the line `exequatur-ledger/v1`, a line
 * with the length in bytes of the signed checkpoint, the checkpoint, and then every entry behind its
 * length in two bytes, as in the bundles of C2SP tlog-tiles.
 */
import { decodeUtf8 } from '../kernel/json/utf8.ts';
import { Doubt } from './doubt.ts';
import { writeBundle } from './tile.ts';

/** What an export says it is. */
export const EXPORT_FORMAT = 'exequatur-ledger/v1';
/** Entries that are written at once. */
const BATCH = 256;
/** A checkpoint with sixty-four signatures is a tenth of it. */
const CHECKPOINT_BYTES_MAX = 65_536;
const HEAD_BYTES_MAX = EXPORT_FORMAT.length + 8;
const LENGTH = /^[1-9]\d{0,4}$/u;
const NEWLINE = 0x0a;

/** Bytes as they come. */
export type ByteStream = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Writes an export: a signed checkpoint, and all the entries of its tree in order. */
export async function* composeExport(parts: {
  readonly checkpoint: string;
  readonly entries: ByteStream;
}): AsyncGenerator<Uint8Array> {
  const checkpoint = encoder.encode(parts.checkpoint);
  yield encoder.encode(`${EXPORT_FORMAT}\n${String(checkpoint.length)}\n`);
  yield checkpoint;
  let batch: Uint8Array[] = [];
  for await (const entry of parts.entries) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    yield writeBundle(batch);
    batch = [];
  }
  if (batch.length > 0) yield writeBundle(batch);
}

/** Reads an export as it comes: its checkpoint, and then each entry. Throws `Doubt`. */
export class ExportReader {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  /** What was read and not used yet. */
  #rest: Uint8Array = new Uint8Array();

  constructor(file: ByteStream) {
    this.#chunks =
      Symbol.asyncIterator in file ? file[Symbol.asyncIterator]() : file[Symbol.iterator]();
  }

  /** The signed checkpoint. Read it first. */
  async checkpoint(): Promise<string> {
    const format = await this.#line();
    if (format !== EXPORT_FORMAT) {
      throw new Doubt('unknown_version', `the file is no \`${EXPORT_FORMAT}\``);
    }
    const length = await this.#line();
    if (length === undefined || !LENGTH.test(length) || Number(length) > CHECKPOINT_BYTES_MAX) {
      throw new Doubt('malformed', 'the export says no length of its checkpoint');
    }
    while (this.#rest.length < Number(length)) {
      if (!(await this.#more())) throw truncated('within its checkpoint');
    }
    const decoded = decodeUtf8(this.#rest.subarray(0, Number(length)));
    if (!decoded.ok) throw new Doubt('malformed', 'the checkpoint is no utf-8');
    this.#rest = this.#rest.subarray(Number(length));
    return decoded.text;
  }

  /** Hands over each entry in order; the bytes are good only until it returns. */
  async entries(take: (entry: Uint8Array) => void): Promise<void> {
    do {
      let at = 0;
      const bytes = this.#rest;
      for (;;) {
        const end = at + 2 + ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
        if (at + 2 > bytes.length || end > bytes.length) break;
        take(bytes.subarray(at + 2, end));
        at = end;
      }
      this.#rest = bytes.subarray(at);
    } while (await this.#more());
    if (this.#rest.length > 0) throw truncated('within an entry');
  }

  /** Stops reading. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** A line without its end; `undefined` where it is longer than any of the head. */
  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(NEWLINE);
      if (end > HEAD_BYTES_MAX || (end < 0 && this.#rest.length > HEAD_BYTES_MAX)) return undefined;
      if (end >= 0) {
        const line = String.fromCharCode(...this.#rest.subarray(0, end));
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (!(await this.#more())) throw truncated('before its checkpoint');
    }
  }

  /** Reads on; `false` at the end. */
  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    const joined = new Uint8Array(this.#rest.length + next.value.length);
    joined.set(this.#rest);
    joined.set(next.value, this.#rest.length);
    this.#rest = joined;
    return true;
  }
}

const encoder = new TextEncoder();

function truncated(where: string): Doubt {
  return new Doubt('truncated', `the export ends ${where}`);
}
