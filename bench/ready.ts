/** From starting the process to the first answered request, on an empty directory: milliseconds. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { median } from './measure.ts';

const BIN = fileURLToPath(new URL('../bin/exequatur.js', import.meta.url));

/** The median of some starts. */
export async function readyMs(rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await startOnce());
  return median(times);
}

async function startOnce(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-ready-'));
  const before = performance.now();
  const child = spawn(process.execPath, [BIN, 'dev', '--json', '--data', folder, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: folder,
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const { url }: Record<string, unknown> = Object(JSON.parse(line));
      if (typeof url !== 'string') continue;
      const { status } = await fetch(new URL('/readyz', url));
      if (status !== 200) throw new Error(`not ready: ${String(status)}`);
      return performance.now() - before;
    }
    throw new Error('the layer ended before it was ready');
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}
