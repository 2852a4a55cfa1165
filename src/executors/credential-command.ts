/**
 * Runs the program of an `exec:` credential reference, such as the client of a vault, and reads the
 * secret from its standard output. Nothing of its output is ever shown, not even of a failure: what a
 * failing program prints may hold what it should have kept.
 */
import { spawn, type ChildProcess } from 'node:child_process';

import type { Clock } from '../engine/ports.ts';
import { readCredentialCommand, type CredentialCommand } from '../kernel/credential-command.ts';
import { refuse } from './refusal.ts';

/** A program that prints a credential runs no longer than this. */
export const CREDENTIAL_COMMAND_MS_MAX = 10_000;

/** Limits and time for one run. */
export interface CredentialCommandContext {
  readonly clock: Clock;
  /** One byte more than this and the program is ended. */
  readonly bytesMax: number;
}

/**
 * The standard output of the program, as bytes. Refuses with `credential_reference_invalid`,
 * `credential_command_failed`, `credential_command_timeout` or `credential_too_large`.
 */
export async function runCredentialCommand(
  reference: string,
  { clock, bytesMax }: CredentialCommandContext,
): Promise<Uint8Array> {
  const read = readCredentialCommand(reference);
  if (!read.ok) refuse('credential_reference_invalid', `credential: ${read.message}`);
  const [program = ''] = read.command.argv;
  const child = start(read.command);
  if (child === undefined) return refuse('credential_command_failed', `\`${program}\` cannot run`);
  const over = new AbortController();
  try {
    const end = await Promise.race([
      outputOf(child, bytesMax),
      clock.sleep(CREDENTIAL_COMMAND_MS_MAX, over.signal).then((): CommandEnd => 'timeout'),
    ]);
    if (typeof end !== 'string') return end;
    switch (end) {
      case 'timeout':
        return refuse('credential_command_timeout', `\`${program}\` did not end in time`);
      case 'too_large':
        return refuse(
          'credential_too_large',
          `\`${program}\` prints over ${String(bytesMax)} bytes`,
        );
      case 'failed':
        return refuse('credential_command_failed', `\`${program}\` gave no credential`);
      default:
        return end satisfies never;
    }
  } finally {
    over.abort();
    endGroup(child);
  }
}

type CommandEnd = Uint8Array | 'timeout' | 'too_large' | 'failed';

function start({ argv, environment }: CredentialCommand): ChildProcess | undefined {
  const [file = '', ...words] = argv;
  try {
    return spawn(file, words, {
      cwd: '/',
      // Node adds NODE_V8_COVERAGE to every child unless it is named here.
      env: { NODE_V8_COVERAGE: undefined, ...environment },
      detached: true,
      shell: false,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // Why it cannot be started changes nothing: there is no credential.
    return undefined;
  }
}

function outputOf(child: ChildProcess, bytesMax: number): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > bytesMax) resolve('too_large');
      else parts.push(chunk);
    });
    child.stdout?.on('error', () => {
      resolve('failed');
    });
    child.once('error', () => {
      resolve('failed');
    });
    // `close` comes after the last byte of the output, `exit` may come before it.
    child.once('close', (exitCode) => {
      resolve(exitCode === 0 ? Buffer.concat(parts) : 'failed');
    });
  });
}

/** Nothing that the program started outlives the lease, and nobody waits for its pipes. */
function endGroup(child: ChildProcess): void {
  child.stdout?.destroy();
  child.unref();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone already, as it should be.
  }
}
