/**
 * Proofs that an entry is in a log, as text (C2SP tlog-proof v1): the entry's index, the hashes from its
 * sibling up to the root, and the checkpoint they lead to.
 */
import { readBase64, writeBase64 } from './base64.ts';
import { HASH_BYTES, type Hash } from './merkle.ts';
import { NoteError } from './note.ts';

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
/** A tree of the largest size that fits a safe integer is no higher. */
const HASHES_MAX = 53;
const INDEX = /^(?:0|[1-9]\d{0,15})$/u;

/** A proof taken apart; nothing about it is verified yet. */
export interface TlogProof {
  /** Not authenticated by anything. */
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly hashes: readonly Hash[];
  /** The signed note, as it is. */
  readonly checkpoint: string;
}

/** A proof as text. */
export function writeTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const lines = [
    FIRST_LINE,
    ...(extra === undefined ? [] : [`extra ${writeBase64(extra)}`]),
    `index ${String(index)}`,
    ...hashes.map(writeBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** Takes a proof apart. Throws {@link NoteError} for anything that is not exactly one. */
export function readTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  if (end < 0) throw new NoteError('a proof has no checkpoint');
  const [first, ...lines] = text.slice(0, end).split('\n');
  if (first !== FIRST_LINE) throw new NoteError('the proof is of an unknown version');
  const extra = lines[0]?.startsWith('extra ') === true ? lines.shift()?.slice(6) : undefined;
  const index = /^index (.*)$/u.exec(lines.shift() ?? '')?.[1] ?? '';
  if (!INDEX.test(index) || !Number.isSafeInteger(Number(index))) {
    throw new NoteError('a proof has no index');
  }
  if (lines.length > HASHES_MAX) throw new NoteError('a proof has too many hashes');
  return {
    ...(extra === undefined ? {} : { extra: bytesOf(extra) }),
    index: Number(index),
    hashes: lines.map(hashOf),
    checkpoint: text.slice(end + 2),
  };
}

function hashOf(line: string): Hash {
  const hash = bytesOf(line);
  if (hash.length !== HASH_BYTES) throw new NoteError('a hash of a proof has 32 bytes');
  return hash;
}

function bytesOf(line: string): Uint8Array {
  const bytes = readBase64(line);
  if (bytes === undefined) throw new NoteError('a line of a proof is no base64');
  return bytes;
}
