/**
 * The embedded store on `node:sqlite`: one method a transaction, one process the owner of the file,
 * every answer after a durable commit. How it stores is told in the files beside this one; here stands
 * what it can be asked.
 */
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AgentName, TenantName } from '../../kernel/id.ts';
import type { Instant } from '../../kernel/instant.ts';
import { mintExecution } from '../../engine/execution.ts';
import {
  StoreError,
  type ActionRecord,
  type AdvanceResult,
  type ChangeResult,
  type Clock,
  type Store,
} from '../../engine/ports.ts';
import { listActions, readAction, selectActions } from './actions.ts';
import { advance, findByKey } from './advance.ts';
import { answer, change, renewLeases, writeChallenge } from './change.ts';
import { backUp, type Backup } from './backup.ts';
import { integer, severityOf, type Connection, type Row } from './connection.ts';
import {
  SQLITE_LIMITS,
  find,
  wakeAll,
  wakeWaiting,
  type Context,
  type SqliteLimits,
} from './context.ts';
import { direct, halt, holder, keys, resume } from './directory.ts';
import { activate, epochEntry, sourceOf } from './epochs.ts';
import { syncDirectory } from './files.ts';
import { GroupCommit, type Urgency, type Work } from './group-commit.ts';
import { Latest } from './latest.ts';
import { bounded, checkpoint, completeTrees, endProcess, openCounts } from './house-keeping.ts';
import { LedgerRows } from './ledger-rows.ts';
import { LimitCounters } from './limits.ts';
import {
  consistencyIn,
  inclusionIn,
  keepCheckpoint,
  logOf,
  NO_TREE,
  payloadsOf,
  treeOf,
} from './logs.ts';
import { Measures } from './measures.ts';
import { noLocalFacts, readApprovals, readLocalFacts } from './local-facts.ts';
import { eraseOne, purge } from './purge.ts';
import { openDatabase, type OwnedDatabase } from './open-database.ts';
import { readUuid } from './columns.ts';
import { parseActionId } from '../../kernel/id.ts';
import { RecentActions } from './recent-actions.ts';
import { StandingState, readAccounts } from './standing.ts';
import { StoreClock, readMark } from './store-clock.ts';
import { Waits } from './waits.ts';

/** What a store is opened with. */
export interface SqliteOptions {
  /** Made, mode 0700, where it does not exist. */
  readonly directory: string;
  readonly clock: Clock;
  readonly limits?: Partial<SqliteLimits>;
  /** Told of rows that are not as they were written, and are left out of a list for it. */
  readonly corrupt?: (error: StoreError) => void;
  /** Ends the process after an error that leaves file or disk in doubt; exits with 70 unless given. */
  readonly fatal?: (error: unknown) => void;
}

/** The embedded store. */
export interface SqliteStore extends Store {
  /** The database's file. */
  readonly path: string;
  /** Bounds the file's size in bytes from now on; reaching it is a full disk. */
  boundBytes(bytesMax: number): void;
  /** Copies the database into `backups/<name>.db`, one at a time; `undefined` where that name is taken. */
  backup(name: string): Promise<Backup | undefined>;
}

const PAGE_BYTES = 4096;

/**
 * Opens the store of a directory. Rejects with a `StoreError`: `store_locked`, `store_foreign`,
 * `store_newer`, `store_unsafe`, `store_full` or `clock_jumped`; then nothing was changed.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<SqliteStore> {
  const database = openDatabase(options.directory);
  try {
    const clock = new StoreClock(options.clock, readMark(database.db));
    const { jumped } = clock.read();
    if (jumped !== undefined) throw jumped;
    // The first write makes SQLite's log; its name has to be durable before anything in it counts.
    database.db.execute('BEGIN IMMEDIATE');
    database.db.one('UPDATE clock SET mark = mark WHERE id = 1');
    completeTrees(database.db);
    clock.persist(database.db);
    database.db.execute('COMMIT');
    clock.persisted();
    syncDirectory(dirname(database.path));
    return new EmbeddedStore(database, clock, options);
  } catch (error) {
    database.close();
    throw error;
  }
}

class EmbeddedStore implements SqliteStore {
  readonly path: string;
  readonly #database: OwnedDatabase;
  readonly #db: Connection;
  readonly #clock: StoreClock;
  readonly #context: Context;
  readonly #commit: GroupCommit;
  readonly #measures = new Measures();
  /** When keys were last presented, by row: kept in memory, so that reading stays reading. */
  readonly #used = new Map<number, Instant>();
  readonly #corrupt: (error: StoreError) => void;
  #closing: Promise<void> | undefined;
  #backingUp: Promise<unknown> = Promise.resolve();

  constructor(database: OwnedDatabase, clock: StoreClock, options: SqliteOptions) {
    const standing = new StandingState(database.db);
    const ledger = new LedgerRows(database.db);
    this.path = database.path;
    this.#database = database;
    this.#db = database.db;
    this.#clock = clock;
    const recent = new RecentActions();
    const counters = new LimitCounters(database.db);
    const latest = new Latest(database.db);
    const waits = new Waits(database.db);
    this.#context = {
      db: database.db,
      standing,
      ledger,
      recent,
      counters,
      latest,
      waits,
      limits: { ...SQLITE_LIMITS, ...options.limits },
    };
    this.#corrupt = options.corrupt ?? ((error) => void writeSync(2, `${error.message}\n`));
    this.#commit = new GroupCommit({
      db: database.db,
      clock,
      monotonicMs: () => options.clock.monotonicMs(),
      flush: () => {
        counters.flush();
        latest.flush();
      },
      forget: () => {
        for (const memory of [standing, ledger, recent, counters, latest, waits]) memory.forget();
      },
      committed: (tookMs, commandsCount) => {
        this.#measures.committed(tookMs, commandsCount);
        checkpoint(database.db);
      },
      fatal: options.fatal ?? endProcess,
    });
  }

  look: Store['look'] = (query) =>
    this.#read(() => {
      const { now } = this.#clock.read();
      const tenant = this.#context.standing.find(query.tenant);
      if (tenant === undefined) return { now, local: noLocalFacts(query) };
      const row = query.stored ? find(this.#context, query.tenant, query.action)?.row : undefined;
      const subject = { standing: this.#context.standing.of(tenant), row };
      return { now, local: readLocalFacts(this.#context, query, subject, now) };
    });

  advance: Store['advance'] = async (command) => {
    const advanced = await this.#write((time) => advance(this.#context, command, time));
    if (advanced.kind !== 'written') return advanced;
    const { record, crossed } = advanced;
    this.#measures.left(record.state, { proposal: command.propose !== undefined });
    // The commit returned: from here on the execution exists, and may be sent once.
    const execution = crossed && mintExecution(crossed.decision, crossed.execution);
    return { kind: 'written', record, execution } satisfies AdvanceResult;
  };

  challenge: Store['challenge'] = (command) =>
    this.#write((time) => writeChallenge(this.#context, command, time));

  answer: Store['answer'] = (command) =>
    this.#changed(this.#write((time) => answer(this.#context, command, time)));

  change: Store['change'] = (command) =>
    this.#changed(this.#write((time) => change(this.#context, command, time)));

  renew: Store['renew'] = (engine, executions, until) =>
    this.#write(() => renewLeases(this.#context, engine, executions, until));

  halt: Store['halt'] = (asked, entry) =>
    this.#write(({ now }) => halt(this.#context, asked, entry, now), 'first');

  resume: Store['resume'] = (tenant, id, entry) =>
    this.#write(({ now }) => resume(this.#context, { tenant, id }, entry, now));

  halts: Store['halts'] = (tenant) =>
    this.#read(() => {
      const id = this.#context.standing.find(tenant);
      return id === undefined ? [] : this.#context.standing.of(id).halts;
    });

  direct: Store['direct'] = (tenant, asked, entry) =>
    this.#write(
      ({ now }) => direct(this.#context, tenant, asked, entry, now),
      asked.kind === 'enrol' || asked.kind === 'add-key' ? 'in_turn' : 'first',
    );

  accounts: Store['accounts'] = (tenant) =>
    this.#read(() => {
      const id = this.#context.standing.find(tenant);
      return id === undefined ? [] : readAccounts(this.#db, id);
    });

  keys: Store['keys'] = (name, account) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      return tenant === undefined ? undefined : keys(this.#db, tenant, account, this.#used);
    });

  holder: Store['holder'] = (keyHash) =>
    this.#read(() => {
      const found = holder(this.#db, keyHash);
      if (found === undefined) return undefined;
      const { keyRow, ...whose } = found;
      this.#used.set(keyRow, this.#clock.read().now);
      return whose;
    });

  activate: Store['activate'] = (tenant, digest, entry, sources = []) =>
    this.#write(
      ({ now }) => activate(this.#context, { tenant, digest, sources }, entry, now),
      'first',
    );

  epochEntry: Store['epochEntry'] = (name, number) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      if (tenant === undefined) return undefined;
      return epochEntry(this.#db, this.#context.ledger, { tenant, number });
    });

  source: Store['source'] = (name, digest) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      return tenant === undefined ? undefined : sourceOf(this.#db, tenant, digest);
    });

  action: Store['action'] = (tenant, id) =>
    this.#read(() => find(this.#context, tenant, id)?.record);

  proposed: Store['proposed'] = (tenant: TenantName, agent: AgentName, key: string) =>
    this.#read(() => {
      const id = this.#context.standing.find(tenant);
      return id === undefined
        ? undefined
        : findByKey(this.#context, { id, name: tenant }, agent, key)?.record;
    });

  actions: Store['actions'] = ({ tenant: name, count, ...filter }) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      if (tenant === undefined) return [];
      return this.#records(listActions(this.#db, { ...filter, tenant, count: bounded(count) }));
    });

  approvals: Store['approvals'] = (tenant, action) =>
    this.#read(() => {
      const stored = find(this.#context, tenant, action);
      return stored === undefined ? [] : readApprovals(this.#db, stored.row);
    });

  due: Store['due'] = (now, count) =>
    this.#read(() =>
      this.#db
        .all(
          `SELECT tenant, uuid FROM action WHERE state = 'held' AND due_at <= ?
           ORDER BY due_at, id LIMIT ?`,
          now,
          bounded(count),
        )
        .map((row) => ({
          tenant: this.#context.standing.nameOf(integer(row, 'tenant')),
          id: readUuid(row, 'uuid', parseActionId),
        })),
    );

  wake: Store['wake'] = (name, waitsFor) =>
    this.#write(({ now }) => {
      const tenant = this.#context.standing.find(name);
      if (tenant === undefined) return 0;
      return waitsFor === 'all'
        ? wakeAll(this.#db, tenant, now)
        : wakeWaiting(this.#context, tenant, new Set(waitsFor), now);
    });

  lost: Store['lost'] = (engine, now) =>
    this.#read(() =>
      this.#records(
        selectActions(
          this.#db,
          `WHERE action.state = 'executing' AND (engine = ? OR lease_until <= ?)
           ORDER BY action.id`,
          engine,
          now,
        ),
      ),
    );

  executing: Store['executing'] = (name) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      if (tenant === undefined) return [];
      const clause = "WHERE action.state = 'executing' AND action.tenant = ? ORDER BY action.id";
      return this.#records(selectActions(this.#db, clause, tenant));
    });

  ledger: Store['ledger'] = (name, after, count) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      return tenant === undefined ? [] : this.#context.ledger.read(tenant, after, bounded(count));
    });

  history: Store['history'] = (name, action) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      return tenant === undefined ? [] : this.#context.ledger.about(tenant, action);
    });

  payload: Store['payload'] = (name, sequence, digest) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      if (tenant === undefined) return undefined;
      return this.#context.ledger.payload(tenant, sequence, digest);
    });

  tree: Store['tree'] = (name, size) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      return tenant === undefined ? NO_TREE : treeOf(this.#context, tenant, size);
    });

  tile: Store['tile'] = (name, level, index) =>
    this.#readLog(name, (tenant) => this.#context.ledger.trees.tile(tenant, level, index));

  inclusion: Store['inclusion'] = (name, sequence, size) =>
    this.#readLog(name, (tenant) => inclusionIn(this.#context, tenant, { sequence, size }));

  consistency: Store['consistency'] = (name, earlier, later) =>
    this.#readLog(name, (tenant) => consistencyIn(this.#context, tenant, { earlier, later }));

  payloads: Store['payloads'] = (name, sequence) =>
    this.#readLog(name, (tenant) => payloadsOf(this.#context, tenant, sequence));

  log: Store['log'] = (name) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      return tenant === undefined
        ? { generation: 1, checkpoint: undefined }
        : logOf(this.#db, tenant);
    });

  keepCheckpoint: Store['keepCheckpoint'] = (name, note) =>
    this.#write(() => keepCheckpoint(this.#db, this.#context.standing.ensure(name), note));

  purge: Store['purge'] = async (command, entry) => {
    const purged = await this.#write(({ now }) => purge(this.#context, command, entry, now));
    if (purged.next === undefined && !command.dryRun) await this.#emptyLog();
    return purged;
  };

  erase: Store['erase'] = async (tenant, action, entry) => {
    const erased = await this.#write(({ now }) =>
      eraseOne(this.#context, { tenant, action }, entry, now),
    );
    // Also where it was erased before: an earlier try may not have come this far.
    if (erased.kind === 'erased' || erased.kind === 'erased_before') await this.#emptyLog();
    return erased;
  };

  measures: Store['measures'] = (name) =>
    this.#read(() => {
      const tenant = this.#context.standing.find(name);
      const { entries, proposed, changed, commits, commitMs, commandsCount } = this.#measures;
      return {
        open: openCounts(this.#db, tenant),
        entries: { ...entries },
        proposed: { ...proposed },
        changed: { ...changed },
        commits,
        commitMs,
        commandsCount,
        queueCount: this.#commit.waitingCount,
      };
    });

  backup(name: string): Promise<Backup | undefined> {
    const done = this.#backingUp.then(() => {
      const { closed } = this.#commit;
      if (closed !== undefined) throw closed;
      return backUp(this.#db, { directory: dirname(this.path), name });
    });
    // Whoever comes next waits for this one, however it ends.
    this.#backingUp = done.catch(() => undefined);
    return done;
  }

  boundBytes(bytesMax: number): void {
    this.#db.all(`PRAGMA max_page_count = ${String(Math.floor(bytesMax / PAGE_BYTES))}`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#commit
      .drain()
      .then(() => this.#backingUp)
      .then(() => this.#database.close());
    return this.#closing;
  }

  async #write<Value>(work: Work<Value>, urgency?: Urgency): Promise<Value> {
    let kinds: readonly string[] = [];
    const value = await this.#commit.submit((time) => {
      const done = work(time);
      kinds = this.#context.ledger.appended();
      return done;
    }, urgency);
    this.#measures.wrote(kinds);
    return value;
  }

  async #changed(changing: Promise<ChangeResult>): Promise<ChangeResult> {
    const result = await changing;
    if (result.kind === 'written') this.#measures.left(result.record.state, { proposal: false });
    return result;
  }

  /**
   * Writes the whole log back and cuts it to nothing: what was erased still stood in it. A crash before
   * this leaves it there until the next start, whose own log begins empty.
   */
  async #emptyLog(): Promise<void> {
    try {
      const row = await this.#read(() => this.#db.get('PRAGMA wal_checkpoint(TRUNCATE)'));
      if (row?.['busy'] !== 0) throw new Error('the log could not be emptied');
    } catch (error) {
      if (severityOf(error) !== 'full') throw error;
      throw new StoreError('store_full', 'no room to write the log back', { cause: error });
    }
  }

  /** A read of a log that has to be there. */
  #readLog<Value>(name: TenantName, read: (tenant: number) => Value): Promise<Value> {
    return this.#read(() => {
      const tenant = this.#context.standing.find(name);
      if (tenant === undefined) throw new RangeError(`\`${name}\` has no ledger yet`);
      return read(tenant);
    });
  }

  /** A read between two transactions, on the same connection. */
  async #read<Value>(read: () => Value): Promise<Value> {
    const { closed } = this.#commit;
    if (closed !== undefined) throw closed;
    try {
      return read();
    } catch (error) {
      if (severityOf(error) === 'fatal') this.#commit.fail(error);
      throw error;
    }
  }

  /** The records of a list. A malformed row must not hide the others, and is not hidden itself. */
  #records(rows: readonly Row[]): readonly ActionRecord[] {
    return rows.flatMap((row) => {
      try {
        return [readAction(row, this.#context.standing.nameOf(integer(row, 'tenant'))).record];
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#corrupt(error);
        return [];
      }
    });
  }
}
