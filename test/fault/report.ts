/** The table, and the same as one JSON object a line. */
import type { FaultRow, Ran } from './row.ts';

const NAME_WIDTH = 22;
const NUMBER_WIDTH = 9;

/** The table's first line. */
export const TABLE_HEAD: string = `${'fault'.padEnd(NAME_WIDTH)}${'runs'.padStart(NUMBER_WIDTH)}${'violations'.padStart(NUMBER_WIDTH + 3)}${'skipped'.padStart(NUMBER_WIDTH)}${'seconds'.padStart(NUMBER_WIDTH)}  what is done`;

/** One row of the table. */
export function tableLine({ name, title }: FaultRow, ran: Ran, seconds: number): string {
  const { runs, violations, skipped } = ran;
  return [
    name.padEnd(NAME_WIDTH),
    String(runs).padStart(NUMBER_WIDTH),
    String(violations.length).padStart(NUMBER_WIDTH + 3),
    String(skipped?.count ?? 0).padStart(NUMBER_WIDTH),
    seconds.toFixed(1).padStart(NUMBER_WIDTH),
    `  ${title}`,
  ].join('');
}

/** The same as JSON. Where nothing ran, nothing is `ok`. */
export function jsonLine({ name }: FaultRow, ran: Ran, seconds: number): string {
  const { runs, violations, skipped } = ran;
  return JSON.stringify({
    fault: name,
    runs,
    violations: violations.length,
    ok: runs > 0 && violations.length === 0,
    skipped: skipped?.count ?? 0,
    seconds: Number(seconds.toFixed(1)),
  });
}
