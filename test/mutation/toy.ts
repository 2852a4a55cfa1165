/** Something small to mutate: one mutant that is found, one that is not, one that never ends. */

/** The sum from 1 to `count`, at most 100. */
export function sumTo(count: number): number {
  let sum = 0;
  for (let step = 1; step <= count; step += 1) sum += step;
  // mutant: at 100 both are 100.
  return sum > LIMIT ? LIMIT : sum;
}

const LIMIT = 100;

/** Whether the word is one of two. */
export function isKnown(word: string): boolean {
  return word === 'one' || word === 'two';
}

/** Nobody tests this. */
export const forgotten = (values: readonly number[]): boolean => values.some((value) => value > 7);

/** What no test can tell from the plain text. */
export function plain(text: string | undefined): string {
  // mutant: this is told of a line where every mutant is found.
  return text ?? 'none';
}
