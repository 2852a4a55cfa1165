/**
 * Group commit: commands queue, and one transaction takes as many as fit. Everything inside it is
 * synchronous, so nothing of another command comes between a command's reading, judging and writing.
 * Promises settle only after the commit returned.
 */
import { StoreError } from '../../engine/ports.ts';
import { severityOf, type Connection } from './connection.ts';
import type { Reading, StoreClock } from './store-clock.ts';

/** Commands in one transaction. */
export const BATCH_COMMANDS_MAX = 256;
/** How long one transaction takes commands, on a disk that keeps up. */
export const BATCH_MS = 5;
/**
 * On a slow disk it takes them for this many times as long as the last commit took, so that most of the
 * time goes into work and not into waiting for the disk; but never longer than {@link BATCH_MS_MAX}.
 */
const COMMITS_PER_BATCH = 4;
export const BATCH_MS_MAX = 50;
/** Commands that wait, of each urgency; more are refused. */
export const QUEUE_COMMANDS_MAX = 8192;

/** What a command does; it may be run again after a rollback. Its value is given out once it is durable. */
export type Work<Value> = (time: Reading) => Value;

/** Halts, revocations and new epochs go before everything that waits. */
export type Urgency = 'first' | 'in_turn';

/** What the group commit needs beside the connection. */
export interface GroupCommitParts {
  readonly db: Connection;
  readonly clock: StoreClock;
  readonly monotonicMs: () => number;
  /** Writes what the commands changed in memory, as part of their transaction. */
  readonly flush: () => void;
  /** Forgets everything in memory that a rollback may have undone. */
  readonly forget: () => void;
  /** Runs after a commit, outside any transaction; told how long it took, and of how many commands. */
  readonly committed: (tookMs: number, commandsCount: number) => void;
  /** Ends the process. */
  readonly fatal: (error: unknown) => void;
}

/** Thrown out of a batch: a command failed after it had begun to write. */
class HalfWritten extends Error {
  override readonly name = 'HalfWritten';
}

interface Command {
  /** Reads, judges and writes; answers what to do once that is durable. */
  readonly work: (time: Reading) => () => void;
  readonly reject: (error: unknown) => void;
}

/** The queue in front of the one writer. */
export class GroupCommit {
  readonly #parts: GroupCommitParts;
  readonly #first: Command[] = [];
  #inTurn: Command[] = [];
  #turn = 0;
  #scheduled = false;
  #closed: StoreError | undefined;
  #idle: (() => void)[] = [];
  #batchMs = BATCH_MS;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  /** Queues a command. Rejects with a `StoreError`, or with what the work itself threw. */
  submit<Value>(work: Work<Value>, urgency: Urgency = 'in_turn'): Promise<Value> {
    return new Promise((resolve, reject) => {
      const waiting = urgency === 'first' ? this.#first.length : this.#inTurn.length - this.#turn;
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      if (waiting >= QUEUE_COMMANDS_MAX) {
        reject(new StoreError('store_overloaded', 'too many commands wait for the store'));
        return;
      }
      const command: Command = {
        work: (time) => {
          const value = work(time);
          return () => resolve(value);
        },
        reject,
      };
      (urgency === 'first' ? this.#first : this.#inTurn).push(command);
      this.#schedule();
    });
  }

  /** Commands that wait. */
  get waitingCount(): number {
    return this.#first.length + this.#inTurn.length - this.#turn;
  }

  /** Why nothing is taken any more, if so. */
  get closed(): StoreError | undefined {
    return this.#closed;
  }

  /** Takes nothing more; resolves when what waits is committed. */
  async drain(): Promise<void> {
    this.#closed ??= new StoreError('store_closed', 'the store is closed');
    if (!this.#scheduled) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Ends the store after an error that leaves the file or the disk in doubt. */
  fail(error: unknown, batch: readonly Command[] = []): void {
    this.#closed = new StoreError('store_closed', 'the store failed and ends the process', {
      cause: error,
    });
    // Whether a batch in doubt is durable is found out at the next start: until then it did not happen.
    const waiting = this.#inTurn.slice(this.#turn);
    for (const command of [...batch, ...this.#first, ...waiting]) command.reject(this.#closed);
    this.#first.length = 0;
    this.#inTurn = [];
    this.#turn = 0;
    this.#parts.fatal(error);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#cycle());
  }

  #cycle(): void {
    this.#scheduled = false;
    this.#batch();
    if (this.#waiting()) {
      this.#schedule();
      return;
    }
    for (const resolve of this.#idle) resolve();
    this.#idle = [];
  }

  #waiting(): boolean {
    return this.#first.length > 0 || this.#turn < this.#inTurn.length;
  }

  #next(): Command | undefined {
    const urgent = this.#first.shift();
    if (urgent !== undefined) return urgent;
    const command = this.#inTurn[this.#turn];
    if (command === undefined) return undefined;
    this.#turn += 1;
    if (this.#turn === this.#inTurn.length) {
      this.#inTurn = [];
      this.#turn = 0;
    }
    return command;
  }

  /** As many commands as fit, in one transaction from lock to answers. */
  #batch(): void {
    const taken: Command[] = [];
    try {
      this.#transaction(taken, (answers) => this.#run(taken, answers));
    } catch (error) {
      if (error instanceof HalfWritten) this.#oneByOne(taken);
      else this.#undo(error, taken);
    }
  }

  /**
   * A command failed after it had begun to write, which no input of anybody should bring about: the
   * batch is rolled back, and each of its commands runs again in a transaction of its own, so that
   * only the one that fails is undone.
   */
  #oneByOne(taken: readonly Command[]): void {
    const { db, forget } = this.#parts;
    for (const [index, command] of taken.entries()) {
      try {
        if (db.inTransaction) db.execute('ROLLBACK');
        forget();
        this.#transaction([command], (answers) => answers.push(this.#attempt(command)));
      } catch (error) {
        if (error instanceof HalfWritten) {
          command.reject(error.cause);
          continue;
        }
        this.#undo(error, taken.slice(index));
        return;
      }
    }
    if (db.inTransaction) db.execute('ROLLBACK');
    forget();
  }

  #transaction(taken: readonly Command[], work: (answers: (() => void)[]) => void): void {
    const { db, clock, monotonicMs, flush } = this.#parts;
    const answers: (() => void)[] = [];
    db.execute('BEGIN IMMEDIATE');
    work(answers);
    flush();
    clock.persist(db);
    // A crash before this returns leaves nothing of the batch, or all of it: SQLite's log decides at
    // the next start. Nobody was told, nothing was sent; an execution found then becomes unknown.
    const startedMs = monotonicMs();
    db.execute('COMMIT');
    const commitMs = monotonicMs() - startedMs;
    this.#batchMs = Math.min(BATCH_MS_MAX, Math.max(BATCH_MS, commitMs * COMMITS_PER_BATCH));
    // A crash from here on leaves all of the batch. Executions whose send was not settled are found by
    // recovery and become unknown.
    clock.persisted();
    for (const answer of answers) answer();
    try {
      this.#parts.committed(commitMs, taken.length);
    } catch (error) {
      if (severityOf(error) !== 'full') this.fail(error);
    }
  }

  #run(taken: Command[], answers: (() => void)[]): void {
    const { monotonicMs } = this.#parts;
    const startedMs = monotonicMs();
    while (taken.length < BATCH_COMMANDS_MAX) {
      const command = this.#next();
      if (command === undefined) break;
      taken.push(command);
      answers.push(this.#attempt(command));
      if (monotonicMs() - startedMs >= this.#batchMs) break;
    }
  }

  /** Runs a command; what it answers is told after the commit, and so is why it failed. */
  #attempt(command: Command): () => void {
    const { db, clock } = this.#parts;
    const before = db.writesCount;
    try {
      return command.work(clock.read());
    } catch (error) {
      if (severityOf(error) !== 'command') throw error;
      // Commands read and judge before they write: one that wrote nothing left nothing to undo.
      if (db.writesCount !== before) throw new HalfWritten('to be undone', { cause: error });
      return () => command.reject(error);
    }
  }

  /** Nothing of the batch was written, or nothing can be said any more. */
  #undo(error: unknown, taken: readonly Command[]): void {
    const { db, forget } = this.#parts;
    if (severityOf(error) !== 'full') {
      this.fail(error, taken);
      return;
    }
    try {
      // SQLite may have rolled back by itself.
      if (db.inTransaction) db.execute('ROLLBACK');
    } catch (failure) {
      this.fail(failure, taken);
      return;
    }
    forget();
    const refusal = new StoreError('store_full', 'the disk is full: nothing was written', {
      cause: error,
    });
    for (const command of taken) command.reject(refusal);
    // With nothing taken the lock itself found no room; what waits would find none either.
    if (taken.length === 0) this.#next()?.reject(refusal);
  }
}
