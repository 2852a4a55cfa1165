/** The driver's hold on a layer in a process of its own: commands in, answers out, signals. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from './machine.ts';
import type { Payment, ShopParts } from './shop.ts';

/** What a layer is told to do; `n` names the command in its answers. */
export type Command =
  | { readonly do: 'propose'; readonly n: number; readonly key: string; readonly payment: Payment }
  | { readonly do: 'approve'; readonly n: number; readonly id: string; readonly person: string }
  | { readonly do: 'halt'; readonly n: number; readonly operation: string }
  | { readonly do: 'resume'; readonly n: number; readonly id: string };

/** What it says. */
export type Said =
  | { readonly said: 'ready'; readonly lost: number }
  | { readonly said: 'not_opened'; readonly code: string; readonly message: string }
  | { readonly said: 'closed' }
  | { readonly said: 'answered'; readonly n: number; readonly id: string; readonly state: string }
  | { readonly said: 'refused'; readonly n: number; readonly code: string }
  | {
      readonly said: 'halted';
      readonly n: number;
      readonly id: string;
      readonly sent: readonly string[];
    }
  | { readonly said: 'resumed'; readonly n: number };

/** With when it was said, on both clocks. */
export type Heard = Said & { readonly machineMs: number; readonly wallMs: number };

/** What may be put before the program: a tracer with its arguments. */
export type Wrapper = readonly [program: string, ...args: string[]];

/** How a process ended. `late`: it had to be ended because its time was over. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly late: boolean;
}

const PROGRAM = fileURLToPath(new URL('layer-program.ts', import.meta.url));
/** No layer of a driver lives longer than this. */
const LIFE_MS = 60_000;

/** A running layer. */
export class Layer {
  readonly ended: Promise<Ended>;
  readonly heard: Heard[] = [];
  /** What it complained of on standard error. */
  complaint = '';
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #opened = Promise.withResolvers<'ready' | 'not_opened' | 'ended'>();
  #listeners: ((heard: Heard) => void)[] = [];
  #late = false;

  constructor(parts: ShopParts, wrapper?: Wrapper) {
    const [program, ...before] = wrapper ?? [process.execPath];
    const node = wrapper === undefined ? [] : [process.execPath];
    this.#child = spawn(program, [...before, ...node, PROGRAM, JSON.stringify(parts)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: childEnvironment(),
    });
    const timer = setTimeout(() => {
      this.#late = true;
      this.#child.kill('SIGCONT');
      this.#child.kill('SIGKILL');
    }, LIFE_MS);
    // A command to a layer that is gone is lost, as it would be on a socket.
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.on('data', (chunk: Buffer) => {
      if (this.complaint.length < 10_000) this.complaint += chunk.toString();
    });
    const lines = createInterface({ input: this.#child.stdout });
    lines.on('line', (line) => this.#hear(line));
    // What was written before the end is read to its end.
    const read = new Promise((resolve) => {
      lines.once('close', resolve);
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => {
        clearTimeout(timer);
        void read.then(() => {
          this.#opened.resolve('ended');
          resolve({ code, signal, late: this.#late });
        });
      });
    });
  }

  /** Resolves when it is ready, or said that it is not, or ended. */
  get opened(): Promise<'ready' | 'not_opened' | 'ended'> {
    return this.#opened.promise;
  }

  /** The process; with a wrapper, the wrapper's. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(command: Command): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  listen(listener: (heard: Heard) => void): void {
    this.#listeners.push(listener);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGKILL; resolves when it is gone and everything it said is read. */
  kill(): Promise<Ended> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }

  /** Asks it to end in order. */
  close(): Promise<Ended> {
    this.#child.stdin.end();
    return this.ended;
  }

  #hear(line: string): void {
    let heard: Heard;
    try {
      heard = JSON.parse(line);
    } catch {
      // A line cut off by a kill was never an answer.
      return;
    }
    this.heard.push(heard);
    if (heard.said === 'ready' || heard.said === 'not_opened') this.#opened.resolve(heard.said);
    for (const listener of this.#listeners) listener(heard);
  }
}
