/** One decision by a few rules, in circumstances that are calm but for what an example changes. */
import type { Decision, DecisionInput, Finding, LocalFacts } from '../../src/kernel/decision.ts';
import { decide } from '../../src/kernel/decide.ts';
import type { Draft } from '../../src/kernel/finding.ts';
import { isKnown, type KnownInput } from '../../src/kernel/hearing.ts';
import type { Assessment } from '../../src/kernel/requirement/assessment.ts';
import type { Operation } from '../../src/kernel/inventory.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { CALM, inputOf, type SampleInput } from './circumstances.ts';
import { policyOf } from './policies.ts';

/** What is not calm. */
export interface Example {
  /** As in a policy document; absent, one rule allows everything. */
  readonly rules?: readonly unknown[];
  readonly sample?: Partial<SampleInput>;
  readonly change?: (input: DecisionInput) => DecisionInput;
}

/** The rule that allows everything. */
export const ALLOW: object = { id: 'allow', match: {}, allow: [] };

/** The rule that allows everything, and one that requires this. */
export function requiring(...requirements: readonly unknown[]): readonly unknown[] {
  return [ALLOW, { id: 'require', match: {}, require: requirements }];
}

/** The policy and the input of an example. */
export function exampleOf({ rules, sample, change }: Example): {
  readonly policy: CompiledPolicy;
  readonly input: KnownInput;
} {
  const policy = policyOf(rules ?? [ALLOW]);
  const calm = inputOf({ ...CALM, ...sample }, policy);
  const input = change === undefined ? calm : change(calm);
  if (!isKnown(input)) throw new Error('an example has a target and an operation');
  return { policy, input };
}

/** What is decided about an example. */
export function decided(example: Example): Decision {
  const { policy, input } = exampleOf(example);
  return decide(policy, input);
}

/** Other local facts. */
export function local(changes: Partial<LocalFacts>): (input: DecisionInput) => DecisionInput {
  return (input) => ({ ...input, local: { ...input.local, ...changes } });
}

/** Another operation under the same name. */
export function operation(changes: Partial<Operation>): (input: DecisionInput) => DecisionInput {
  return (input) =>
    input.operation === undefined
      ? input
      : { ...input, operation: { ...input.operation, ...changes } };
}

/** What findings say, but for the wording, and the rule by its id alone. */
export function plain(findings: readonly (Draft | Finding)[]): readonly unknown[] {
  return findings.map((finding) => {
    const { message: _message, ...rest } = finding;
    return 'rule' in rest && rest.rule !== undefined ? { ...rest, rule: rest.rule.id } : rest;
  });
}

/** An assessment with its drafts but for the wording. */
export function plainly(assessment: Assessment): object {
  return { ...assessment, drafts: plain(assessment.drafts) };
}
