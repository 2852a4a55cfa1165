/**
 * Signs the logs (law 13): at most every 200 ms while a ledger grows, and at once for a receipt that
 * waits. Before it signs, it checks by a proof that the tree only grew since the newest checkpoint that
 * is known, which is also kept outside the store; where it did not, nothing is signed any more.
 */
import type { TenantName } from '../kernel/id.ts';
import { readCheckpoint, writeCheckpoint, type Checkpoint } from '../ledger/checkpoint.ts';
import { verifyConsistency } from '../ledger/merkle.ts';
import {
  NoteError,
  readNote,
  signedBytes,
  verifierKey,
  writeNote,
  type Note,
  type NoteSignature,
} from '../ledger/note.ts';
import type { LogStore } from './log.ts';
import type { Signer } from './ports.ts';

/** How often a growing log is signed at most, in milliseconds. */
export const CHECKPOINT_EVERY_MS = 200;

/** Where the newest checkpoint of each log is kept besides the store. */
export interface CheckpointMarks {
  /** The newest note, or nothing where none was ever signed here. */
  read(tenant: TenantName): string | undefined;
  /** Keeps a note; it is durable when this resolves. Nothing of a log is written twice at once. */
  write(tenant: TenantName, note: string): Promise<void>;
}

/** Asks witnesses to cosign. */
export interface Witnesses {
  /** Whether a note lacks a cosignature that could be asked for now. */
  lacking(note: Note): boolean;
  /** The cosignatures that could be had; never rejects, and takes no longer than it says. */
  cosign(note: Note, checkpoint: Checkpoint, prove: Prove): Promise<readonly NoteSignature[]>;
}

/** The proof that the tree of the checkpoint begins with that of another size. */
export type Prove = (earlier: number) => Promise<readonly Uint8Array[]>;

/** What it works with. */
export interface CheckpointsParts {
  readonly store: LogStore;
  readonly signer: Signer;
  readonly marks: CheckpointMarks;
  readonly witnesses?: Witnesses;
  /** What the origins of all tenants' logs begin with. */
  readonly origin: string;
  readonly trouble: (code: string, message: string) => void;
}

/** Why a store must not be started on. */
export interface LogRefusal {
  readonly kind: 'refused';
  readonly code: 'ledger_rolled_back' | 'ledger_diverged';
  readonly message: string;
  readonly hint: string;
}

/** A signed checkpoint, taken apart. */
interface Signed {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

/** The checkpoints of all tenants. */
export class Checkpoints {
  readonly #parts: CheckpointsParts;
  readonly #newest = new Map<TenantName, Signed>();
  readonly #signing = new Map<TenantName, Promise<Signed>>();
  readonly #timers = new Map<TenantName, NodeJS.Timeout>();
  readonly #diverged = new Set<TenantName>();
  /** When each log was signed last, on the monotonic clock. */
  readonly #signedAtMs = new Map<TenantName, number>();
  #closed = false;

  constructor(parts: CheckpointsParts) {
    this.#parts = parts;
  }

  /** Compares the store with the newest checkpoint that is known elsewhere: before anything else. */
  async open(tenant: TenantName): Promise<LogRefusal | undefined> {
    const { store, marks } = this.#parts;
    const { generation, checkpoint } = await store.log(tenant);
    const mark = signedOf(marks.read(tenant));
    const stored = signedOf(checkpoint);
    if (mark === undefined) {
      if (stored !== undefined) this.#newest.set(tenant, stored);
      return undefined;
    }
    const origin = this.origin(tenant, generation);
    if (mark.checkpoint.origin !== origin) {
      // A later generation was begun by a restore; an earlier one means that this file is older still.
      const later = generationOf(mark.checkpoint.origin, this.origin(tenant, 1)) < generation;
      return later ? undefined : rolledBack(tenant, `of the log \`${mark.checkpoint.origin}\``);
    }
    const { size } = await store.tree(tenant);
    if (size < mark.checkpoint.size) {
      return rolledBack(
        tenant,
        `of ${String(mark.checkpoint.size)} entries and has ${String(size)}`,
      );
    }
    const { root } = await store.tree(tenant, mark.checkpoint.size);
    if (Buffer.compare(root, mark.checkpoint.root) !== 0) return diverged(tenant);
    this.#newest.set(tenant, mark);
    return undefined;
  }

  /** The identity of a tenant's log. */
  origin(tenant: TenantName, generation: number): string {
    const first = `${this.#parts.origin}/${tenant}`;
    return generation === 1 ? first : `${first}/${String(generation)}`;
  }

  /** Tenants whose logs are not signed any more, because their trees did not only grow. */
  get diverged(): readonly TenantName[] {
    return [...this.#diverged];
  }

  /** Signs soon: the ledger grew. */
  grown(tenant: TenantName): void {
    if (this.#closed || this.#timers.has(tenant) || this.#diverged.has(tenant)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(tenant);
      this.#catchUp(tenant).catch((error: unknown) => this.#told(error));
    }, CHECKPOINT_EVERY_MS);
    timer.unref();
    this.#timers.set(tenant, timer);
  }

  /** What was being signed meanwhile may not have the last entries: then it is signed again, later. */
  async #catchUp(tenant: TenantName): Promise<void> {
    const { checkpoint } = await this.#sign(tenant);
    const { size } = await this.#parts.store.tree(tenant);
    if (size > checkpoint.size) this.grown(tenant);
  }

  /** The newest signed checkpoint; signed now if there is none, or the newest is behind and not of just now. */
  async newest(tenant: TenantName): Promise<string> {
    const newest = this.#newest.get(tenant);
    if (newest === undefined) return writeNote((await this.#sign(tenant)).note);
    const { size } = await this.#parts.store.tree(tenant);
    const sinceMs = performance.now() - (this.#signedAtMs.get(tenant) ?? -CHECKPOINT_EVERY_MS);
    const isFresh = size === newest.checkpoint.size || sinceMs < CHECKPOINT_EVERY_MS;
    return writeNote((isFresh ? newest : await this.#sign(tenant)).note);
  }

  /** A checkpoint of at least so many entries, signed at once where none is. */
  async covering(
    tenant: TenantName,
    size: number,
  ): Promise<{ readonly note: string; readonly checkpoint: Checkpoint }> {
    let signed = this.#newest.get(tenant);
    if (signed !== undefined && covers(signed, size) && !this.#isComplete(signed)) {
      signed = await this.#sign(tenant);
    }
    // What is being signed now may have begun before the last entries were there.
    for (let round = 0; round < 3 && !covers(signed, size); round += 1) {
      signed = await this.#sign(tenant);
    }
    if (signed === undefined || !covers(signed, size)) throw new Error('the log is behind');
    return { note: writeNote(signed.note), checkpoint: signed.checkpoint };
  }

  /** Signs what is there, and no more. */
  async close(): Promise<void> {
    this.#closed = true;
    const tenants = [...this.#timers.keys()];
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.allSettled(tenants.map((tenant) => this.#sign(tenant)));
    await Promise.allSettled(this.#signing.values());
  }

  /** One at a time for each log; whoever comes meanwhile is answered by the same. */
  #sign(tenant: TenantName): Promise<Signed> {
    const under = this.#signing.get(tenant);
    if (under !== undefined) return under;
    const signing = this.#signNow(tenant).finally(() => this.#signing.delete(tenant));
    this.#signing.set(tenant, signing);
    return signing;
  }

  async #signNow(tenant: TenantName): Promise<Signed> {
    const { store, marks } = this.#parts;
    if (this.#diverged.has(tenant)) throw new NoteError('the log is not signed any more');
    const { generation } = await store.log(tenant);
    const origin = this.origin(tenant, generation);
    const { size, root } = await store.tree(tenant);
    const before = this.#newest.get(tenant);
    const same = before?.checkpoint.origin === origin ? before : undefined;
    if (same?.checkpoint.size === size && this.#isBySigner(same)) {
      return this.#lacksCosignature(same) ? this.#cosigned(tenant, same) : same;
    }
    const checkpoint = { origin, size, root };
    if (!(await this.#grew(tenant, same?.checkpoint, checkpoint))) {
      this.#diverged.add(tenant);
      this.#parts.trouble('ledger_diverged', `the ledger of \`${tenant}\` did not only grow`);
      throw new NoteError('the log is not signed any more');
    }
    const signed = { note: this.#note(checkpoint), checkpoint };
    this.#signedAtMs.set(tenant, performance.now());
    const text = writeNote(signed.note);
    // Kept before anybody sees it: a checkpoint that was given out is never forgotten by a crash.
    await marks.write(tenant, text);
    await store.keepCheckpoint(tenant, text);
    this.#newest.set(tenant, signed);
    return this.#cosigned(tenant, signed);
  }

  /** Whether every key that signs now has signed it: after a rotation the newest one has not. */
  #isBySigner({ note, checkpoint }: Signed): boolean {
    return this.#parts.signer.publicKeys.every((publicKey) => {
      const { id } = verifierKey(checkpoint.origin, 'log', publicKey);
      return note.signatures.some(({ name, keyId }) => name === checkpoint.origin && keyId === id);
    });
  }

  #isComplete(signed: Signed): boolean {
    return this.#isBySigner(signed) && !this.#lacksCosignature(signed);
  }

  #lacksCosignature({ note }: Signed): boolean {
    return !this.#closed && this.#parts.witnesses?.lacking(note) === true;
  }

  async #cosigned(tenant: TenantName, signed: Signed): Promise<Signed> {
    const { store, marks, witnesses } = this.#parts;
    const { note, checkpoint } = signed;
    if (witnesses === undefined || this.#closed) return signed;
    const cosignatures = await witnesses.cosign(note, checkpoint, (earlier) =>
      store.consistency(tenant, earlier, checkpoint.size),
    );
    if (cosignatures.length === 0) return signed;
    const witnessed = {
      note: { ...note, signatures: [...note.signatures, ...cosignatures] },
      checkpoint,
    };
    const text = writeNote(witnessed.note);
    await marks.write(tenant, text);
    await store.keepCheckpoint(tenant, text);
    this.#newest.set(tenant, witnessed);
    return witnessed;
  }

  async #grew(
    tenant: TenantName,
    earlier: Checkpoint | undefined,
    later: Checkpoint,
  ): Promise<boolean> {
    if (earlier === undefined || earlier.size === 0) return true;
    if (earlier.size > later.size) return false;
    const proof = await this.#parts.store.consistency(tenant, earlier.size, later.size);
    return verifyConsistency({
      earlier: earlier.size,
      later: later.size,
      earlierRoot: earlier.root,
      laterRoot: later.root,
      proof,
    });
  }

  #note(checkpoint: Checkpoint): Note {
    const { signer } = this.#parts;
    const text = writeCheckpoint(checkpoint);
    const signatures = signer.sign(signedBytes(text, 'log')).flatMap((bytes, index) => {
      const publicKey = signer.publicKeys[index];
      if (publicKey === undefined) return [];
      const { name, id } = verifierKey(checkpoint.origin, 'log', publicKey);
      return [{ name, keyId: id, bytes }];
    });
    return { text, signatures };
  }

  #told(error: unknown): void {
    if (this.#closed || error instanceof NoteError) return;
    this.#parts.trouble('checkpoint_failed', error instanceof Error ? error.message : 'no error');
  }
}

function covers(signed: Signed | undefined, size: number): boolean {
  return signed !== undefined && signed.checkpoint.size >= size;
}

function signedOf(text: string | undefined): Signed | undefined {
  if (text === undefined) return undefined;
  const note = readNote(text);
  return { note, checkpoint: readCheckpoint(note.text) };
}

/** The generation that an origin names, by that of the first one; 0 for another log altogether. */
function generationOf(origin: string, first: string): number {
  if (origin === first) return 1;
  const [, number] = /^\/([1-9]\d*)$/u.exec(origin.slice(first.length)) ?? [];
  return origin.startsWith(first) && number !== undefined ? Number(number) : 0;
}

function rolledBack(tenant: TenantName, what: string): LogRefusal {
  return {
    kind: 'refused',
    code: 'ledger_rolled_back',
    message: `the store is older than the newest checkpoint of \`${tenant}\`, ${what}`,
    hint: 'put the newest store back; or restore this one with `exequatur restore <file> --force`, which halts everything and begins a new log',
  };
}

function diverged(tenant: TenantName): LogRefusal {
  return {
    kind: 'refused',
    code: 'ledger_diverged',
    message: `the ledger of \`${tenant}\` is not the one whose newest checkpoint was signed here`,
    hint: 'somebody changed the store, or it is another layer’s: compare it with a backup before anything else',
  };
}
