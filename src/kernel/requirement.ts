/**
 * One requirement judged now: met, or unmet with what would meet it and when, or undetermined with
 * the error, or impossible. Every kind has one function; nothing here knows about rules.
 */
import type { Hearing } from './hearing.ts';
import type { CompiledRequirement } from './policy/compiled.ts';
import { failing, MET, type Assessment } from './requirement/assessment.ts';
import { assessConsent } from './requirement/consent.ts';
import { assessFact } from './requirement/fact.ts';
import { assessLimit } from './requirement/limit.ts';
import { assessAfter, assessWindow } from './requirement/time.ts';

/** Judges a requirement, once a hearing. */
export function assess(compiled: CompiledRequirement, hearing: Hearing): Assessment {
  const { digest } = compiled.identified;
  const known = hearing.assessed.get(digest);
  if (known !== undefined) return known;
  const assessment = assessAnew(compiled, hearing);
  hearing.assessed.set(digest, assessment);
  return assessment;
}

function assessAnew(compiled: CompiledRequirement, hearing: Hearing): Assessment {
  const { requirement } = compiled.identified;
  const { safing } = hearing.input.operation;
  switch (requirement.kind) {
    case 'approval':
    case 'confirmation':
      return assessConsent(requirement, compiled.identified.digest, hearing);
    case 'window':
      return safing ? MET : assessWindow(requirement, hearing.input);
    case 'fact':
      return safing ? MET : assessFact(requirement, compiled, hearing);
    case 'limit':
      return assessLimit(requirement, compiled, hearing);
    case 'after':
      return assessAfter(requirement, hearing.input);
    case 'evidence':
    case 'authorized':
      return failing({
        code: 'requirement_unsupported',
        status: 'undetermined',
        message: `\`${requirement.kind}\` is declared but cannot be checked by this version`,
      });
    default:
      return requirement satisfies never;
  }
}
