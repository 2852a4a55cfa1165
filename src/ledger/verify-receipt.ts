/**
 * The obligations of a receipt, each on what the one before established: a checkpoint to believe, every
 * entry in its tree, the payloads that the entries name, one life, and a statement that says just that.
 */
import { parseJson } from '../kernel/json/parse.ts';
import type { JsonValue } from '../kernel/json/value.ts';
import { canonicalBytes } from '../kernel/json/write.ts';
import { Doubt } from './doubt.ts';
import { envelopeSigners, verifyEnvelope } from './dsse.ts';
import { leafHash, verifyInclusion } from './merkle.ts';
import { readEntry, sameBytes, type ReadEntry } from './read-entry.ts';
import { readReceipt, type Receipt, type ReceiptEntry } from './receipt.ts';
import { STATEMENT_TYPE, statementOf } from './statement.ts';
import type { Story } from './story.ts';
import { tellStory } from './tell-story.ts';
import { storySentences } from './story-sentences.ts';
import {
  signedCheckpoint,
  trustCheckpoint,
  type Trust,
  type TrustedCheckpoint,
} from './trusted-checkpoint.ts';

/** What a genuine receipt proves. */
export interface ProvedReceipt {
  readonly summary: string;
  readonly proved: readonly string[];
  readonly unproved: readonly string[];
  /** The in-toto statement, from the very bytes that were signed. */
  readonly statement: JsonValue;
}

/** Verifies a receipt. Throws `Doubt`. */
export async function proveReceipt(file: Uint8Array, trust: Trust): Promise<ProvedReceipt> {
  const receipt = readReceipt(file);
  const signed = signedCheckpoint(checkpointOf(receipt), trust.policy);
  const [trusted, claims] = await Promise.all([
    trustCheckpoint(signed, trust),
    verifyEnvelope(receipt.statement, signed.logKeys),
  ]);
  for (const entry of receipt.entries) checkIncluded(entry, trusted);
  const entries = receipt.entries.map(({ bytes, proof, payloads }) =>
    readEntry(proof.index + 1, bytes, payloads),
  );
  const signers = envelopeSigners(claims);
  const story = tellStory(entries);
  const statement = checkStatement(receipt, story);
  const keys = signers.map(({ id }) => id).join(', ');
  const { summary, proved, unproved } = storySentences(story);
  return {
    summary,
    proved: [
      ...trusted.proved,
      `${entriesText(entries)} in that log`,
      `the statement is signed by key ${keys}, and says what the entries say`,
      ...proved,
    ],
    unproved: [
      ...unproved,
      ...trusted.unproved,
      `what the log says beyond entry ${String(trusted.checkpoint.size)}, and whether it holds more about this action than is here`,
      'that what the layer recorded is what happened at the target',
    ],
    statement,
  };
}

/** All proofs lead to one checkpoint. */
function checkpointOf({ entries }: Receipt): string {
  const [checkpoint, ...others] = new Set(entries.map(({ proof }) => proof.checkpoint));
  if (checkpoint === undefined || others.length > 0) {
    throw new Doubt('not_in_log', 'the proofs are not all for the same checkpoint');
  }
  return checkpoint;
}

function checkIncluded({ bytes, proof }: ReceiptEntry, { checkpoint }: TrustedCheckpoint): void {
  const { index, hashes } = proof;
  const { size, root } = checkpoint;
  if (verifyInclusion({ index, size, leaf: leafHash(bytes), proof: hashes, root })) return;
  throw new Doubt(
    'not_in_log',
    `entry ${String(index + 1)} is not in the log: its proof does not hold`,
  );
}

function checkStatement({ statement: { payload } }: Receipt, story: Story): JsonValue {
  const made = canonicalBytes(statementOf(story));
  if (payload.type !== STATEMENT_TYPE || !sameBytes(payload.bytes, made)) {
    throw new Doubt('statement_mismatch', 'the statement does not say what the entries say');
  }
  const parsed = parseJson(payload.bytes, { bytesMax: payload.bytes.length });
  if (!parsed.ok) throw new Doubt('malformed', 'the statement cannot be read');
  return parsed.value;
}

function entriesText(entries: readonly ReadEntry[]): string {
  const numbers = entries.map(({ sequence }) => String(sequence));
  return numbers.length === 1
    ? `entry ${numbers.join('')} is`
    : `entries ${numbers.slice(0, -1).join(', ')} and ${numbers.slice(-1).join('')} are`;
}
