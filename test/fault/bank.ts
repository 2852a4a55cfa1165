/** The driver's hold on the bank: what arrived there, in the bank's own words. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from './machine.ts';

/** One effect as it arrived. */
export interface Arrival {
  readonly operation: string;
  readonly to: string;
  readonly amount: string;
  readonly execution: string;
  readonly machineMs: number;
  readonly wallMs: number;
}

const PROGRAM = fileURLToPath(new URL('bank-program.ts', import.meta.url));
const ARRIVALS_WAIT_MS = 5000;

/** A running bank. */
export class Bank {
  readonly port: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #arrivals: Arrival[];
  #forgotten = 0;

  private constructor(
    port: number,
    child: ChildProcessByStdio<Writable, Readable, null>,
    arrivals: Arrival[],
  ) {
    this.port = port;
    this.#child = child;
    this.#arrivals = arrivals;
  }

  /** Starts one. */
  static async start(): Promise<Bank> {
    const child = spawn(process.execPath, [PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: childEnvironment(),
    });
    const arrivals: Arrival[] = [];
    const port = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', () => reject(new Error('the bank ended')));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const told: { readonly port: number } | Arrival = JSON.parse(line);
        if ('port' in told) resolve(told.port);
        else arrivals.push(told);
      });
    });
    return new Bank(port, child, arrivals);
  }

  /** Everything that arrived until now. */
  async arrivals(): Promise<readonly Arrival[]> {
    const response = await fetch(`http://127.0.0.1:${String(this.port)}/count`);
    const count = Number(await response.text());
    const untilMs = performance.now() + ARRIVALS_WAIT_MS;
    while (this.#arrivals.length + this.#forgotten < count) {
      if (performance.now() > untilMs) throw new Error('the bank does not say what arrived');
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    return [...this.#arrivals];
  }

  /** What was told until now, without asking. */
  get told(): readonly Arrival[] {
    return this.#arrivals;
  }

  /** Starts a new list: for another store, which knows nothing of what came before. */
  async forget(): Promise<void> {
    const { length } = await this.arrivals();
    this.#arrivals.splice(0, length);
    this.#forgotten += length;
  }

  /** Ends it. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => {
      this.#child.once('exit', resolve);
    });
    this.#child.stdin.end();
    await ended;
  }
}
