/** Runs seeds one after the other and sums up what they did: a run in which nothing happened proves nothing. */
import { check, type Violation } from './checker.ts';
import type { Flaw } from './flaws.ts';
import type { History } from './history.ts';
import { planOf, type Plan } from './plan.ts';
import { shrink } from './shrink.ts';
import { storyOf } from './story.ts';
import type { Simulator } from './world.ts';

/** A seed that breaks a law. */
export interface Failure {
  readonly seed: number;
  readonly violation: Violation;
}

/** What a number of seeds came to. `counts` says how often each thing happened. */
export interface Ran {
  readonly failures: readonly Failure[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs `count` seeds from `from` on; `ran` is told after each. */
export async function runSeeds(
  simulator: Simulator,
  { from, count, flaw }: { readonly from: number; readonly count: number; readonly flaw?: Flaw },
  ran: (seed: number) => void = () => undefined,
): Promise<Ran> {
  const failures: Failure[] = [];
  const counts: Record<string, number> = {};
  for (let seed = from; seed < from + count; seed++) {
    const history = await simulator.run(planOf(seed), flaw);
    const [violation] = check(history);
    if (violation !== undefined) failures.push({ seed, violation });
    for (const name of namesIn(history)) counts[name] = (counts[name] ?? 0) + 1;
    ran(seed);
  }
  return { failures, counts };
}

/** The sum of two counts. */
export function sumOf(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sum: Record<string, number> = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

/** The shortest plan found that breaks the same law, and its story. */
export async function storyOfFailure(
  simulator: Simulator,
  { seed, violation }: Failure,
  flaw?: Flaw,
): Promise<{ readonly plan: Plan; readonly story: string }> {
  const broken = async (plan: Plan): Promise<readonly [History, Violation | undefined]> => {
    const history = await simulator.run(plan, flaw);
    return [history, check(history).find(({ law }) => law === violation.law)];
  };
  const plan = await shrink(
    planOf(seed),
    async (shorter) => (await broken(shorter))[1] !== undefined,
  );
  const [history, found] = await broken(plan);
  return { plan, story: storyOf(history, found ?? violation, seed) };
}

function namesIn(history: History): readonly string[] {
  return history.flatMap((seen) => {
    if (seen.kind === 'entry') return [`recorded: ${seen.entry.kind}`];
    if (seen.kind === 'engine') return [`engine ${seen.what.replace(/(?: for|:) .*/u, '')}`];
    if (seen.kind === 'arrived') return [seen.tookHold ? 'took hold' : 'arrived without effect'];
    if (seen.kind === 'ended') return [`ended: ${seen.state}`];
    return seen.kind === 'began' || seen.kind === 'evidence' ? [seen.kind] : [];
  });
}
