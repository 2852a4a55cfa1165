/**
 * Asks witnesses to cosign checkpoints (C2SP tlog-witness). Each is told of the tree that it saw last and
 * proved that it only grew; what it answers counts once its signature is verified. A witness that fails
 * is left alone for a while, so that it slows nothing down but the receipts that wait for it.
 */
import type { Prove, Witnesses } from '../engine/checkpoints.ts';
import { writeBase64 } from '../ledger/base64.ts';
import type { Checkpoint } from '../ledger/checkpoint.ts';
import {
  NoteError,
  readNote,
  verifyNote,
  writeNote,
  type Note,
  type NoteSignature,
} from '../ledger/note.ts';
import type { WitnessSettings } from './ledger-settings.ts';

/** How long a witness may take to answer, both questions together. */
export const WITNESS_MS_MAX = 2000;
/** How long a witness that failed is left alone. */
const WITNESS_PAUSE_MS = 5000;

/** An answer is a handful of lines. */
const ANSWER_BYTES_MAX = 16_384;
const SIZE = /^(?:0|[1-9]\d{0,15})\n?$/u;

/** What it works with. */
export interface HttpWitnessesParts {
  readonly witnesses: readonly WitnessSettings[];
  /** How long one that failed is left alone; `WITNESS_PAUSE_MS` if absent. */
  readonly pauseMs?: number;
  readonly trouble: (code: string, message: string) => void;
}

/** What is remembered of a witness while the process lives; it knows best itself. */
interface Known {
  readonly witness: WitnessSettings;
  /** The size it cosigned last, by origin. */
  readonly sizes: Map<string, number>;
  /** On the monotonic clock; before it, it is not asked. */
  pausedUntilMs: number;
}

/** Witnesses over HTTP. */
export class HttpWitnesses implements Witnesses {
  readonly #parts: HttpWitnessesParts;
  readonly #remembered: readonly Known[];

  constructor(parts: HttpWitnessesParts) {
    this.#parts = parts;
    this.#remembered = parts.witnesses.map((witness) => ({
      witness,
      sizes: new Map<string, number>(),
      pausedUntilMs: 0,
    }));
  }

  lacking(note: Note): boolean {
    return this.#remembered.some((each) => this.#isAsked(each, note));
  }

  async cosign(
    note: Note,
    checkpoint: Checkpoint,
    prove: Prove,
  ): Promise<readonly NoteSignature[]> {
    const asked = this.#remembered.filter((each) => this.#isAsked(each, note));
    const answers = await Promise.all(
      asked.map(async (each) => {
        try {
          return await cosignedBy(each, note, checkpoint, prove);
        } catch (error) {
          each.pausedUntilMs = performance.now() + (this.#parts.pauseMs ?? WITNESS_PAUSE_MS);
          // What nobody cosigned is still signed; a policy with a quorum says so at the verifier.
          this.#parts.trouble('witness_failed', `\`${each.witness.key.name}\`: ${whyOf(error)}`);
          return [];
        }
      }),
    );
    return answers.flat();
  }

  #isAsked({ witness: { key }, pausedUntilMs }: Known, note: Note): boolean {
    const has = note.signatures.some(({ name, keyId }) => name === key.name && keyId === key.id);
    return !has && performance.now() >= pausedUntilMs;
  }
}

async function cosignedBy(
  { witness, sizes }: Known,
  note: Note,
  checkpoint: Checkpoint,
  prove: Prove,
): Promise<readonly NoteSignature[]> {
  const signal = AbortSignal.timeout(WITNESS_MS_MAX);
  const { origin, size } = checkpoint;
  let earlier = sizes.get(origin) ?? 0;
  // It says what it saw last where that is something else: then it is asked once more.
  for (let round = 0; round < 2; round += 1) {
    const body = await requestOf(note, { earlier, size }, prove);
    const { status, text } = await ask(witness, body, signal);
    if (status === 200) {
      const cosignatures = await readCosignatures(witness, note, text);
      sizes.set(origin, size);
      return cosignatures;
    }
    if (status !== 409 || !SIZE.test(text)) throw new WitnessError(`answered ${String(status)}`);
    earlier = Number(text);
    if (earlier > size) throw new WitnessError('saw a larger tree of this log');
    sizes.set(origin, earlier);
  }
  throw new WitnessError('answered 409 twice');
}

async function requestOf(
  note: Note,
  { earlier, size }: { readonly earlier: number; readonly size: number },
  prove: Prove,
): Promise<string> {
  const proof = earlier === 0 || earlier === size ? [] : await prove(earlier);
  const lines = [`old ${String(earlier)}`, ...proof.map(writeBase64)];
  return `${lines.join('\n')}\n\n${writeNote(note)}`;
}

async function ask(
  { url }: WitnessSettings,
  body: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const address = new URL(`${url.href.replace(/\/$/u, '')}/add-checkpoint`);
  const response = await fetch(address, {
    method: 'POST',
    redirect: 'error',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body,
    signal,
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new WitnessError('answered too much');
    chunks.push(chunk);
  }
  return { status: response.status, text: Buffer.concat(chunks).toString('utf8') };
}

/** The witness's own lines, each of them by its key over this very checkpoint. Other keys are ignored. */
async function readCosignatures(
  { key }: WitnessSettings,
  note: Note,
  text: string,
): Promise<readonly NoteSignature[]> {
  const { signatures } = readNote(`${note.text}\n${text}`);
  const own = signatures.filter(({ name, keyId }) => name === key.name && keyId === key.id);
  const [first] = own;
  if (first === undefined) throw new WitnessError('answered with no signature of its key');
  const standing = await verifyNote({ text: note.text, signatures: own }, key);
  if (standing.kind !== 'valid' || standing.time === 0) {
    throw new WitnessError('answered with a signature that is not by its key');
  }
  return [first];
}

/** A witness answered, and not as the protocol has it. */
class WitnessError extends Error {
  override readonly name = 'WitnessError';
}

function whyOf(error: unknown): string {
  if (error instanceof WitnessError || error instanceof NoteError) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return 'did not answer in time';
  return 'could not be reached';
}
