/**
 * Checkpoints (C2SP tlog-checkpoint v1): what a log says its tree is, as the text of a signed note.
 * Extension lines are neither written nor accepted.
 */
import { readBase64, writeBase64 } from './base64.ts';
import { HASH_BYTES, type Hash } from './merkle.ts';
import { NoteError } from './note.ts';

/** A tree as its log states it. */
export interface Checkpoint {
  /** The log's identity, such as `exequatur.example/default`. */
  readonly origin: string;
  /** How many entries. */
  readonly size: number;
  readonly root: Hash;
}

/** The text of a checkpoint, with its last newline. */
export function writeCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${String(size)}\n${writeBase64(root)}\n`;
}

/** Reads the text of a note as a checkpoint. Throws {@link NoteError} for anything else. */
export function readCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', encoded = '', end, ...rest] = text.split('\n');
  const root = readBase64(encoded);
  const wellFormed = end === '' && rest.length === 0 && origin !== '' && SIZE.test(size);
  if (!wellFormed || root?.length !== HASH_BYTES || !Number.isSafeInteger(Number(size))) {
    throw new NoteError('the note is no checkpoint');
  }
  return { origin, size: Number(size), root };
}

const SIZE = /^(?:0|[1-9]\d*)$/u;
