/** What the benchmarks share: medians, and keeping many tasks in flight. */

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which `share` of the numbers lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const place = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return sorted[place] ?? Number.NaN;
}

/** Microseconds a call: the median of several rounds after warming up. */
export function microseconds(calls: number, call: () => void): number {
  const rounds = Array.from({ length: 9 }, () => {
    const before = process.hrtime.bigint();
    for (let index = 0; index < calls; index++) call();
    return Number(process.hrtime.bigint() - before) / 1000 / calls;
  });
  return median(rounds.slice(2));
}

/** Runs `count` tasks with `width` of them under way at any time; answers how many a second. */
export async function perSecond(
  { count, width }: { readonly count: number; readonly width: number },
  task: (index: number) => Promise<void>,
): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  const before = performance.now();
  await Promise.all(Array.from({ length: width }, worker));
  return count / ((performance.now() - before) / 1000);
}
