/** What a decision says, as the naive reference says it. */
import type { Decision } from '../../src/kernel/decision.ts';
import type { Gist } from './reference.ts';

/** The gist of a decision. */
export function gistOf(decision: Decision): Gist {
  return {
    verdict: decision.verdict,
    findings: decision.findings
      .map(({ code, status, rule }) => `${code} ${status} ${rule?.id ?? '-'}`)
      .sort(),
    matched: decision.matched,
    shadow: decision.shadow.map(({ rule, would }) => `${rule} ${would}`),
    consumes: decision.consumes,
    reserves: decision.reserves.map(({ key, amount }) => `${key} ${amount}`),
    asks: decision.asks.map(
      ({ requirement, have, need, until }) =>
        `${requirement} ${String(have)}/${String(need)} ${String(until)}`,
    ),
    validUntil: decision.validUntil,
    wakeAt: decision.wakeAt,
  };
}
