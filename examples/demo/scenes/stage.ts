/**
 * The demonstration's stage: real things in a temporary folder. A payment service in a process of its
 * own, a deploy script with a staging and a production folder, and the layer itself as a daemon that
 * can be stopped, killed and started again. Nothing here is pretended, and all of it is gone afterwards.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Api } from './api.ts';
import { configurationOf } from './configuration.ts';

const BIN = fileURLToPath(new URL('../../../bin/exequatur.js', import.meta.url));
/** Compiled, the programs are compiled too. */
const SUFFIX = extname(import.meta.url);
const PAYMENTS = fileURLToPath(new URL(`../payments${SUFFIX}`, import.meta.url));
const DEPLOY = fileURLToPath(new URL(`../deploy${SUFFIX}`, import.meta.url));
const READY_MS_MAX = 20_000;
/** How far away "soon" is at least, and in terms of what opening the stage took on this machine. */
const SOON_MS_MIN = 1500;
const SOON_PER_OPENING = 0.75;

/** Keys of everyone who plays. */
export interface Cast {
  readonly agent: string;
  readonly releaseAgent: string;
  readonly mei: string;
  readonly tomas: string;
}

/** One payment service: where its records lie, which are the judge of what happened. */
export interface PaymentService {
  readonly port: number;
  readonly state: string;
  readonly child: ChildProcess;
}

/** Sets everything up, and takes it down again. */
export class Stage {
  readonly folder: string;
  readonly payments: PaymentService;
  readonly slowPayments: PaymentService;
  /** Time enough, on this machine, for what a scene does before its action may run. */
  soonMs: number = SOON_MS_MIN;
  #daemon: ChildProcess | undefined;
  #api: Api | undefined;
  #cast: Cast | undefined;
  #closed = false;

  private constructor(folder: string, services: readonly [PaymentService, PaymentService]) {
    this.folder = folder;
    [this.payments, this.slowPayments] = services;
  }

  static async open(): Promise<Stage> {
    const begunMs = performance.now();
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-demo-'));
    const tokens = { act: randomBytes(24).toString('hex'), look: randomBytes(24).toString('hex') };
    for (const [name, token] of Object.entries(tokens)) {
      writeFileSync(join(folder, `${name}.token`), token, { mode: 0o600 });
    }
    prepareSites(folder);
    prepareCustomers(folder);
    const services = await Promise.all([
      startPayments(join(folder, 'payments.jsonl'), tokens, 0),
      startPayments(join(folder, 'slow-payments.jsonl'), tokens, 20_000),
    ]);
    const stage = new Stage(folder, services);
    const files = configurationOf({
      folder,
      paymentsPort: stage.payments.port,
      slowPaymentsPort: stage.slowPayments.port,
      node: process.execPath,
      deploy: DEPLOY,
    });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    try {
      await stage.start();
      await stage.#enrol();
      const openingMs = performance.now() - begunMs;
      stage.soonMs = Math.max(SOON_MS_MIN, Math.ceil(openingMs * SOON_PER_OPENING));
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** The layer's API. */
  get api(): Api {
    if (this.#api === undefined) throw new Error('the layer is not running');
    return this.#api;
  }

  get cast(): Cast {
    if (this.#cast === undefined) throw new Error('nobody is enrolled yet');
    return this.#cast;
  }

  /** The store's file, for the scene that changes it behind the layer's back. */
  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  /** Starts the layer and waits until it is ready. */
  async start(): Promise<void> {
    if (this.#closed) throw new Error('the stage is closed');
    const configuration = join(this.folder, 'exequatur.yaml');
    const child = spawn(process.execPath, [BIN, 'serve', '--config', configuration], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#daemon = child;
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => (log = `${log}${chunk.toString()}`.slice(-4000)));
    const until = Date.now() + READY_MS_MAX;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the layer did not start:\n${log}`);
      if (Date.now() > until) throw new Error(`the layer is not ready:\n${log}`);
      const url = readUrl(join(this.dataFolder, 'daemon.json'), child.pid);
      if (url !== undefined && (await isReady(url))) {
        this.#api = new Api(url);
        return;
      }
      await pause(25);
    }
  }

  /** Ends the layer: `SIGTERM` lets it finish, `SIGKILL` does not. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#daemon;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
    this.#daemon = undefined;
    this.#api = undefined;
  }

  /** The amounts, in cents, that the payment service refunded for a charge. */
  refundsOf(charge: string, service: PaymentService = this.payments): number[] {
    return linesOf(service.state).flatMap((line) =>
      line['type'] === 'refund' && line['charge'] === charge ? [Number(line['amount'])] : [],
    );
  }

  /** Runs a statement in the customer database, as somebody else would. */
  changeCustomers(statement: string): void {
    const database = new DatabaseSync(join(this.folder, 'customers.db'), { timeout: 5000 });
    database.exec(statement);
    database.close();
  }

  /** The ids that the customer database has. */
  customers(): number[] {
    const database = new DatabaseSync(join(this.folder, 'customers.db'), {
      readOnly: true,
      timeout: 5000,
    });
    const rows = database.prepare('SELECT id FROM customers ORDER BY id').all();
    database.close();
    return rows.map((row) => Number(row['id']));
  }

  /** What was deployed into a folder, by its own record. */
  deploymentsIn(site: 'staging' | 'production'): string[] {
    return linesOf(join(this.folder, site, 'deployments.jsonl')).map((line) =>
      String(line['version']),
    );
  }

  /** Ends every process and removes the folder. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.stop('SIGTERM');
    for (const { child } of [this.payments, this.slowPayments]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #enrol(): Promise<void> {
    const operator = readFileSync(join(this.dataFolder, 'operator.key'), 'utf8').trim();
    const enrol = async (path: string, body: unknown): Promise<string> => {
      const { status, body: answer } = await this.api.post(path, operator, body);
      if (status !== 201) throw new Error(`not enrolled: ${JSON.stringify(answer)}`);
      return String(answer['key']);
    };
    await enrol('/v1/people', { name: 'dana' });
    const mei = await enrol('/v1/people', { name: 'mei', roles: ['payments-lead'] });
    const tomas = await enrol('/v1/people', { name: 'tomas', roles: ['executive'] });
    const support = { name: 'support-bot', roles: ['support-agent'], owners: ['dana'] };
    const release = { name: 'release-bot', roles: ['release-agent'], owners: ['dana'] };
    this.#cast = {
      mei,
      tomas,
      agent: await enrol('/v1/agents', support),
      releaseAgent: await enrol('/v1/agents', release),
    };
  }

  /** Replaces the roles of an agent, as the operator. */
  async setRoles(agent: string, roles: readonly string[]): Promise<void> {
    const operator = readFileSync(join(this.dataFolder, 'operator.key'), 'utf8').trim();
    const { status, body } = await this.api.post(`/v1/agents/${agent}/roles`, operator, { roles });
    if (status !== 200) throw new Error(`roles not changed: ${JSON.stringify(body)}`);
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Two folders that say which system they are, a name that leads to one of them, and a release. */
function prepareSites(folder: string): void {
  for (const environment of ['staging', 'production']) {
    const site = join(folder, environment);
    mkdirSync(site);
    const system = { id: `site-${environment}`, environment };
    writeFileSync(join(site, 'system.json'), JSON.stringify(system));
  }
  symlinkSync(join(folder, 'staging'), join(folder, 'current'));
  mkdirSync(join(folder, 'releases'));
  writeFileSync(join(folder, 'releases', '2.4.0.txt'), 'release 2.4.0\n');
}

/** A database of customers, three of whom closed their account. */
function prepareCustomers(folder: string): void {
  const database = new DatabaseSync(join(folder, 'customers.db'));
  database.exec(`CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, closed_at TEXT);
    INSERT INTO customers VALUES (11, 'Ann', NULL), (12, 'Bob', '2024-02-01'),
      (13, 'Cid', '2025-03-01'), (14, 'Dee', '2025-06-30'), (15, 'Eve', NULL)`);
  database.close();
}

async function startPayments(
  state: string,
  tokens: { readonly act: string; readonly look: string },
  answerAfterMs: number,
): Promise<PaymentService> {
  const child = spawn(
    process.execPath,
    [PAYMENTS, '--state', state, '--answer-after-ms', String(answerAfterMs)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PAYMENTS_TOKEN: tokens.act, PAYMENTS_LOOK_TOKEN: tokens.look },
    },
  );
  const line = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the payment service ended: ${String(code)}`)));
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
  });
  const { port }: { readonly port: number } = JSON.parse(line);
  return { port, state, child };
}

function readUrl(file: string, pid: number | undefined): string | undefined {
  try {
    const daemon: { readonly url: string; readonly pid: number } = JSON.parse(
      readFileSync(file, 'utf8'),
    );
    return daemon.pid === pid ? daemon.url : undefined;
  } catch {
    // Not written yet: the caller asks again until its own limit.
    return undefined;
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    // Not listening yet: the caller asks again until its own limit.
    return false;
  }
}

function linesOf(file: string): Readonly<Record<string, unknown>>[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Nothing was ever recorded there.
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
}
