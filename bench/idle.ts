/**
 * What the layer adds to one idle action: requests to a target directly, and the same through the layer,
 * in turn; beside the disk's own fdatasync in the same run.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { post, startHttpLayer } from './http.ts';
import { argsOf } from './layer.ts';
import { median, percentile } from './measure.ts';

const WARM_UP = 50;

/** Milliseconds. */
export interface IdleLatency {
  readonly addedP50: number;
  readonly addedP99: number;
  readonly fdatasyncP50: number;
}

/** Measures `count` actions, one at a time. */
export async function idleLatency(count: number): Promise<IdleLatency> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-idle-'));
  const target = await startTarget();
  const layer = await startHttpLayer(join(folder, 'layer'), target.port);
  const agent = new Agent({ keepAlive: true });
  const to = { agent, port: target.port, path: '/v1/refunds', authorization: 'none' };
  const direct: number[] = [];
  const through: number[] = [];
  try {
    for (let index = -WARM_UP; index < count; index++) {
      const body = JSON.stringify(argsOf(index));
      const times = [await tookMs(() => post(to, body)), await tookMs(() => layer.act(index))];
      if (index < 0) continue;
      direct.push(times[0] ?? Number.NaN);
      through.push(times[1] ?? Number.NaN);
    }
    return {
      addedP50: median(through) - median(direct),
      addedP99: percentile(through, 0.99) - percentile(direct, 0.99),
      fdatasyncP50: fdatasyncMs(join(folder, 'sync'), count),
    };
  } finally {
    agent.destroy();
    await layer.close();
    target.child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tookMs(task: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await task();
  return performance.now() - before;
}

/** The median of writing a page and forcing it to the disk. */
function fdatasyncMs(path: string, count: number): number {
  const page = Buffer.alloc(4096, 1);
  const handle = openSync(path, 'w');
  const times = Array.from({ length: count }, () => {
    const before = performance.now();
    writeSync(handle, page);
    fdatasyncSync(handle);
    return performance.now() - before;
  });
  closeSync(handle);
  return median(times);
}

/** A target in a process of its own, so that its work is not the layer's. */
async function startTarget(): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const child = fork(fileURLToPath(import.meta.url), ['target']);
  const port = await new Promise<unknown>((resolve) => child.once('message', resolve));
  return { port: Number(port), child };
}

if (process.argv[2] === 'target' && process.send !== undefined) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"id":"re_1"}'));
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' ? address?.port : undefined);
  });
}
