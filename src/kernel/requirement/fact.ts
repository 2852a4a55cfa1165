/** The `fact` requirement: a live value, fresh enough, that says what the policy wants. */
import type { Fact } from '../decision.ts';
import type { Hearing } from '../hearing.ts';
import { formatDurationMs } from '../instant.ts';
import type { CompiledRequirement } from '../policy/compiled.ts';
import type { Requirement } from '../policy.ts';
import { factScopeOf } from '../scope.ts';
import { failing, metUntil, MET, type Assessment } from './assessment.ts';
import { shown } from '../finding.ts';

type FactRequirement = Extract<Requirement, { readonly kind: 'fact' }>;

/** Age counts from the start of the request for the value. A maximum of 0 is the engine's to keep. */
export function assessFact(
  requirement: FactRequirement,
  compiled: CompiledRequirement,
  hearing: Hearing,
): Assessment {
  const { name, maxAgeMs } = requirement;
  const { facts, now } = hearing.input;
  const gathered = Object.hasOwn(facts, name) ? facts[name] : undefined;
  if (gathered?.kind !== 'known') {
    const why =
      gathered?.kind === 'failed' ? `${gathered.code}: ${gathered.message}` : 'not read yet';
    return unavailable(`fact \`${name}\` is not known: ${why}`);
  }
  const fact = gathered.value;
  const ageMs = now - fact.observedAt;
  if (maxAgeMs > 0 && ageMs > maxAgeMs) {
    return failing({
      code: 'fact_stale',
      status: 'unmet',
      message: `fact \`${name}\` is ${formatDurationMs(ageMs)} old, at most ${formatDurationMs(maxAgeMs)} is allowed`,
      actual: ageMs,
      needed: maxAgeMs,
      waitsFor: 'fact',
    });
  }
  return assessValue(fact, { requirement, compiled, hearing });
}

function assessValue(
  fact: Fact,
  of: { requirement: FactRequirement; compiled: CompiledRequirement; hearing: Hearing },
): Assessment {
  const { name, maxAgeMs } = of.requirement;
  const { is } = of.compiled;
  const result = is
    ? is.evaluate(factScopeOf(of.hearing.scope, name))
    : { kind: 'value' as const, value: fact.value === true };
  if (result.kind !== 'value') {
    return unavailable(`fact \`${name}\` cannot be judged: ${result.message}`);
  }
  if (!result.value) {
    return failing({
      code: 'fact_unmet',
      status: 'unmet',
      message: `fact \`${name}\` is ${shown(fact.value)}, needed is ${is?.source ?? 'true'}`,
      actual: fact.value,
      needed: is?.source ?? true,
      waitsFor: 'fact',
    });
  }
  return maxAgeMs > 0 ? metUntil(fact.observedAt + maxAgeMs + 1) : MET;
}

function unavailable(message: string): Assessment {
  return failing({ code: 'fact_unavailable', status: 'undetermined', message, waitsFor: 'fact' });
}
