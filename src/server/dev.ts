/**
 * Development mode: the whole layer on loopback with demonstration targets, ready to try within two
 * seconds. Here its data directory and its targets begin and end; `dev-session.ts` is what lies between.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DAEMON_FILE, isRunning, readDaemonFile } from '../cli/find-daemon.ts';
import type { DevOptions, Ended } from '../cli/server-door.ts';
import { startDevTargets } from './dev-targets.ts';

/** Runs until `q`, Ctrl-C or a signal. */
export async function dev(options: DevOptions): Promise<Ended> {
  const { terminal, ephemeral } = options;
  const data = ephemeral
    ? mkdtempSync(join(tmpdir(), 'exequatur-'))
    : resolve(terminal.directory, options.data ?? '.exequatur');
  const running = readDaemonFile(join(data, DAEMON_FILE));
  if (running !== undefined && isRunning(running.pid)) {
    return {
      kind: 'refused',
      code: 'already_running',
      message: `a layer runs here already: ${running.url}, process ${String(running.pid)}`,
      hint: 'use it, stop it, or start with another `--data` or `--ephemeral`',
    };
  }
  try {
    return await run(options, data);
  } finally {
    if (ephemeral) rmSync(data, { recursive: true, force: true });
  }
}

async function run(options: DevOptions, data: string): Promise<Ended> {
  // The targets' processes start while the layer is loaded.
  const [targets, session] = await Promise.all([startDevTargets(data), import('./dev-session.ts')]);
  if (targets.kind === 'refused') return targets;
  try {
    return await session.runDevSession(options, { data, targets });
  } finally {
    targets.stop();
  }
}
