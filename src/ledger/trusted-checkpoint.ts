/** Whether a checkpoint is one to believe: signed by a key of its log, and cosigned as the policy asks. */
import { readCheckpoint, type Checkpoint } from './checkpoint.ts';
import { Doubt } from './doubt.ts';
import {
  NoteError,
  readNote,
  verifyNote,
  type Note,
  type Standing,
  type VerifierKey,
} from './note.ts';
import { timeText } from './time-text.ts';
import { isQuorum, type TrustPolicy } from './trust-policy.ts';

/** How far ahead of the verifier's own clock a witness may be. */
const CLOCK_SKEW_MS_MAX = 300_000;

/** What is verified against. */
export interface Trust {
  readonly policy: TrustPolicy;
  /** The verifier's clock; without it, cosignatures of the future count too. */
  readonly now?: number;
}

/** A checkpoint that its log signed. */
export interface TrustedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The log's keys that signed it. */
  readonly signers: readonly VerifierKey[];
  /** What that proves, a sentence each. */
  readonly proved: readonly string[];
  readonly unproved: readonly string[];
}

/** A checkpoint as somebody signed it; nothing about its signatures is known yet. */
export interface SignedCheckpoint {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
  /** Every key of the log that the policy names. */
  readonly logKeys: readonly VerifierKey[];
}

/** Reads a signed note as a checkpoint. Throws `Doubt`. */
export function signedCheckpoint(signed: string, { logs }: TrustPolicy): SignedCheckpoint {
  try {
    const note = readNote(signed);
    const checkpoint = readCheckpoint(note.text);
    return { note, checkpoint, logKeys: logs.filter(({ name }) => name === checkpoint.origin) };
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new Doubt('malformed', `the checkpoint cannot be read: ${error.message}`);
  }
}

/** Verifies a checkpoint. Throws `Doubt`. */
export async function trustCheckpoint(
  { note, checkpoint, logKeys }: SignedCheckpoint,
  { policy, now }: Trust,
): Promise<TrustedCheckpoint> {
  const { witnesses, quorum } = policy;
  // All at once, and looked at in order: what is told does not depend on which was faster.
  const [logs, seen] = await Promise.all([
    standingsOf(note, logKeys),
    standingsOf(
      note,
      witnesses.map(({ key }) => key),
    ),
  ]);
  const signers = logKeys.filter((key, index) => isValid(key, logs[index]));
  if (signers.length === 0) {
    throw new Doubt(
      'no_key',
      `the checkpoint of \`${checkpoint.origin}\` is signed by no key that the policy names for it`,
    );
  }
  const counted = witnesses
    .flatMap(({ name, key }, index) => cosignature(name, key, seen[index]))
    .filter(({ at }) => now === undefined || at <= now + CLOCK_SKEW_MS_MAX);
  if (!isQuorum(quorum, new Set(counted.map(({ name }) => name)))) {
    throw new Doubt(
      'no_quorum',
      `the checkpoint is cosigned by ${String(counted.length)} of ${String(witnesses.length)} witnesses, which the policy says is too few`,
    );
  }
  return { checkpoint, signers, ...sentences(checkpoint, signers, counted, witnesses.length) };
}

interface Cosignature {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

async function standingsOf(note: Note, keys: readonly VerifierKey[]): Promise<readonly Standing[]> {
  return Promise.all(keys.map(async (key) => verifyNote(note, key)));
}

function isValid(key: VerifierKey, standing: Standing | undefined): boolean {
  if (standing?.kind === 'forged') throw forged(key);
  return standing?.kind === 'valid';
}

function cosignature(
  name: string,
  key: VerifierKey,
  standing: Standing | undefined,
): readonly Cosignature[] {
  const valid = isValid(key, standing) && standing?.kind === 'valid';
  return valid ? [{ name, at: (standing.time ?? 0) * 1000 }] : [];
}

function forged({ name, id }: VerifierKey): Doubt {
  return new Doubt(
    'forged_signature',
    `the checkpoint’s signature of \`${name}\` (key ${id}) is not by that key`,
  );
}

function sentences(
  { origin, size }: Checkpoint,
  signers: readonly VerifierKey[],
  counted: readonly Cosignature[],
  witnesses: number,
): Pick<TrustedCheckpoint, 'proved' | 'unproved'> {
  const keys = signers.map(({ id }) => id).join(', ');
  const signed = `log \`${origin}\` at size ${String(size)} is signed by its key ${keys}`;
  if (counted.length === 0) {
    return {
      proved: [signed],
      unproved: ['no witness cosigned: the log could show others another history'],
    };
  }
  const names = counted.map(({ name, at }) => `${name} at ${timeText(at)}`).join(', ');
  return {
    proved: [
      signed,
      `cosigned by ${String(counted.length)} of ${String(witnesses)} witnesses: ${names}`,
    ],
    unproved: [],
  };
}
