/**
 * One program, run to its end: no shell, no input, only the environment it was given, in a process
 * group of its own that is gone before the result is given.
 */
import { spawn, type ChildProcess } from 'node:child_process';

import type { Clock } from '../../engine/ports.ts';
import type { Masker } from '../mask.ts';
import { NOT_CONFINED, type Confinement } from './confinement.ts';
import { endGroup, groupGoneWithin, groupMemoryBytes } from './group.ts';

/** What a program leaves behind in its group has this long to finish by itself. */
const LINGER_MS = 1000;
const MEMORY_SAMPLE_MS = 100;
/** Somebody outside the group may hold the pipes open; the output that counts has come by then. */
const DRAIN_MS_MAX = 250;
const EXIT_MS_MAX = 5000;

/** What to run, and within which limits. */
export interface Program {
  /** The first word is an absolute path. */
  readonly argv: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Of both outputs together. */
  readonly outputBytesMax: number;
  readonly memoryBytesMax?: number;
  /** Whose rights it has, and in what it is wrapped; the layer's own and nothing if absent. */
  readonly confinement?: Confinement;
}

/** Where a program runs. */
export interface ProgramContext {
  readonly clock: Clock;
  readonly masker: Masker;
  readonly signal: AbortSignal;
  /** The last question before the start; `false` starts nothing. */
  readonly starting: () => boolean;
}

/** Why the layer itself ended a program. */
type ProgramLimit = 'timeout' | 'cancelled' | 'output_limit' | 'memory_limit';

/** How a program ended, or why it did not start. Outputs are masked. */
export type ProgramEnd =
  | {
      readonly kind: 'not_started';
      readonly code: 'not_sent' | 'cancelled' | 'start_failed';
      readonly message: string;
    }
  | {
      readonly kind: 'ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly endedBy: ProgramLimit | undefined;
      /** The program ended and left others running in its group; they were ended. */
      readonly leftBehind: boolean;
      /** `false`: something of the group runs on, and nothing is known of how it will end. */
      readonly gone: boolean;
      readonly stdout: Buffer;
      readonly stderr: Buffer;
    };

/** Runs a program to its end. Never throws for what the program does. */
export async function runProgram(program: Program, context: ProgramContext): Promise<ProgramEnd> {
  if (context.signal.aborted) {
    return { kind: 'not_started', code: 'cancelled', message: 'cancelled before the start' };
  }
  if (!context.starting()) {
    return { kind: 'not_started', code: 'not_sent', message: 'stopped before the start' };
  }
  const started = await start(program);
  if (!('child' in started)) return started;
  return await follow(program, context, started);
}

interface Started {
  readonly child: ChildProcess;
  readonly group: number;
}

type NotStarted = Extract<ProgramEnd, { readonly kind: 'not_started' }>;

/** INVARIANT: nothing is awaited before the spawn, so that the answer of `starting` still holds. */
function start(program: Program): Promise<Started | NotStarted> {
  const { user, wrapper } = program.confinement ?? NOT_CONFINED;
  const [file = '', ...words] = [...wrapper, ...program.argv];
  try {
    const child = spawn(file, words, {
      cwd: program.directory,
      // Node adds NODE_V8_COVERAGE to every child unless it is named here.
      env: { NODE_V8_COVERAGE: undefined, ...program.environment },
      detached: true,
      shell: false,
      // The fourth is where a sandbox reports what became of the program in it.
      stdio: ['ignore', 'pipe', 'pipe', ...(wrapper.length > 0 ? (['pipe'] as const) : [])],
      // With a user set, Node drops the supplementary groups too.
      ...user,
    });
    const group = child.pid;
    if (group !== undefined) return Promise.resolve({ child, group });
    // Without a process id the program was never executed, and the reason comes as an event.
    return new Promise((resolve) => {
      child.once('error', (error) => {
        resolve(notStarted(error));
      });
    });
  } catch (error) {
    return Promise.resolve(notStarted(error));
  }
}

function notStarted(error: unknown): NotStarted {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return {
    kind: 'not_started',
    code: 'start_failed',
    message: `the program cannot be started: ${reason}`,
  };
}

async function follow(
  program: Program,
  { clock, masker, signal }: ProgramContext,
  { child, group }: Started,
): Promise<ProgramEnd> {
  const over = new AbortController();
  const report = sandboxReport(child, program);
  const output = collectOutput(child, program.outputBytesMax, masker);
  const exited = new Promise<Pick<ExitEvent, 'exitCode' | 'signal'>>((resolve) => {
    child.once('exit', (exitCode, exitSignal) => {
      resolve({ exitCode, signal: exitSignal });
    });
  });
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  // A signal that cannot be delivered is reported here; whether the group is gone is asked of it.
  child.on('error', () => undefined);

  const endedBy = await Promise.race([
    exited.then(() => undefined),
    output.exceeded,
    clock.sleep(program.timeoutMs, over.signal).then(() => 'timeout' as const),
    aborted(signal, over.signal),
    ...(program.memoryBytesMax === undefined
      ? []
      : [memoryExceeded(group, program.memoryBytesMax, clock, over.signal)]),
  ]);
  over.abort();

  const leftBehind = endedBy === undefined && !(await groupGoneWithin(group, LINGER_MS, clock));
  const gone = endedBy === undefined && !leftBehind ? true : await endGroup(group, clock);
  const exit = (await within(exited, EXIT_MS_MAX, clock)) ?? NO_EXIT;
  await within(closed, DRAIN_MS_MAX, clock);
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
  if (endedBy === undefined && gone && !report.ran()) {
    const message = 'the sandbox could not be set up, and the program was not started in it';
    return { kind: 'not_started', code: 'start_failed', message };
  }
  return {
    kind: 'ended',
    ...exit,
    endedBy,
    leftBehind,
    gone,
    ...output.end(endedBy === undefined),
  };
}

type ExitEvent = Extract<ProgramEnd, { readonly kind: 'ended' }>;

const NO_EXIT = { exitCode: null, signal: null };

/** What comes within `ms`, or `undefined`. */
async function within<Value>(
  awaited: Promise<Value>,
  ms: number,
  clock: Clock,
): Promise<Value | undefined> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(() => undefined);
  const first = await Promise.race([awaited, late]);
  over.abort();
  return first;
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<'cancelled'> {
  if (signal.aborted) return Promise.resolve('cancelled');
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve('cancelled');
      },
      { once: true, signal: over },
    );
  });
}

async function memoryExceeded(
  group: number,
  bytesMax: number,
  clock: Clock,
  over: AbortSignal,
): Promise<'memory_limit' | undefined> {
  while (!over.aborted) {
    if ((await groupMemoryBytes(group)) > bytesMax) return 'memory_limit';
    await clock.sleep(MEMORY_SAMPLE_MS, over);
  }
  return undefined;
}

/** How much a sandbox may report, in characters; what it says is a few hundred. */
const REPORT_LENGTH_MAX = 4096;

/**
 * Whether the program ran. A sandbox that cannot be set up ends with a code of its own, which must not
 * be taken for the program's: `bwrap` reports an exit code only once the program was executed.
 */
function sandboxReport(child: ChildProcess, program: Program): { readonly ran: () => boolean } {
  const isWrapped = (program.confinement ?? NOT_CONFINED).wrapper.length > 0;
  const stream = child.stdio[3];
  let text = '';
  if (isWrapped && stream !== null && stream !== undefined) {
    stream.on('data', (chunk: Buffer) => {
      if (text.length < REPORT_LENGTH_MAX) text += chunk.toString('latin1');
    });
    stream.on('error', () => undefined);
  }
  return { ran: () => !isWrapped || text.includes('"exit-code"') };
}

interface Output {
  readonly exceeded: Promise<'output_limit'>;
  readonly end: (whole: boolean) => { readonly stdout: Buffer; readonly stderr: Buffer };
}

/** Masks both outputs as they come; beyond the limit they are read on and thrown away. */
function collectOutput(child: ChildProcess, bytesMax: number, masker: Masker): Output {
  let left = bytesMax;
  const { promise: exceeded, resolve: exceed } = Promise.withResolvers<'output_limit'>();
  const collect = (stream: NodeJS.ReadableStream | null): ((whole: boolean) => Buffer) => {
    const masking = masker.stream();
    const parts: Buffer[] = [];
    stream?.on('data', (chunk: Buffer) => {
      const kept = chunk.subarray(0, left);
      left -= kept.length;
      if (kept.length > 0) parts.push(masking.push(kept));
      if (kept.length < chunk.length) exceed('output_limit');
    });
    // What was read until a pipe broke is all that there is to show.
    stream?.on('error', () => undefined);
    // Where the program was cut off, its last bytes may be half a secret.
    return (whole) => Buffer.concat(whole ? [...parts, masking.end()] : parts);
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  return { exceeded, end: (whole) => ({ stdout: stdout(whole), stderr: stderr(whole) }) };
}
