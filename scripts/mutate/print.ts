/** The words for what was tried. */
import type { SourceReport, Tried } from './try-source.ts';

/** Whether every survivor is explained, and every explanation is needed. */
export function isClean(report: SourceReport): boolean {
  return unexplained(report).length === 0 && report.staleLines.length === 0;
}

/** The survivors of one source and its numbers, as soon as they are known. */
export function printReport(report: SourceReport): void {
  const row = rowOf(report);
  console.log(
    `${row.file}: ${COLUMNS.map((column) => `${String(row[column])} ${column}`).join(', ')}`,
  );
  for (const { mutant, verdict } of unexplained(report)) {
    const to = mutant.change.kind === 'removal' ? 'left out' : oneLine(mutant.change.text);
    const seen = verdict.kind === 'survived' && verdict.tests === 0 ? ' (no test comes by)' : '';
    console.log(`${report.source}:${String(mutant.line)} ${mutant.mutator}: ${to}${seen}`);
  }
  for (const line of report.staleLines) {
    console.log(`${report.source}:${String(line)} explains a mutant, and none survives there`);
  }
}

/** Tests that took no part, each once. */
export function printLeftOut(reports: readonly SourceReport[]): void {
  const all = new Set(reports.flatMap(({ leftOut }) => leftOut));
  for (const test of [...all].sort()) console.log(`left out as too slow: ${test}`);
}

/** The table of all sources, and the sum; as JSON one object a line. */
export function printTable(
  reports: readonly SourceReport[],
  options: { readonly json: boolean },
): void {
  const rows = reports.map(rowOf);
  if (options.json) {
    for (const row of rows) console.log(JSON.stringify(row));
    return;
  }
  const width = Math.max(5, ...rows.map(({ file }) => file.length));
  const line = (file: string, cells: readonly (string | number)[]): string =>
    file.padEnd(width) + cells.map((cell) => String(cell).padStart(10)).join('');
  console.log(line('file', COLUMNS));
  for (const row of rows)
    console.log(
      line(
        row.file,
        COLUMNS.map((column) => row[column]),
      ),
    );
  const sums = COLUMNS.map((column) => rows.reduce((sum, row) => sum + row[column], 0));
  console.log(line('sum', sums));
}

function rowOf(report: SourceReport): Readonly<Record<Column, number>> & {
  readonly file: string;
  readonly ok: boolean;
} {
  return {
    file: report.source,
    mutants: report.tried.length,
    killed: count(report, ({ verdict }) => verdict.kind === 'killed'),
    timeout: count(report, ({ verdict }) => verdict.kind === 'timeout'),
    explained: count(report, ({ explanation }) => explanation !== undefined),
    survived: unexplained(report).length,
    ok: isClean(report),
  };
}

const COLUMNS = ['mutants', 'killed', 'timeout', 'explained', 'survived'] as const;

type Column = (typeof COLUMNS)[number];

function unexplained(report: SourceReport): readonly Tried[] {
  return report.tried.filter(
    ({ verdict, explanation }) => verdict.kind === 'survived' && explanation === undefined,
  );
}

function count(report: SourceReport, is: (tried: Tried) => boolean): number {
  return report.tried.filter(is).length;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ');
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}
