/**
 * One running layer: store, engine and listener with one lifetime. It starts whole or not at all, and
 * a reload that is not valid leaves the last good epoch active.
 */
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Refused } from '../cli/server-door.ts';
import { blobsInUse } from '../engine/blobs.ts';
import { activateEpoch } from '../engine/epochs.ts';
import { Engine } from '../engine/engine.ts';
import type { BlobStore, Clock, Epoch } from '../engine/ports.ts';
import { purge } from '../engine/purging.ts';
import { createFileExecutor } from '../executors/file/executor.ts';
import { createHttpExecutor } from '../executors/http/executor.ts';
import type { Masker } from '../executors/mask.ts';
import { createPermitExecutor } from '../executors/permit/executor.ts';
import { createProcessExecutor } from '../executors/process/executor.ts';
import { createSqlExecutor } from '../executors/sql/executor.ts';
import { createCalendars } from '../facts/calendar/calendars.ts';
import { createFactSource } from '../facts/sources/fact-source.ts';
import { createHttpApp, type HttpApp } from '../gateways/http/app.ts';
import type { Reloaded } from '../gateways/http/call.ts';
import { ANY_HOST, LOOPBACK_HOSTS, type HostsAllowed } from '../gateways/http/door.ts';
import { listen, type Listening } from '../gateways/http/listen.ts';
import { parseDigest, type Digest } from '../kernel/digest.ts';
import type { Problem } from '../kernel/document.ts';
import { formatInstant } from '../kernel/instant.ts';
import { sha256Hex } from '../kernel/sha256.ts';
import type { DocumentProblem } from '../protocol/errors.ts';
import type { EpochView, ReasonView } from '../protocol/status.ts';
import { openFileBlobs } from '../stores/blobs/file-blobs.ts';
import { BLOB_LIMITS } from '../stores/blobs/limits.ts';
import { openSqliteStore, type SqliteStore } from '../stores/sqlite/open.ts';
import {
  readConfiguration,
  type ConfigurationRead,
  type ServerConfiguration,
} from './configuration.ts';
import { removeDaemonFile, writeDaemonFile } from './daemon-file.ts';
import { openLedger, type Ledger } from './ledger-service.ts';
import { isolationProblems } from './isolation.ts';
import { loadEpoch, type EpochRead, type LoadedEpoch } from './loading.ts';
import type { Log } from './log.ts';
import { makePrivateDirectory, operatorKeyOf } from './private-files.ts';
import { documentProblem } from './problems.ts';
import { listenRefusal, storeRefusal } from './start-refusals.ts';
import { SYSTEM_CLOCK, SYSTEM_RANDOMNESS } from './system.ts';

/** How long what is under way may take to settle once the layer is told to stop. */
export const DRAIN_MS = 20_000;

/** How long the last answers may take to reach slow readers once everything has settled. */
const ANSWERS_MS = 5000;

/** How often old content is looked for. */
const RETENTION_EVERY_MS = 3_600_000;

/** How often, at least, blobs that nobody uses any more are looked for. */
const BLOBS_EVERY_MS_MAX = 600_000;

/** What a daemon is started with. */
export interface DaemonParts {
  readonly configuration: ServerConfiguration;
  /** The same as its file says, without what the command line set instead. */
  readonly asRead: ServerConfiguration;
  readonly mode: 'development' | 'enforce';
  readonly version: string;
  readonly log: Log;
  readonly masker: Masker;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Problems name files as seen from here. */
  readonly directory: string;
  /** The machine's own if absent. */
  readonly clock?: Clock;
  /** What a reload goes by; the configuration's file if absent. */
  readonly readAgain?: () => Promise<ConfigurationRead>;
  /** `in_process`: requests come from {@link Daemon.fetch} alone; over a socket as well if absent. */
  readonly door?: 'in_process';
}

/** A start that succeeded, or why it did not. */
export type Started =
  | { readonly kind: 'started'; readonly daemon: Daemon }
  | { readonly kind: 'problems'; readonly problems: readonly DocumentProblem[] }
  | Refused;

/**
 * Loads, opens, binds, activates, answers. What was opened before a failure is closed again, and a
 * start whose address is taken leaves nothing in the ledger.
 */
export async function startDaemon(parts: DaemonParts): Promise<Started> {
  const { configuration, directory } = parts;
  const loaded = await loadEpoch(configuration);
  const { epoch, problems } = stated(loaded, parts.mode, configuration);
  const told = problems.map((problem) => documentProblem(problem, directory));
  if (epoch === undefined) return { kind: 'problems', problems: told };
  for (const problem of told) parts.log.warn(problem.code, textOf(problem));
  makePrivateDirectory(configuration.data);
  let store: SqliteStore;
  try {
    store = await openSqliteStore({
      directory: configuration.data,
      clock: parts.clock ?? SYSTEM_CLOCK,
      corrupt: (error) => parts.log.error(error.code, error.message),
    });
  } catch (error) {
    return storeRefusal(error, configuration.data);
  }
  const key = operatorKeyOf(configuration.data);
  if (key.kind === 'refused') {
    await store.close();
    return key;
  }
  parts.masker.register(key.key);
  const blobs = blobsOf(configuration, parts.clock ?? SYSTEM_CLOCK);
  if ('kind' in blobs) {
    await store.close();
    return blobs;
  }
  const trouble = parts.log.warn.bind(parts.log);
  const opened = await openLedger({ ...configuration, store, trouble });
  if (opened.kind === 'refused') {
    await store.close();
    return opened;
  }
  const daemon = new Daemon(parts, { store, blobs, ledger: opened.ledger });
  try {
    await daemon.bind(hashOf(key.key));
    await daemon.activate(epoch);
    await daemon.open();
    return { kind: 'started', daemon };
  } catch (error) {
    await daemon.stop();
    return listenRefusal(error, configuration);
  }
}

/** What a layer holds open. */
interface Holdings {
  readonly store: SqliteStore;
  readonly blobs: BlobStore;
  readonly ledger: Ledger;
}

/** A running layer. */
export class Daemon {
  readonly engine: Engine;
  readonly #parts: DaemonParts;
  readonly #store: SqliteStore;
  readonly #blobs: BlobStore;
  readonly #ledger: Ledger;
  readonly #opened = Promise.withResolvers<void>();
  #app: HttpApp | undefined;
  #listening: Listening | undefined;
  #configuration: ServerConfiguration;
  #epoch: Epoch | undefined;
  #reloading: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #retaining: NodeJS.Timeout | undefined;
  #expiring: NodeJS.Timeout | undefined;
  /** What is degraded now, by code. */
  readonly #reasons = new Map<string, string>();

  constructor(parts: DaemonParts, { store, blobs, ledger }: Holdings) {
    const { masker, environment, log, configuration, clock = SYSTEM_CLOCK } = parts;
    const tools = { masker, environment, clock };
    this.#parts = parts;
    this.#store = store;
    this.#blobs = blobs;
    this.#ledger = ledger;
    this.#configuration = configuration;
    this.engine = new Engine({
      store,
      executors: {
        sql: createSqlExecutor(tools),
        process: createProcessExecutor({
          ...tools,
          blobs: { store: blobs, directory: copiesOf(configuration) },
        }),
        http: createHttpExecutor(tools),
        file: createFileExecutor(tools),
        permit: createPermitExecutor(tools),
      },
      facts: createFactSource({ clock, baseDirectory: dirname(configuration.file) }),
      calendars: createCalendars(),
      blobs,
      clock,
      randomness: SYSTEM_RANDOMNESS,
      // One process owns the store, so what this name left behind is nobody's any more.
      name: 'daemon',
      isolation: configuration.isolation,
      limits: configuration.limits,
      trouble: (code, message) => log.warn(code, message),
    });
    this.engine.watch.listenAll(() => ledger.grown(configuration.tenant));
  }

  /** Where requests are answered. */
  get url(): string {
    if (this.#listening === undefined) throw new Error('the daemon does not listen yet');
    return urlOf(this.#listening);
  }

  /** Answers a request that came over no socket; the same doors stand before it. */
  fetch(request: Request): Promise<Response> {
    if (this.#app === undefined) throw new Error('the daemon does not answer yet');
    return this.#app.fetch(request);
  }

  /** What is degraded now. */
  reasons(): readonly ReasonView[] {
    const own = [...this.#reasons].map(([code, message]) => ({ code, message }));
    return [...own, ...this.#ledger.reasons()];
  }

  /** Makes an epoch the active one: in the store first, then here. */
  async activate(loaded: LoadedEpoch): Promise<boolean> {
    const { tenant } = this.#configuration;
    const { policy, sources } = loaded;
    const before = this.#epoch;
    const epoch = await activateEpoch(this.engine.life, { tenant, policy, sources });
    this.engine.configure({ tenant, epoch, policy });
    this.#epoch = epoch;
    this.#ledger.grown(tenant);
    return before?.number !== epoch.number;
  }

  /** Takes the address. Requests that arrive before {@link open} wait for it. */
  async bind(operatorKeyHash: Digest): Promise<void> {
    const { configuration, mode, version, masker } = this.#parts;
    const app = createHttpApp({
      engine: this.engine,
      tenant: configuration.tenant,
      operatorKeyHash,
      masker,
      hostsAllowed: hostsOf(configuration.listen),
      layer: { version, mode, isolation: configuration.isolation },
      reasons: () => this.reasons(),
      reload: () => this.reload(),
      backup: (name) => this.#store.backup(name),
      blobs: this.#blobs,
      permits: this.#ledger.permits,
      ledger: this.#ledger.desk,
    });
    this.#app = app;
    this.#keepRetention();
    this.#keepBlobs();
    if (this.#parts.door === 'in_process') return;
    const fetch: HttpApp['fetch'] = async (request) => {
      await this.#opened.promise;
      return app.fetch(request);
    };
    this.#listening = await listen({ ...app, fetch }, configuration.listen);
  }

  /** Takes up what an earlier process left, and answers requests from here on. */
  async open(): Promise<void> {
    const { configuration, log } = this.#parts;
    const lost = await this.engine.start();
    for (const { id } of lost) {
      log.warn('outcome_unknown', 'a crash left this action without an outcome', { action: id });
    }
    this.#opened.resolve();
    if (this.#parts.door === 'in_process') return;
    writeDaemonFile(configuration.data, this.url);
  }

  /** Erases what is older than the configuration keeps, now and every hour. */
  #keepRetention(): void {
    const { configuration, log } = this.#parts;
    const { retention, tenant } = configuration;
    if (retention === undefined) return;
    const erase = (): void => {
      purge(this.engine.life, tenant, retention, false).then(
        ({ actions }) => {
          if (actions > 0)
            log.info('purged', `the content of ${String(actions)} actions is erased`);
        },
        // What is not erased now is erased in an hour.
        (error: unknown) => log.warn('purge_failed', error instanceof Error ? error.message : ''),
      );
    };
    this.#retaining = setInterval(erase, RETENTION_EVERY_MS).unref();
    erase();
  }

  /** Lets go of blobs that nobody uses any more, now and again and again. */
  #keepBlobs(): void {
    const { configuration, log } = this.#parts;
    const keepMs = configuration.blobs?.limits.keepMs ?? BLOB_LIMITS.keepMs;
    const expire = async (): Promise<void> => {
      try {
        await this.#blobs.expire(await blobsInUse(this.#store, configuration.tenant));
      } catch (error) {
        // What is not removed now is removed the next time; a store that is closed needs no word.
        if (this.#stopping === undefined)
          log.warn('blobs_not_expired', error instanceof Error ? error.message : '');
      }
    };
    const everyMs = Math.min(keepMs / 4, BLOBS_EVERY_MS_MAX);
    this.#expiring = setInterval(() => void expire(), everyMs).unref();
    void expire();
  }

  /** Reads configuration, policy and inventory again. One at a time: the last one asked for wins. */
  async reload(): Promise<Reloaded> {
    const reloading = this.#reloading.then(() => this.#reload());
    // Whoever asks next waits for this one, however it ends.
    this.#reloading = reloading.catch(() => undefined);
    return reloading;
  }

  async #reload(): Promise<Reloaded> {
    const { log } = this.#parts;
    const { readAgain } = this.#parts;
    const read = await (readAgain?.() ?? readConfiguration(this.#configuration.file));
    const problems = [...read.problems];
    let epoch: LoadedEpoch | undefined;
    if (read.configuration !== undefined) {
      const { mode } = this.#parts;
      const loaded = stated(await loadEpoch(read.configuration), mode, read.configuration);
      problems.push(...loaded.problems);
      epoch = loaded.epoch;
    }
    if (read.configuration === undefined || epoch === undefined) return this.#invalid(problems);
    this.#noteRestart(read.configuration);
    const changed = await this.activate(epoch);
    const { inventory, policies } = read.configuration;
    this.#configuration = { ...this.#configuration, inventory, policies };
    this.#reasons.delete('configuration_invalid');
    const view = this.#epochView();
    if (changed) log.info('epoch_active', `epoch ${String(view.number)} is active`);
    return { kind: 'active', changed, epoch: view };
  }

  #invalid(problems: readonly Problem[]): Reloaded {
    const told = problems
      .filter(({ severity }) => severity === 'error')
      .map((problem) => documentProblem(problem, this.#parts.directory));
    const { number } = this.#epochView();
    // Ready or not is told to anybody: files and what is in them are for the log and the operator.
    this.#reasons.set(
      'configuration_invalid',
      `the configuration on disk is not valid; epoch ${String(number)} stays active`,
    );
    for (const problem of told) this.#parts.log.error(problem.code, textOf(problem));
    this.#parts.log.error(
      'configuration_invalid',
      `the configuration on disk is not valid; epoch ${String(number)} stays active`,
    );
    return { kind: 'invalid', problems: told };
  }

  /** What cannot change while the layer runs is told, and takes a restart. */
  #noteRestart(read: ServerConfiguration): void {
    if (fixedPart(read) === fixedPart(this.#parts.asRead)) {
      this.#reasons.delete('restart_needed');
      return;
    }
    const message = 'the configuration on disk changes what only a restart can change';
    this.#reasons.set('restart_needed', message);
    this.#parts.log.warn('restart_needed', message);
  }

  #epochView(): EpochView {
    if (this.#epoch === undefined) throw new Error('no epoch was ever activated');
    const { number, digest, at } = this.#epoch;
    return { number, digest, at: formatInstant(at) };
  }

  /** Takes nothing new, lets what is under way settle, and closes everything. Safe to call twice. */
  async stop(graceMs: number = DRAIN_MS): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    // Draining begins at once: whoever proposes meanwhile is told that nothing was executed.
    clearInterval(this.#retaining);
    clearInterval(this.#expiring);
    await this.engine.stop(graceMs);
    // Everything is settled: what is still open waits for news that will not come, or is idle.
    this.#app?.stop();
    await this.#listening?.close(ANSWERS_MS);
    await this.#reloading;
    await this.#ledger.close();
    await this.#store.close();
    removeDaemonFile(this.#configuration.data);
  }
}

/** Outside development mode, an epoch in which a target says nothing about isolation is none. */
function stated(
  { epoch, problems }: EpochRead,
  mode: DaemonParts['mode'],
  { inventory }: ServerConfiguration,
): EpochRead {
  const found =
    mode === 'development' || epoch === undefined ? [] : isolationProblems(epoch, inventory);
  if (found.length === 0) return { epoch, problems };
  return { epoch: undefined, problems: [...problems, ...found] };
}

/** What a running layer cannot change. */
function fixedPart(configuration: ServerConfiguration): string {
  const { tenant, listen: at, data, limits, isolation, retention, blobs, ledger } = configuration;
  return JSON.stringify([tenant, at, data, limits, isolation, retention, blobs, ledger]);
}

function textOf({ file, line, column, message, hint }: DocumentProblem): string {
  const place = `${file}:${String(line)}:${String(column)}`;
  return `${place}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function hashOf(key: string): Digest {
  const digest = parseDigest(sha256Hex(key));
  if (digest === undefined) throw new Error('a SHA-256 has its form');
  return digest;
}

/** The address to print: passkeys work on `localhost` and not on `127.0.0.1`. */
function urlOf({ host, port }: Pick<Listening, 'host' | 'port'>): string {
  const here = ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host);
  const name = here ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${String(port)}`;
}

/** On loopback nothing but loopback's names; elsewhere the names that the configuration lists. */
function hostsOf({ host, hosts }: ServerConfiguration['listen']): HostsAllowed {
  if (hosts.includes('*')) return ANY_HOST;
  return [...LOOPBACK_HOSTS, host.toLowerCase(), ...hosts.map((name) => name.toLowerCase())];
}

function blobsOf({ data, blobs }: ServerConfiguration, clock: Clock): BlobStore | Refused {
  const directory = join(data, 'blobs');
  try {
    return openFileBlobs({ directory, clock, limits: blobs?.limits ?? {} });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return {
      kind: 'refused',
      code: 'blobs_unreadable',
      message: `the blobs in \`${directory}\` cannot be read (${code})`,
      hint: 'they and their directory belong to the user that the layer runs as',
    };
  }
}

/** Programs of other users must be able to pass through to their copies, which nobody may do in `data`. */
function copiesOf({ data, blobs }: ServerConfiguration): string {
  return blobs?.copies ?? join(tmpdir(), `exequatur-${sha256Hex(data).slice(0, 16)}`);
}
