/** `strace` as the tool that makes one syscall fail, or the last one of a process. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASE_FILE, OWNER_FILE } from '../../src/stores/sqlite/files.ts';

/** One syscall of a traced process: by name, and the how-many-eth of that name. */
export interface SyscallPoint {
  readonly name: string;
  readonly nth: number;
}

/** A traced call as it stands in a log. */
export interface TracedCall {
  readonly name: string;
  readonly injected: boolean;
  /** Wall time in milliseconds. */
  readonly wallMs: number;
  /** The file of its descriptor, where it has one. */
  readonly path: string | undefined;
}

/** Why no syscall can be made to fail here, if so. */
export function straceMissing(): string | undefined {
  const tried = spawnSync('strace', ['-o', '/dev/null', '-e', 'trace=none', 'true']);
  if (tried.error !== undefined) return 'strace is not installed';
  return tried.status === 0 ? undefined : 'strace may not trace here';
}

/** Every file that a store writes, as arguments that bound a trace to them. */
export function storePaths(directory: string): readonly string[] {
  const database = join(directory, DATABASE_FILE);
  const draft = `${database}.new`;
  const files = [database, `${database}-wal`, `${database}-journal`, draft, `${draft}-journal`];
  return [directory, ...files, join(directory, OWNER_FILE)].flatMap((path) => ['-P', path]);
}

/** Attaches to the main thread of a process; resolves once it is traced. `ended` resolves when it is over. */
export async function attach(
  pid: number,
  args: readonly string[],
): Promise<{ readonly ended: Promise<void> }> {
  const tracer = spawn('strace', ['-p', String(pid), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => {
    tracer.once('exit', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    tracer.once('error', reject);
    tracer.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('attached')) resolve();
    });
    void ended.then(resolve);
  });
  return { ended };
}

/** The calls of a log that was written with `-ttt -y`. */
export function callsIn(log: string): readonly TracedCall[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const found = LINE.exec(line);
      const { seconds, name, path } = found?.groups ?? {};
      if (seconds === undefined || name === undefined) return [];
      const injected = line.endsWith('(INJECTED)');
      return [{ name, injected, wallMs: Number(seconds) * 1000, path }];
    });
}

/** Each call of a log once: what to strike, one after the other. */
export function pointsOf(calls: readonly TracedCall[]): readonly SyscallPoint[] {
  const counts = new Map<string, number>();
  return calls.map(({ name }) => {
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    return { name, nth };
  });
}

const LINE =
  /^(?:\d+ +)?(?<seconds>\d+\.\d+) (?<name>[a-z][a-z0-9_]*)\((?:\d+<(?<path>\/[^>]*)>)?/u;
