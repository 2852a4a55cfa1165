/**
 * What an agent is told of a decision: codes, and values only where the operation declares them
 * visible to agents (DESIGN section 5). What a finding says about the agent's own words it may know.
 */
import type { Ask, Finding, FindingCode } from './decision.ts';
import { argumentOf } from './explain/values.ts';
import type { Operation } from './inventory.ts';

/** A finding as agents see it. */
export interface AgentFinding {
  readonly code: FindingCode;
  /** Only about the agent's own words, and the sentence of a `deny`. */
  readonly message?: string;
  /** Only over values that are visible to agents. */
  readonly change?: string;
  readonly have?: number;
  readonly need?: number;
  /** Such as `role:payments-lead`, never who has it. */
  readonly from?: string;
}

const OWN_WORDS: ReadonlySet<FindingCode> = new Set([
  // The sentence of a `deny` is written for whoever is denied.
  'denied_by_rule',
  'target_unknown',
  'operation_unknown',
  'arguments_invalid',
]);

/** The findings that are not met, each once, without what is not the agent's to know. */
export function forAgent(
  findings: readonly Finding[],
  operation: Operation | undefined,
  asks: readonly Ask[] = [],
): readonly AgentFinding[] {
  return findings
    .filter((finding) => finding.status !== 'met')
    .map((finding) => {
      const { code, change, message, requirement } = finding;
      const ask = ANSWERABLE.has(code)
        ? asks.find((each) => each.requirement === requirement)
        : undefined;
      return {
        code,
        ...(OWN_WORDS.has(code) ? { message } : {}),
        // mutant: an absent change names no value.
        ...(change !== undefined && isVisible(change, operation) ? { change } : {}),
        ...(ask === undefined ? {} : { have: ask.have, need: ask.need, from: fromText(ask) }),
      };
    });
}

const ANSWERABLE: ReadonlySet<FindingCode> = new Set(['approval_missing', 'confirmation_missing']);

function fromText({ from }: Ask): string {
  if (from === 'delegator') return 'delegator';
  return 'role' in from ? `role:${from.role}` : `person:${from.person}`;
}

/** A change names one value: an argument, or a measure that is an argument as it is. */
function isVisible(change: string, operation: Operation | undefined): boolean {
  const name = /^[\w.-]+/u.exec(change)?.[0];
  // mutant: without a name it names no value.
  if (operation === undefined || name === undefined) return false;
  const measure = Object.hasOwn(operation.measures, name) ? operation.measures[name] : undefined;
  // mutant: what is computed is not visible under any name.
  const behind = measure === undefined ? [] : [argumentOf(measure) ?? ''];
  const own = Object.hasOwn(operation.arguments, name) ? [name] : [];
  const read = [...behind, ...own];
  return read.length > 0 && read.every((each) => operation.visibleToAgents.includes(each));
}
