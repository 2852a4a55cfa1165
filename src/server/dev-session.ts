/**
 * A session of development mode: the daemon, what is printed, the keys that are pressed, and the files
 * that are watched. On a terminal it says what to paste; otherwise it serves, and prints no key of
 * anybody.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, watch, type FSWatcher } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DevOptions, Ended } from '../cli/server-door.ts';
import { painterFor, type Paint } from '../cli/terminal.ts';
import { createMasker } from '../executors/mask.ts';
import { readConfiguration, type ServerConfiguration } from './configuration.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { DEMO_AGENT, enrolDevAccounts } from './dev-accounts.ts';
import { feed } from './dev-feed.ts';
import { demoProgram, type DevTargets } from './dev-targets.ts';
import { createLog, type Log } from './log.ts';
import { documentProblem, nearPath } from './problems.ts';
import { packageVersion } from './serve.ts';

const PORT_DEFAULT = 7373;
/** Editors write a file in several steps; what they leave is read once they are done. */
const SETTLE_MS = 150;
const DRAIN_MS = 5000;

/** Runs until `q`, Ctrl-C or a signal. */
export async function runDevSession(
  options: DevOptions,
  { data, targets }: { readonly data: string; readonly targets: DevTargets },
): Promise<Ended> {
  const { terminal, json } = options;
  const people = terminal.stdout.isTTY === true && !json;
  const masker = createMasker();
  const write = (line: string): void => void terminal.stderr.write(line);
  const log = createLog({ masker, write, people });
  const read = await readConfiguration(targets.configuration);
  if (read.configuration === undefined) {
    const problems = read.problems.map((each) => documentProblem(each, terminal.directory));
    return { kind: 'problems', problems };
  }
  const started = await startDaemon({
    configuration: devConfiguration(read.configuration, data, options.port ?? PORT_DEFAULT),
    asRead: read.configuration,
    mode: 'development',
    version: packageVersion(),
    log,
    masker,
    environment: terminal.env,
    directory: terminal.directory,
  });
  if (started.kind !== 'started') return started;
  const { daemon } = started;
  const agentKey = await enrolDevAccounts(daemon.engine.life, read.configuration.tenant, data);
  const startMs = Math.round(process.uptime() * 1000);
  const session = new Session(options, { daemon, data, targets, log });
  const ended = session.untilEnded();
  options.ready({ url: daemon.url, pid: process.pid, data, startMs });
  if (!json) {
    for (const line of session.introduction(startMs, people ? agentKey : undefined)) {
      session.print(line);
    }
    await feed(daemon.engine, read.configuration.tenant, {
      paint: session.paint,
      print: (line) => session.print(line),
    });
  }
  await ended;
  return { kind: 'stopped' };
}

/** Whatever the file says: on loopback, in this directory. */
function devConfiguration(
  read: ServerConfiguration,
  data: string,
  port: number,
): ServerConfiguration {
  return { ...read, data, listen: { host: '127.0.0.1', port, hosts: [] }, isolation: 'none' };
}

interface SessionParts {
  readonly daemon: Daemon;
  readonly data: string;
  readonly targets: DevTargets;
  readonly log: Log;
}

/** What a person at the terminal sees and presses. */
class Session {
  readonly paint: Paint;
  readonly #options: DevOptions;
  readonly #parts: SessionParts;
  readonly #watchers: FSWatcher[] = [];
  #demonstration: ChildProcess | undefined;
  #settling: NodeJS.Timeout | undefined;
  #ending = false;

  constructor(options: DevOptions, parts: SessionParts) {
    this.#options = options;
    this.#parts = parts;
    this.paint = painterFor(options.terminal.stdout, options.terminal.env);
  }

  print(line: string): void {
    this.#options.terminal.stdout.write(`${line}\n`);
  }

  /** A few lines: what this is, where it keeps what, and what to do now. */
  introduction(startMs: number, agentKey: string | undefined): readonly string[] {
    const { daemon, data, targets } = this.#parts;
    const { terminal, ephemeral } = this.#options;
    const near = (path: string): string => nearPath(path, terminal.directory);
    const strong = (text: string): string => this.paint('strong', text);
    const lines = [
      `${strong('exequatur, development mode')}: on loopback, for demonstration targets only; isolation: none`,
      `data      ${near(data)} (${ephemeral ? 'removed at the end' : 'kept'}); policy and inventory in ${near(targets.directory)}, read again when changed`,
      `address   ${strong(daemon.url)} (ready in ${String(startMs)} ms)`,
    ];
    if (agentKey === undefined) return lines;
    return [
      ...lines,
      '',
      'try a refund of 12.00, which is admitted; 45.00 is held until mei or tomas approves:',
      `  curl -s ${daemon.url}/v1/actions -H 'Authorization: Bearer ${agentKey}' \\`,
      '    -H \'Content-Type: application/json\' -H "Idempotency-Key: try-$(date +%s)" \\',
      `    -d '{"target":"shop-payments","operation":"refund","args":{"charge":"ch_3P","amount":"12.00"}}'`,
      `or: ${this.#command()} propose shop-payments refund --arg charge=ch_3P --arg amount=45.00 --as ${DEMO_AGENT}`,
      `    ${this.#command()} approve ID --as mei`,
      '',
      `${strong('d')} plays the demonstration · ${strong('q')} quits`,
    ];
  }

  /** The command as it can be typed here: from a checkout there is no `exequatur` on the path. */
  #command(): string {
    const { terminal } = this.#options;
    const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/u, '');
    return terminal.env['npm_lifecycle_event'] === 'start' || terminal.directory === checkout
      ? 'npx exequatur'
      : 'exequatur';
  }

  /** Resolves once everything has ended. A second request to end cuts off what is under way. */
  async untilEnded(): Promise<void> {
    this.#watch();
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        if (this.#ending) process.exit(1);
        this.#ending = true;
        this.#end().then(resolve, reject);
      };
      process.on('SIGTERM', end);
      process.on('SIGINT', end);
      process.on('SIGHUP', end);
      this.#listen(end);
    });
  }

  async #end(): Promise<void> {
    const { stdin } = process;
    if (stdin.isTTY) {
      stdin.setRawMode(false);
      stdin.pause();
    }
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
    // Both take down what they started themselves.
    await Promise.all([this.#endDemonstration(), this.#parts.daemon.stop(DRAIN_MS)]);
  }

  async #endDemonstration(): Promise<void> {
    const child = this.#demonstration;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), DRAIN_MS);
    await ended;
    clearTimeout(timer);
  }

  // ---------------------------------------------------------------- keys

  #listen(end: () => void): void {
    const { stdin } = process;
    if (!stdin.isTTY || this.#options.json) return;
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    stdin.on('data', (keys: string) => {
      for (const key of keys) {
        // In raw mode Ctrl-C is a character and no signal.
        if (key === 'q' || key === '\u0003') end();
        else if (key === 'd') this.#play();
      }
    });
    stdin.resume();
  }

  #play(): void {
    if (this.#demonstration !== undefined) return;
    const script = demoProgram('main');
    if (!existsSync(script)) {
      this.print('the demonstration is not there');
      return;
    }
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit'] });
    this.#demonstration = child;
    child.once('error', () => this.print('the demonstration could not be started'));
    child.once('close', () => {
      this.#demonstration = undefined;
      if (!this.#ending) this.print(`${this.paint('strong', 'd')} plays it again · q quits`);
    });
  }

  // ---------------------------------------------------------------- files

  #watch(): void {
    const { directory } = this.#parts.targets;
    const watcher = watch(directory, (_, name) => {
      if (name === null || !/\.ya?ml$/u.test(name)) return;
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.#reload(), SETTLE_MS);
    });
    // Without watching, `exequatur reload` does the same.
    watcher.on('error', (error) => this.#parts.log.warn('watch_failed', error.message));
    this.#watchers.push(watcher);
  }

  #reload(): void {
    this.#parts.daemon.reload().catch((error: unknown) => {
      const message = error instanceof Error ? error.message : 'the reload failed';
      this.#parts.log.error('reload_failed', message);
    });
  }
}
