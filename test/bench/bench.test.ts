/** The benchmarks run, and name their figures as they are documented. What they come to is no test. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseJson } from '../../src/kernel/json/parse.ts';

const BENCH = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

/** Those of a run without `--million`, and without the peers, which are not on every machine. */
const METRICS = [
  'decide_100_us',
  'decide_10000_us',
  'canonicalise_us',
  'explain_us',
  'inprocess_actions_per_s',
  'raw_batched_actions_per_s',
  'http_actions_per_s',
  'rss_mib_under_load',
  'fdatasync_ms_p50',
  'idle_added_ms_p50',
  'idle_added_ms_p99',
  'ready_ms',
] as const;

test('`npm run bench -- --quick --json` prints every figure as one object a line', async () => {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [BENCH, '--quick', '--json', '--actions', '300']);
  const figures = new Map<unknown, unknown>();
  for (const line of stdout.trim().split('\n')) {
    const parsed = parseJson(Buffer.from(line));
    assert.ok(parsed.ok, line);
    const figure = new Map<string, unknown>(Object.entries(Object(parsed.value)));
    assert.equal(typeof figure.get('unit'), 'string');
    figures.set(figure.get('metric'), figure.get('value'));
  }
  for (const metric of METRICS) assert.ok(Number.isFinite(figures.get(metric)), metric);
});
