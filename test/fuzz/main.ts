/**
 * Fuzzes every parser, or those named, and prints what came of each.
 *
 *     npm run fuzz -- [subject …] [--minutes 5 | --cases 100000] [--seed 1] [--json]
 *     npm run fuzz -- sql --seed 1 --case 4711      plays one case again
 *
 * It ends with 1 where any subject has a defect.
 */
import { parseArgs } from 'node:util';
import { runSubjects } from './run.ts';
import { SUBJECTS } from './subjects.ts';
import type { Tally } from './work.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string' },
    cases: { type: 'string' },
    case: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const names = positionals.length > 0 ? positionals : SUBJECTS.map(({ name }) => name);

function problemOf(): string | undefined {
  const unknown = names.find((name) => !SUBJECTS.some((subject) => subject.name === name));
  if (unknown !== undefined) {
    return `no subject \`${unknown}\`; there are ${SUBJECTS.map(({ name }) => name).join(', ')}`;
  }
  const numbers = [values.minutes, values.cases, values.case, values.seed];
  const wrong = numbers.find((text) => text !== undefined && !/^\d+(?:\.\d+)?$/u.test(text));
  return wrong === undefined ? undefined : `\`${wrong}\` is not a number`;
}

async function main(): Promise<number> {
  const seed = Number(values.seed);
  if (!values.json) console.log(`seed ${String(seed)}\n\n${row(HEAD)}\n${row(HEAD.map(dashes))}`);
  const onTally = (tally: Tally): void => {
    const ok = tally.failure === undefined;
    console.log(values.json ? JSON.stringify({ seed, ...tally, ok }) : row(cellsOf(tally)));
  };
  const tallies = await runSubjects({ subjects: names, seed, ...boundsOf(), onTally });
  const failed = tallies.filter(({ failure }) => failure !== undefined);
  for (const { subject, failure } of failed) if (failure) tell(subject, seed, failure);
  return failed.length === 0 ? 0 : 1;
}

/** The same time for each subject, or the same number of cases. */
function boundsOf(): { readonly from?: number; readonly cases?: number; readonly ms?: number } {
  if (values.case !== undefined) return { from: Number(values.case), cases: 1 };
  if (values.cases !== undefined) return { cases: Number(values.cases) };
  return { ms: (Number(values.minutes ?? 1) * 60_000) / names.length };
}

const HEAD = ['parser', 'cases', 'accepted', 'refused', 'slowest', 'codes seen'];
const WIDTHS = [12, 10, 10, 10, 9, 10];

function cellsOf(tally: Tally): string[] {
  const { subject, cases, accepted, refused, slowestMs, codes } = tally;
  return [
    subject,
    String(cases),
    String(accepted),
    String(refused),
    `${slowestMs.toFixed(1)} ms`,
    String(Object.keys(codes).length),
  ];
}

function row(cells: readonly string[]): string {
  const padded = cells.map((cell, index) =>
    index === 0 ? cell.padEnd(WIDTHS[0] ?? 0) : cell.padStart(WIDTHS[index] ?? 0),
  );
  return `| ${padded.join(' | ')} |`;
}

function dashes(_: string, index: number): string {
  const width = WIDTHS[index] ?? 3;
  return index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`;
}

function tell(subject: string, seed: number, failure: NonNullable<Tally['failure']>): void {
  console.error(`\n${subject}: ${failure.message}`);
  if (failure.input !== '') console.error(`input: ${JSON.stringify(failure.input.slice(0, 2000))}`);
  console.error(
    `again: npm run fuzz -- ${subject} --seed ${String(seed)} --case ${String(failure.case)}\n`,
  );
}

const problem = problemOf();
if (problem === undefined) process.exitCode = await main();
else {
  console.error(problem);
  process.exitCode = 2;
}
