/**
 * Receipts: everything that proves one action's life, in one JSON file. Its entries with their payloads,
 * for each the proof that it is in the log, and a signed statement made from them.
 */
import type { JsonObject } from '../kernel/json/value.ts';
import { canonicalBytes } from '../kernel/json/write.ts';
import { readBase64, writeBase64 } from './base64.ts';
import { Doubt } from './doubt.ts';
import {
  envelopeBytes,
  envelopeJson,
  readEnvelope,
  type Envelope,
  type EnvelopeSignature,
} from './dsse.ts';
import { listOf, malformed, objectOf, onlyMembers, textOf } from './fields.ts';
import type { Hash } from './merkle.ts';
import { NoteError } from './note.ts';
import { canonicalValue, readEntry, type SaltedBytes } from './read-entry.ts';
import { STATEMENT_TYPE, statementOf } from './statement.ts';
import { tellStory } from './tell-story.ts';
import { readTlogProof, writeTlogProof, type TlogProof } from './tlog-proof.ts';

/** What a receipt says it is. */
export const RECEIPT_FORMAT = 'exequatur-receipt/v1';
/** Size of a receipt at most, in bytes. */
export const RECEIPT_BYTES_MAX = 16_777_216;
/** Entries of one receipt at most. */
export const RECEIPT_ENTRIES_MAX = 10_000;

/** An entry as a receipt holds it; nothing about it is verified yet. */
export interface ReceiptEntry {
  readonly bytes: Uint8Array;
  readonly proof: TlogProof;
  /** By name; what was erased is not there. */
  readonly payloads: ReadonlyMap<string, SaltedBytes>;
}

/** A receipt taken apart. */
export interface Receipt {
  readonly statement: Envelope;
  readonly entries: readonly ReceiptEntry[];
}

/** What {@link composeReceipt} is given. */
export interface ReceiptParts {
  /** In the order of the log; each with its inclusion proof in the checkpoint's tree. */
  readonly entries: readonly {
    /** From 0. */
    readonly index: number;
    readonly bytes: Uint8Array;
    readonly proof: readonly Hash[];
    readonly payloads: ReadonlyMap<string, SaltedBytes>;
  }[];
  /** The signed checkpoint, with its cosignatures. */
  readonly checkpoint: string;
  /** Signs with every key that is current, Ed25519 over exactly these bytes. */
  readonly sign: (
    signed: Uint8Array,
  ) => readonly EnvelopeSignature[] | Promise<readonly EnvelopeSignature[]>;
}

/** Makes a receipt. Throws `Doubt` where the entries do not tell one action's life. */
export async function composeReceipt(parts: ReceiptParts): Promise<Uint8Array> {
  const read = parts.entries.map(({ index, bytes, payloads }) =>
    readEntry(index + 1, bytes, payloads),
  );
  const payload = { type: STATEMENT_TYPE, bytes: canonicalBytes(statementOf(tellStory(read))) };
  const signatures = await parts.sign(envelopeBytes(payload));
  const receipt: JsonObject = {
    format: RECEIPT_FORMAT,
    statement: envelopeJson({ payload, signatures }),
    entries: parts.entries.map(({ index, bytes, proof, payloads }) => ({
      entry: writeBase64(bytes),
      proof: writeTlogProof({ index, hashes: proof, checkpoint: parts.checkpoint }),
      payloads: Object.fromEntries(
        [...payloads].map(([name, { salt, bytes: salted }]) => [
          name,
          { salt: writeBase64(salt), bytes: writeBase64(salted) },
        ]),
      ),
    })),
  };
  return canonicalBytes(receipt);
}

/** Takes a receipt apart. UNTRUSTED until it is verified. Throws `Doubt`. */
export function readReceipt(file: Uint8Array): Receipt {
  if (file.length > RECEIPT_BYTES_MAX) throw new Doubt('too_large', 'the receipt is too large');
  // An editor or a shell may have ended the line.
  const bytes = file.at(-1) === NEWLINE ? file.subarray(0, -1) : file;
  const receipt = objectOf(canonicalValue(bytes, 'the receipt'), 'the receipt');
  if (receipt['format'] !== RECEIPT_FORMAT) {
    throw new Doubt('unknown_version', `the file is no \`${RECEIPT_FORMAT}\``);
  }
  onlyMembers(receipt, ['format', 'statement', 'entries'], 'the receipt');
  const entries = listOf(receipt['entries'], 'the receipt');
  if (entries.length === 0 || entries.length > RECEIPT_ENTRIES_MAX) throw malformed('the receipt');
  return {
    statement: readEnvelope(receipt['statement']),
    entries: entries.map((each) => readReceiptEntry(objectOf(each, 'an entry'))),
  };
}

const NEWLINE = 0x0a;

function readReceiptEntry(entry: JsonObject): ReceiptEntry {
  onlyMembers(entry, ['entry', 'proof', 'payloads'], 'an entry');
  const payloads = Object.entries(objectOf(entry['payloads'], 'an entry')).map(
    ([name, value]): [string, SaltedBytes] => {
      const salted = objectOf(value, 'a payload');
      onlyMembers(salted, ['salt', 'bytes'], 'a payload');
      return [name, { salt: bytesOf(salted, 'salt'), bytes: bytesOf(salted, 'bytes') }];
    },
  );
  return {
    bytes: bytesOf(entry, 'entry'),
    proof: proofOf(textOf(entry['proof'], 'an entry')),
    payloads: new Map(payloads),
  };
}

function proofOf(text: string): TlogProof {
  try {
    const proof = readTlogProof(text);
    // Nothing authenticates it, and a receipt needs none.
    if (proof.extra !== undefined) throw malformed('a proof');
    return proof;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new Doubt('malformed', `a proof cannot be read: ${error.message}`);
  }
}

function bytesOf(object: JsonObject, name: string): Uint8Array {
  const bytes = readBase64(textOf(object[name], `\`${name}\``));
  if (bytes === undefined) throw malformed(`base64 of \`${name}\``);
  return bytes;
}
