/**
 * One decision in progress: the input with what several rules ask of it, each worked out once and
 * only if asked. It lives for one call of `decide` and never leaves the kernel.
 */
import { consentDigest } from './action.ts';
import type { DecisionInput } from './decision.ts';
import type { Digest } from './digest.ts';
import type { Operation, Target } from './inventory.ts';
import { samePerson, type SamePerson } from './people.ts';
import type { Assessment } from './requirement/assessment.ts';
import type { Scope } from './policy/compiled.ts';
import { scopeOf } from './scope.ts';

/** An input whose target and operation are known. */
export type KnownInput = DecisionInput & { readonly target: Target; readonly operation: Operation };

/** See the file's comment. Mutable on purpose: a cache that one synchronous call fills. */
export interface Hearing {
  readonly input: KnownInput;
  readonly scope: Scope;
  /** By requirement digest: equal requirements are one, and are assessed once. */
  readonly assessed: Map<Digest, Assessment>;
  consent: { readonly digest: Digest | undefined } | undefined;
  same: SamePerson | undefined;
}

/** Opens a hearing. */
export function hear(input: KnownInput): Hearing {
  return { input, scope: scopeOf(input), assessed: new Map(), consent: undefined, same: undefined };
}

/** Whether the action's target and operation are in the inventory. */
export function isKnown(input: DecisionInput): input is KnownInput {
  return input.target !== undefined && input.operation !== undefined;
}

/**
 * The consent digest that a yes must be to. Absent while resolution or preview are not known, and
 * where the subject is not about this action: then no approval can count.
 */
export function consentOf(hearing: Hearing): Digest | undefined {
  // mutant: what is worked out again is the same.
  if (hearing.consent === undefined) {
    const { consent, id, actionDigest } = hearing.input;
    const about = consent?.action === id && consent.actionDigest === actionDigest;
    // mutant: what is not there is about no action.
    hearing.consent = { digest: consent && about ? consentDigest(consent) : undefined };
  }
  return hearing.consent.digest;
}

/** Who is the same person as who. */
export function sameOf(hearing: Hearing): SamePerson {
  hearing.same ??= samePerson(hearing.input.local.people);
  return hearing.same;
}
