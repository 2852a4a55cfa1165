/**
 * Mutation testing: changes the kernel, the approvals and the engine's transition function in every small
 * way of `mutate/mutators.ts`, and tells which changes no test notices. Such a survivor is a missing test,
 * or is explained beside the code (`// mutant: why`).
 *
 *     npm run mutate -- [PATH…] [--json] [--jobs N] [--stages N] [--test-ms-max N]
 *
 * PATH is a source or the beginning of one. `--stages` 1 asks only the tests of the source's own
 * name, 2 also those near it, 3 (all) also those of the laws. Tests that take
 * longer than 15 s (`--test-ms-max`) are left out, and named. Exit 1 with a survivor that nothing explains, or with an
 * explanation that explains nothing.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { isClean, printLeftOut, printReport, printTable } from './mutate/print.ts';
import { sourcesOf, stagesOf } from './mutate/scope.ts';
import { trySource, type SourceReport } from './mutate/try-source.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    stages: { type: 'string', default: '3' },
    'test-ms-max': { type: 'string', default: '15000' },
  },
});

const sources = [...sourcesOf(ROOT, positionals)];
if (sources.length === 0) throw new Error('no source of the scope begins like that');
const reports: SourceReport[] = [];
const failures: string[] = [];
await Promise.all(Array.from({ length: Number(values.jobs) }, tryNext));
reports.sort((left, right) => (left.source < right.source ? -1 : 1));
if (!values.json) printLeftOut(reports);
printTable(reports, values);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 && reports.every(isClean) ? 0 : 1;

async function tryNext(): Promise<void> {
  for (let source = sources.shift(); source !== undefined; source = sources.shift()) {
    const stages = stagesOf(ROOT, source);
    const trial = { root: ROOT, source, stages: stages.slice(0, Number(values.stages)) };
    try {
      const report = await trySource({ ...trial, testMsMax: Number(values['test-ms-max']) });
      reports.push(report);
      if (!values.json) printReport(report);
    } catch (error) {
      // The other sources are tried all the same; the run fails in the end.
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
}
