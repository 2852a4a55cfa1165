/** Compiles samples by the real compiler, over the world's inventory, facts and calendars. */
import type { Digest } from '../../src/kernel/digest.ts';
import { documentOf } from '../../src/kernel/document-reader.ts';
import { compilePolicy } from '../../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../../src/kernel/policy/compiled.ts';
import { ruleValue, type SampleRule } from './sample.ts';
import { INVENTORY } from './world.ts';

const ALWAYS = [{ weekly: 'Mon-Sun 00:00-00:00' }];

/** A policy from rules written as a document's values; throws where the compiler refuses it. */
export function policyOf(rules: readonly unknown[]): CompiledPolicy {
  const document = documentOf(
    {
      version: 1,
      roles: ['lead', 'finance', 'release', 'support'],
      facts: {
        ready: { type: 'boolean', source: { file: '/facts.json', pointer: '/ready' } },
        level: { type: 'integer', source: { file: '/facts.json', pointer: '/level' } },
      },
      calendars: {
        night: { zone: 'UTC', open: ALWAYS },
        week: { zone: 'UTC', open: ALWAYS },
      },
      rules,
    },
    'policy.yaml',
  );
  const { policy, problems } = compilePolicy({ documents: [document], inventory: INVENTORY });
  if (policy === undefined) {
    throw new TypeError(JSON.stringify(problems.map(({ message }) => message)));
  }
  return policy;
}

/** The policy of samples, or `undefined` where a rule of them could never match. */
export function samplePolicy(rules: readonly SampleRule[]): CompiledPolicy | undefined {
  try {
    return policyOf(rules.map(ruleValue));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The requirement digests of a sample in the policy that was compiled from it. */
export function digestsIn(policy: CompiledPolicy): (rule: SampleRule) => readonly Digest[] {
  const byId = new Map(
    policy.rules.map((rule) => [rule.id, rule.requires.map(({ digest }) => digest)]),
  );
  return ({ id }) => byId.get(id) ?? [];
}
