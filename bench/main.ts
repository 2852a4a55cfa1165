/**
 * The figures of DESIGN section 10, each beside its raw limit from the same run.
 *
 *     node bench/main.ts [--json] [--quick] [--million]
 *
 * `--json` prints one object a line: metric, value, unit. `--quick` does little of everything, so that a
 * test can see it run. `--million` measures again with 1,000,000 stored actions, which takes minutes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { actionsPerSecond } from './actions.ts';
import { decideMicroseconds } from './decide.ts';
import { httpPerSecond } from './http.ts';
import { idleLatency } from './idle.ts';
import { importMs } from './import.ts';
import { IN_FLIGHT, openLayer } from './layer.ts';
import { perSecond } from './measure.ts';
import { fillStore } from './million.ts';
import { cedarMicroseconds, cerbosLatency } from './peers.ts';
import { readyMs } from './ready.ts';
import { benchInventory, benchPolicy } from './setup.ts';
import { canonicaliseMicroseconds, explainMicroseconds } from './text.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    million: { type: 'boolean', default: false },
    actions: { type: 'string' },
  },
});
const count = Number(options.actions ?? (options.quick ? 500 : 20_000));
const MILLION = 1_000_000;

const inventory = benchInventory();
const small = benchPolicy(inventory, 100);

// ------------------------------------------------------ deciding

show('decide_100_us', decideMicroseconds(small), 'us', '100 rules, three match; aim 5');
const large = benchPolicy(inventory, options.quick ? 1000 : 10_000);
show('decide_10000_us', decideMicroseconds(large), 'us', '10,000 rules; aim twice the above');
show('canonicalise_us', canonicaliseMicroseconds(), 'us', 'parse, write, digest 600 bytes');
show('explain_us', explainMicroseconds(small), 'us', 'one explanation');
const cedar = await cedarMicroseconds(options.quick ? 50 : 1000);
if (cedar !== undefined) show('cedar_decide_us', cedar, 'us', 'cedar-wasm, an equal policy');

// ------------------------------------------------------ durable actions

const rates = await actionsPerSecond(small, count);
show('inprocess_actions_per_s', rates.engine, '1/s', 'durable, with ledger and tree; aim 10,000');
show('raw_batched_actions_per_s', rates.raw, '1/s', 'the same rows and indexes, in batches');
show('rows_per_action', rates.rowsPerAction, 'rows', 'in all tables');
show('inprocess_share_of_raw', rates.engine / rates.raw, '', 'aim 0.2');
const http = await inFolder((folder) => httpPerSecond(folder, count));
show('http_actions_per_s', http.rate, '1/s', 'two processes on two cores; aim 5,000');
show('http_share_of_inprocess', http.rate / rates.engine, '', 'aim 0.5');
show('rss_mib_under_load', http.rssMib, 'MiB', 'aim 400');

// ------------------------------------------------------ one idle action

const idle = await idleLatency(options.quick ? 50 : 500);
show('fdatasync_ms_p50', idle.fdatasyncP50, 'ms', 'the disk itself');
show('idle_added_ms_p50', idle.addedP50, 'ms', 'aim twice the above, plus 1');
show('idle_added_ms_p99', idle.addedP99, 'ms', 'the difference of the 99th percentiles');
const cerbos = await cerbosLatency(options.quick ? 100 : 1000);
if (cerbos !== undefined) {
  show('cerbos_check_ms_p50', cerbos.cerbosMs, 'ms', 'a check over HTTP');
  show('decisions_ms_p50', cerbos.layerMs, 'ms', 'POST /v1/decisions over HTTP');
}
const imported = importMs(options.quick ? 100 : 1000);
show('import_openapi_json_ms', imported.json, 'ms', '1,000 operations; aim 5,000');
show('import_openapi_yaml_ms', imported.yaml, 'ms', '1,000 operations; aim 5,000');
show('ready_ms', await readyMs(options.quick ? 1 : 5), 'ms', 'start to ready; aim 2,000');

// ------------------------------------------------------ with 1,000,000 stored actions

if (options.million) await inFolder(measureMillion);

async function measureMillion(folder: string): Promise<void> {
  const progress = (done: number): void => {
    process.stderr.write(`\r${String(done)} of ${String(MILLION)} actions stored`);
  };
  await fillStore(small, folder, { count: MILLION, progress });
  process.stderr.write('\n');
  const layer = await openLayer(small, folder);
  await perSecond({ count: 2000, width: IN_FLIGHT }, layer.act);
  const inProcess = await perSecond({ count, width: IN_FLIGHT }, layer.act);
  await layer.close();
  show('inprocess_actions_per_s_at_1e6', inProcess, '1/s', '1,000,000 stored');
  show('inprocess_share_at_1e6', inProcess / rates.engine, '', 'aim 0.65');
  const over = await httpPerSecond(folder, count);
  show('http_actions_per_s_at_1e6', over.rate, '1/s', '1,000,000 stored');
  show('rss_mib_at_1e6', over.restMib, 'MiB', 'at rest; aim 250');
  show('rss_mib_under_load_at_1e6', over.rssMib, 'MiB', 'aim 400');
}

async function inFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function show(metric: string, value: number, unit: string, note: string): void {
  const rounded = Number(value.toPrecision(4));
  if (options.json) console.log(JSON.stringify({ metric, value: rounded, unit }));
  else console.log(`${metric.padEnd(32)}${String(rounded).padStart(10)} ${unit.padEnd(5)} ${note}`);
}
