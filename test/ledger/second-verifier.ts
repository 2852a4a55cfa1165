/** Runs docs/verify.py, the second verifier, on files. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../docs/verify.py', import.meta.url));

/** Why the second verifier cannot run here; `false` where it can. */
export const noSecondVerifier: string | false = missing();

function missing(): string | false {
  for (const [program, word] of [
    ['python3', '--version'],
    ['openssl', 'version'],
  ] as const) {
    if (spawnSync(program, [word]).status !== 0) {
      return `NOT RUN: the second verifier needs \`${program}\`, which is not here`;
    }
  }
  return false;
}

/** What it said of one file. */
export interface SecondVerdict {
  readonly status: 'genuine' | 'not_genuine' | 'cannot_tell';
  /** Absent where it is genuine. */
  readonly code: string | undefined;
}

/** What the second verifier is given. */
export interface SecondGiven {
  readonly files: readonly Uint8Array[];
  readonly policy: Uint8Array;
  readonly since?: readonly string[];
}

/** The verdict on each file, in order; the exit code of the run has to agree with them. */
export function secondVerdicts({
  files,
  policy,
  since = [],
}: SecondGiven): readonly SecondVerdict[] {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-second-'));
  const put = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  try {
    const words = [
      ['--trust', put('policy', policy)],
      ...since.map((each, index) => ['--since', put(`since-${String(index)}`, each)]),
      files.map((file, index) => put(`file-${String(index)}`, file)),
    ].flat();
    const ran = spawnSync('python3', [PROGRAM, ...words], {
      encoding: 'utf8',
      timeout: 120_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    const verdicts = ran.stdout.split('\n').slice(0, -1).map(verdictOf);
    if (verdicts.length !== files.length) throw new Error(ran.stdout + ran.stderr);
    const statuses = new Set(verdicts.map(({ status }) => status));
    const exit = statuses.has('not_genuine') ? 1 : statuses.has('cannot_tell') ? 2 : 0;
    if (ran.status !== exit)
      throw new Error(`ended with ${String(ran.status)}, not ${String(exit)}`);
    return verdicts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function verdictOf(line: string): SecondVerdict {
  const [, words = '', code] =
    /^(genuine|not genuine|cannot tell)(?: \((\w+)\))?: /u.exec(line) ?? [];
  if (words === 'not genuine') return { status: 'not_genuine', code };
  if (words === 'cannot tell') return { status: 'cannot_tell', code };
  if (words === 'genuine') return { status: 'genuine', code: undefined };
  throw new Error(line);
}
