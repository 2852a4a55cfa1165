/**
 * Faults on the embedded store: `npm run faults [-- --quick | --long] [--count N] [--only NAME] [--json]
 * [--flaw NAME] [--all]`. Prints a line a row: fault, runs, violations; exits with 1 where there is any.
 * The first ten violations of a row are told on standard error, all of them with `--all`. With `--flaw` a
 * defect is planted, and a row that finds nothing then has failed.
 */
import { parseArgs } from 'node:util';
import { jsonLine, tableLine, TABLE_HEAD } from './report.ts';
import { FLAWS, type FaultRow, type Flaw } from './row.ts';
import { ROWS } from './rows.ts';

const PROGRESS_EVERY_MS = 2000;
const SENTENCES_SHOWN = 10;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    count: { type: 'string' },
    only: { type: 'string', multiple: true },
    flaw: { type: 'string' },
    all: { type: 'boolean', default: false },
  },
});

const rows = ROWS.filter(({ name }) => options.only?.includes(name) ?? true);
const unknown = options.only?.find((name) => !ROWS.some((row) => row.name === name));
const flaw = FLAWS.find((each) => each === options.flaw);
if (unknown !== undefined || (options.flaw !== undefined && flaw === undefined)) {
  console.error(`there is no \`${unknown ?? options.flaw ?? ''}\``);
  console.error(`hint: rows are ${ROWS.map(({ name }) => name).join(', ')}`);
  console.error(`hint: flaws are ${FLAWS.join(', ')}`);
  process.exit(2);
}
if (!options.json) console.log(TABLE_HEAD);
let violationsCount = 0;
for (const row of rows) violationsCount += await runRow(row, flaw);
process.exitCode = violationsCount > 0 ? 1 : 0;

async function runRow(row: FaultRow, planted: Flaw | undefined): Promise<number> {
  const count = options.count === undefined ? countOf(row) : Number(options.count);
  const startedMs = performance.now();
  let toldMs = startedMs;
  const ran = await row.run({
    count,
    progress: (done) => {
      if (performance.now() - toldMs < PROGRESS_EVERY_MS) return;
      toldMs = performance.now();
      process.stderr.write(`${row.name}: ${String(done)} of ${String(count)}\n`);
    },
    ...(planted === undefined ? {} : { flaw: planted }),
  });
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(options.json ? jsonLine(row, ran, seconds) : tableLine(row, ran, seconds));
  const shown = options.all ? ran.violations : ran.violations.slice(0, SENTENCES_SHOWN);
  for (const sentence of shown) {
    process.stderr.write(`  ${row.name}: ${sentence}\n`);
  }
  if (ran.skipped !== undefined) {
    process.stderr.write(
      `SKIPPED: ${row.name}: ${String(ran.skipped.count)} runs, because ${ran.skipped.why}\n`,
    );
  }
  return ran.violations.length;
}

function countOf({ quick, long }: FaultRow): number {
  if (options.quick) return quick;
  // Neither asked for: enough to see each fault strike, in some minutes.
  return options.long ? long : Math.min(long, quick * 5);
}
