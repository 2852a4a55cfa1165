/**
 * Shortens a plan that breaks a law: leaves out one part after the other, and keeps what is left as long
 * as the same law is broken. What remains is a story short enough to be read.
 */
import type { Plan } from './plan.ts';

/** Runs of one shortening at most. */
const RUNS_MAX = 400;

/** The shortest plan found that still breaks the law; `breaks` runs a plan. */
export async function shrink(plan: Plan, breaks: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let shortest = plan;
  let runs = 0;
  for (let again = true; again;) {
    again = false;
    for (const shorter of shorterPlans(shortest)) {
      if (runs++ >= RUNS_MAX) return shortest;
      if (!(await breaks(shorter))) continue;
      shortest = shorter;
      again = true;
      break;
    }
  }
  return shortest;
}

/** Every plan with one part less, large parts first. */
function* shorterPlans(plan: Plan): Iterable<Plan> {
  const { steps, faults, engines, skewMs } = plan;
  const numbers = steps.flatMap((step) => (step.kind === 'propose' ? [step.number] : []));
  // A proposal with everything that is about it.
  for (const number of numbers) {
    const about = (step: Plan['steps'][number]): boolean =>
      (step.kind === 'propose' && step.number === number) || ('of' in step && step.of === number);
    yield { ...plan, steps: steps.filter((step) => !about(step)) };
  }
  if (engines > 1 && steps.every((step) => !('engine' in step) || step.engine < engines - 1)) {
    yield { ...plan, engines: engines - 1 };
  }
  if (engines > 1) {
    const fewer = engines - 1;
    yield {
      ...plan,
      engines: fewer,
      steps: steps.map((step) =>
        'engine' in step ? { ...step, engine: Math.min(step.engine, fewer - 1) } : step,
      ),
    };
  }
  for (const [at, fault] of faults.entries()) {
    yield { ...plan, faults: faults.filter((_, index) => index !== at) };
    // A use that never comes is as good as no fault, and moves with what is left out.
    if (fault.nth > 1) {
      yield {
        ...plan,
        faults: faults.map((each, index) => (index === at ? { ...each, nth: each.nth - 1 } : each)),
      };
    }
  }
  for (const at of steps.keys()) yield { ...plan, steps: steps.filter((_, index) => index !== at) };
  if (skewMs.some((ms) => ms !== 0)) yield { ...plan, skewMs: skewMs.map(() => 0) };
}
