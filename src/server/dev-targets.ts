/**
 * The targets of development mode: a payment service in a process of its own, and folders to deploy
 * to. What they keep lies in the data directory; configuration, inventory and policy lie there too, and
 * are only written anew where nobody has changed them.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Refused } from '../cli/server-door.ts';
import { makePrivateDirectory, readIfThere, writePrivately } from './private-files.ts';

/** A checkout runs the demonstration's source; the published package has it compiled beside the layer. */
const COMPILED = import.meta.url.endsWith('.js');
const DEMO_DIRECTORY = fileURLToPath(
  new URL(COMPILED ? '../demo' : '../../examples/demo', import.meta.url),
);

/** The path of one of the demonstration's programs. */
export function demoProgram(name: 'main' | 'payments' | 'deploy'): string {
  return join(DEMO_DIRECTORY, `${name}.${COMPILED ? 'js' : 'ts'}`);
}

/** Targets that run. */
export interface DevTargets {
  readonly kind: 'targets';
  /** The configuration file to start with. */
  readonly configuration: string;
  /** Configuration, inventory and policy, for whoever watches them. */
  readonly directory: string;
  stop(): void;
}

const START_MS_MAX = 10_000;
const FILES = ['exequatur.yaml', 'inventory.yaml', 'policy.yaml'] as const;

/** Starts the payment service, fills folders, and writes what is not there or not changed by hand. */
export async function startDevTargets(data: string): Promise<DevTargets | Refused> {
  if (!existsSync(demoProgram('payments'))) {
    return {
      kind: 'refused',
      code: 'demonstration_missing',
      message: `the demonstration targets are not in \`${DEMO_DIRECTORY}\``,
      hint: 'install the package again, or write a configuration and use `exequatur serve`',
    };
  }
  const directory = join(data, 'demo');
  makePrivateDirectory(directory);
  const payments = await startPayments(directory);
  if (payments === undefined) {
    return {
      kind: 'refused',
      code: 'demonstration_failed',
      message: 'the payment service of the demonstration did not start',
      hint: `look at \`${join(directory, 'payments.jsonl')}\`, or start with another \`--data\``,
    };
  }
  writeSite(directory);
  writeTemplates(directory, payments.url);
  return {
    kind: 'targets',
    configuration: join(directory, 'exequatur.yaml'),
    directory,
    stop: () => payments.child.kill('SIGTERM'),
  };
}

// ---------------------------------------------------------------- the payment service

interface Payments {
  readonly url: string;
  readonly child: ChildProcess;
}

/** At the port it had before, if that is free: then the target is the same one as before. */
async function startPayments(directory: string): Promise<Payments | undefined> {
  const before = Number(readIfThere(join(directory, 'payments.port')) ?? '0');
  const again = before > 0 ? await spawnPayments(directory, before) : undefined;
  const started = again ?? (await spawnPayments(directory, 0));
  if (started === undefined) return undefined;
  writePrivately(join(directory, 'payments.port'), `${new URL(started.url).port}\n`);
  return started;
}

async function spawnPayments(directory: string, port: number): Promise<Payments | undefined> {
  const state = join(directory, 'payments.jsonl');
  const words = ['--state', state, '--port', String(port), '--mode', 'test'];
  const child = spawn(process.execPath, [demoProgram('payments'), ...words], {
    env: {
      PAYMENTS_TOKEN: tokenOf(directory, 'act'),
      PAYMENTS_LOOK_TOKEN: tokenOf(directory, 'look'),
    },
    // It ends with its standard input, so it never outlives this process.
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const line = await firstLine(child);
  const listening = line === undefined ? undefined : portOf(line);
  if (listening !== undefined) {
    return { url: `http://127.0.0.1:${String(listening)}`, child };
  }
  child.kill('SIGKILL');
  return undefined;
}

function tokenOf(directory: string, use: 'act' | 'look'): string {
  const path = join(directory, `payments-${use}.token`);
  const there = readIfThere(path)?.trim();
  if (there !== undefined && there !== '') return there;
  const token = `pay_${use}_${randomBytes(24).toString('base64url')}`;
  writePrivately(path, `${token}\n`);
  return token;
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => resolve(undefined), START_MS_MAX);
    const end = (line: string | undefined): void => {
      clearTimeout(timer);
      resolve(line);
    };
    child.once('error', () => end(undefined));
    child.once('exit', () => end(undefined));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const newline = text.indexOf('\n');
      if (newline >= 0) end(text.slice(0, newline));
    });
  });
}

function portOf(line: string): number | undefined {
  try {
    const read: { readonly port?: unknown } = JSON.parse(line);
    return typeof read.port === 'number' ? read.port : undefined;
  } catch {
    // Whatever it said, it is not the port.
    return undefined;
  }
}

// ---------------------------------------------------------------- files

function writeSite(directory: string): void {
  for (const environment of ['staging', 'production']) {
    const system = join(directory, 'site', environment, 'system.json');
    if (existsSync(system)) continue;
    writePrivately(system, `${JSON.stringify({ system: `shop-${environment}`, environment })}\n`);
  }
  for (const version of ['v1', 'v2']) {
    const release = join(directory, 'site', 'releases', `${version}.txt`);
    if (!existsSync(release)) writePrivately(release, `the shop, ${version}\n`);
  }
}

/** A file that is as it was written is written anew; one that was changed by hand only learns the new port. */
function writeTemplates(directory: string, paymentsUrl: string): void {
  const note = join(directory, 'written.json');
  const written = readWritten(note);
  const values = { directory, paymentsUrl, deploy: demoProgram('deploy'), node: process.execPath };
  for (const name of FILES) {
    const path = join(directory, name);
    const there = readIfThere(path);
    const fresh = fill(readFileSync(join(DEMO_DIRECTORY, name), 'utf8'), values);
    if (there === undefined || digestOf(there) === written[name]) {
      if (there !== fresh) writePrivately(path, fresh);
      written[name] = digestOf(fresh);
    } else if (written['paymentsUrl'] !== undefined && written['paymentsUrl'] !== paymentsUrl) {
      writePrivately(path, there.replaceAll(written['paymentsUrl'], paymentsUrl));
    }
  }
  writePrivately(note, `${JSON.stringify({ ...written, paymentsUrl })}\n`);
}

/** Placeholders stand within single quotes, where a quote is written twice. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/gu, (whole, name: string) =>
    (values[name] ?? whole).replaceAll("'", "''"),
  );
}

function readWritten(note: string): Record<string, string> {
  try {
    const read: Record<string, string> = JSON.parse(readIfThere(note) ?? '{}');
    return read;
  } catch {
    // Without the note every file counts as changed by hand, and is kept.
    return {};
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
