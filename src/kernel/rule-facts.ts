/** What a rule contributes to every decision alike: made once a rule, so that decisions share it. */
import type { Finding } from './decision.ts';
import { fromText } from './consent.ts';
import { formatDurationMs } from './instant.ts';
import type { CompiledRule } from './policy/compiled.ts';
import type { Requirement } from './policy.ts';

/** See the file's comment. */
export interface RuleFacts {
  readonly reference: NonNullable<Finding['rule']>;
  /** An expression of it reads the clock. */
  readonly readsNow: boolean;
  /** The findings that it contributes when all is met: of an `allow` itself, and of each requirement. */
  readonly met: readonly Finding[];
}

const factsByRule = new WeakMap<CompiledRule, RuleFacts>();

/** The parts of a rule that every decision shares. */
export function factsOf(compiled: CompiledRule): RuleFacts {
  const known = factsByRule.get(compiled);
  // mutant: what decisions share is only made again.
  if (known !== undefined) return known;
  const { id, effect, position } = compiled.rule;
  const reference = Object.freeze({ id, effect, position });
  const facts = { reference, readsNow: readsNow(compiled), met: metFindings(compiled, reference) };
  factsByRule.set(compiled, facts);
  return facts;
}

function readsNow({ when, requires }: CompiledRule): boolean {
  const expressions = [when, ...requires.flatMap(({ is, by, sum }) => [is, by, sum])];
  return expressions.some((expression) =>
    expression?.references.some((reference) => /^now\b/u.test(reference)),
  );
}

function metFindings(
  { rule }: CompiledRule,
  reference: RuleFacts['reference'],
): readonly Finding[] {
  const own: Finding[] =
    rule.effect === 'allow'
      ? [{ code: 'allowed', status: 'met', message: `\`${rule.id}\` allows it`, rule: reference }]
      : [];
  const requirements = rule.requires.map(({ digest, requirement }): Finding => ({
    code: 'requirement_met',
    status: 'met',
    message: requirementText(requirement),
    rule: reference,
    requirement: digest,
  }));
  return [...own, ...requirements];
}

/** A requirement in the words of the policy, such as `2 approvals from role:lead`. */
function requirementText(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'approval': {
      const plural = requirement.count === 1 ? '' : 's';
      return `${String(requirement.count)} approval${plural} from ${fromText(requirement)}`;
    }
    case 'confirmation':
      return 'confirmation by the delegator';
    case 'window':
      return `window \`${requirement.calendar}\``;
    case 'fact':
      return `fact \`${requirement.name}\` is ${requirement.is ?? 'true'}`;
    case 'limit': {
      const { bound, name, perMs } = requirement;
      const most = bound.kind === 'count' ? String(bound.count) : bound.max;
      return `limit \`${name}\` of ${most} per ${formatDurationMs(perMs)}`;
    }
    case 'after':
      return `after \`${requirement.operation}\``;
    case 'evidence':
    case 'authorized':
      return `\`${requirement.kind}\``;
    default:
      return requirement satisfies never;
  }
}
