/**
 * The figures of DESIGN section 10 that this version can show, each with its raw limit from the same
 * run. `node bench/main.ts [--json] [--actions N]`: with `--json` one object a line: metric, value, unit.
 */
import { parseArgs } from 'node:util';
import { actionsPerSecond } from './actions.ts';
import { decideMicroseconds } from './decide.ts';
import { benchInventory, benchPolicy } from './setup.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    actions: { type: 'string', default: '20000' },
  },
});

const inventory = benchInventory();
const small = benchPolicy(inventory, 100);
const at100 = decideMicroseconds(small);
show('decide_100_us', at100, 'us', 'one decision, 100 rules, three matching; aim 5 or less');
const at10000 = decideMicroseconds(benchPolicy(inventory, 10_000));
show('decide_10000_us', at10000, 'us', 'the same, 10,000 rules; aim twice the above or less');
const { engine, raw, rowsPerAction } = await actionsPerSecond(small, Number(options.actions));
show('inprocess_actions_per_s', engine, '1/s', 'durable, with ledger entries; aim 10,000 or more');
show('raw_batched_actions_per_s', raw, '1/s', 'the same rows and indexes, inserted in batches');
show('rows_per_action', rowsPerAction, 'rows', 'in all tables');
show('inprocess_share_of_raw', engine / raw, '', 'aim 0.2 or more');

function show(metric: string, value: number, unit: string, note: string): void {
  const rounded = Number(value.toPrecision(4));
  if (options.json) console.log(JSON.stringify({ metric, value: rounded, unit }));
  else console.log(`${metric.padEnd(28)}${String(rounded).padStart(10)} ${unit.padEnd(5)} ${note}`);
}
