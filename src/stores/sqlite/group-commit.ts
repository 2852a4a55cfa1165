/**
 * Group commit: commands queue, and one transaction takes as many as fit, each under its own savepoint.
 * Everything inside a transaction is synchronous, so nothing of another command comes between a
 * command's reading, judging and writing. Promises settle only after the commit returned.
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

/** What a command does under its savepoint. Its value is given out once it is durable. */
export type Work<Value> = (time: Reading) => Value;

/** Halts, revocations and new epochs go before everything that waits. */
export type Urgency = 'first' | 'in_turn';

/** What the group commit needs beside the connection. */
export interface GroupCommitParts {
  readonly db: Connection;
  readonly clock: StoreClock;
  readonly monotonicMs: () => number;
  /** Forgets everything in memory that a rollback may have undone. */
  readonly forget: () => void;
  /** Runs after a commit, outside any transaction; told how long it took, and of how many commands. */
  readonly committed: (tookMs: number, commandsCount: number) => void;
  /** Ends the process. */
  readonly fatal: (error: unknown) => void;
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

  /** One transaction from lock to answers. */
  #batch(): void {
    const { db, clock, monotonicMs } = this.#parts;
    const taken: Command[] = [];
    const answers: (() => void)[] = [];
    let commitMs: number;
    try {
      db.execute('BEGIN IMMEDIATE');
      this.#run(taken, answers);
      clock.persist(db);
      // A crash before this returns leaves nothing of the batch, or all of it: SQLite's log decides at
      // the next start. Nobody was told, nothing was sent; an execution found then becomes unknown.
      const startedMs = monotonicMs();
      db.execute('COMMIT');
      commitMs = monotonicMs() - startedMs;
      const batchMs = commitMs * COMMITS_PER_BATCH;
      this.#batchMs = Math.min(BATCH_MS_MAX, Math.max(BATCH_MS, batchMs));
    } catch (error) {
      this.#undo(error, taken);
      return;
    }
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
    const { clock, monotonicMs } = this.#parts;
    const startedMs = monotonicMs();
    while (taken.length < BATCH_COMMANDS_MAX) {
      const command = this.#next();
      if (command === undefined) break;
      taken.push(command);
      const answer = this.#attempt(command, clock.read());
      if (answer !== undefined) answers.push(answer);
      if (monotonicMs() - startedMs >= this.#batchMs) break;
    }
  }

  /** Runs a command under its savepoint. One that throws is undone alone, and told after the commit. */
  #attempt(command: Command, time: Reading): (() => void) | undefined {
    const { db, forget } = this.#parts;
    db.run('SAVEPOINT command');
    try {
      const answer = command.work(time);
      db.run('RELEASE command');
      return answer;
    } catch (error) {
      if (severityOf(error) !== 'command') throw error;
      db.run('ROLLBACK TO command');
      db.run('RELEASE command');
      forget();
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
