/**
 * What must be read or fetched before an action can be decided: only what rules that match, and are
 * not known to be out of play, name (DESIGN section 3, gather).
 */
import type { AfterQuery, DecisionInput, Demand, LimitDemand } from './decision.ts';
import { compareText } from './finding.ts';
import { isKnown, type KnownInput } from './hearing.ts';
import type { CompiledPolicy, CompiledRequirement, Expression, Scope } from './policy/compiled.ts';
import { afterQuery } from './requirement/time.ts';
import { limitDemand } from './requirement/limit.ts';
import { scopeOf } from './scope.ts';

const NOTHING: Demand = Object.freeze({ facts: [], windows: [], limits: [], after: [] });
const FACT_REFERENCE = /^facts\.([^.]+)/u;

/** The demand while it is collected. Equal demands are one; of two ages the smaller. */
interface Collected {
  readonly facts: Map<string, number>;
  readonly windows: Set<string>;
  readonly limits: Map<string, LimitDemand>;
  readonly after: Map<string, AfterQuery>;
}

/** What the rules that may apply to this action ask for, from what is known now. */
export function demandOf(policy: CompiledPolicy, input: DecisionInput): Demand {
  if (!isKnown(input)) return NOTHING;
  const scope = scopeOf(input);
  const collected: Collected = {
    facts: new Map(),
    windows: new Set(),
    limits: new Map(),
    after: new Map(),
  };
  for (const { when, requires } of policy.matching(input)) {
    const applies = when?.evaluate(scope);
    if (applies?.kind === 'value' && !applies.value) continue;
    addReferences(collected, when);
    for (const requirement of requires) addRequirement(collected, requirement, { input, scope });
  }
  return {
    facts: [...collected.facts]
      .map(([name, maxAgeMs]) => ({ name, maxAgeMs }))
      .sort((left, right) => compareText(left.name, right.name)),
    windows: [...collected.windows].sort(),
    limits: [...collected.limits.values()].sort((left, right) => compareText(left.key, right.key)),
    after: [...collected.after.values()].sort((left, right) => compareText(left.key, right.key)),
  };
}

function addRequirement(
  collected: Collected,
  compiled: CompiledRequirement,
  { input, scope }: { readonly input: KnownInput; readonly scope: Scope },
): void {
  const { requirement } = compiled.identified;
  const { safing } = input.operation;
  if (requirement.kind === 'window' && !safing) collected.windows.add(requirement.calendar);
  if (requirement.kind === 'fact' && !safing) {
    addFact(collected, requirement.name, requirement.maxAgeMs);
    addReferences(collected, compiled.is);
  }
  if (requirement.kind === 'after') {
    const query = afterQuery(requirement, input);
    collected.after.set(query.key, query);
  }
  if (requirement.kind !== 'limit') return;
  addReferences(collected, compiled.by);
  addReferences(collected, compiled.sum);
  const demand = limitDemand(requirement, compiled, scope);
  if (demand.kind === 'value') collected.limits.set(demand.value.key, demand.value);
}

/** A fact that an expression reads has no age of its own: it is fetched for this decision. */
function addReferences(collected: Collected, expression: Expression<unknown> | undefined): void {
  for (const reference of expression?.references ?? []) {
    const name = FACT_REFERENCE.exec(reference)?.[1];
    if (name !== undefined) addFact(collected, name, 0);
  }
}

function addFact(collected: Collected, name: string, maxAgeMs: number): void {
  collected.facts.set(name, Math.min(maxAgeMs, collected.facts.get(name) ?? Infinity));
}
