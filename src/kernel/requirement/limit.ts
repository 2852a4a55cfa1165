/** The `limit` requirement: a count or an exact sum a period, one counter for each value of `by`. */
import {
  add,
  compare,
  decimalOf,
  formatDecimal,
  isDecimal,
  parseDecimal,
  subtract,
  type Decimal,
} from '../decimal.ts';
import type { LimitDemand, LimitState } from '../decision.ts';
import { NO_DRAFTS, shown, type Draft } from '../finding.ts';
import type { Hearing } from '../hearing.ts';
import { formatDurationMs, formatInstant, type Instant } from '../instant.ts';
import type { CompiledRequirement, Evaluated, Scope } from '../policy/compiled.ts';
import type { Requirement } from '../policy.ts';
import { failing, type Assessment } from './assessment.ts';

type LimitRequirement = Extract<Requirement, { readonly kind: 'limit' }>;

const ONE = decimalOf(1n);
const ONE_TEXT = '1';

/** What every decision by this requirement shares. */
interface Counter {
  readonly prefix: string;
  readonly max: Decimal;
}

const counters = new WeakMap<CompiledRequirement, Counter>();

/**
 * The counter this action would be posted to. Its key names everything that makes it another counter
 * (name, period, what is summed, by what) and not the maximum, so that a changed maximum goes on with
 * what was used; equal keys are equal counters.
 */
export function limitDemand(
  requirement: LimitRequirement,
  compiled: CompiledRequirement,
  scope: Scope,
): Evaluated<LimitDemand> {
  const by: Evaluated<string> = compiled.by?.evaluate(scope) ?? { kind: 'value', value: '' };
  if (by.kind !== 'value') return by;
  const key = counterOf(requirement, compiled).prefix + by.value;
  return { kind: 'value', value: { key, perMs: requirement.perMs } };
}

function counterOf(requirement: LimitRequirement, compiled: CompiledRequirement): Counter {
  const known = counters.get(compiled);
  // mutant: what every decision shares is only made again.
  if (known !== undefined) return known;
  const { name, perMs, bound, by } = requirement;
  // mutant: a count sums nothing, and JSON writes that as null too.
  const sum = bound.kind === 'sum' ? bound.sum : null;
  // JSON ends itself, so that nothing in a value can look like another counter's prefix.
  // mutant: an absent `by` is written as null too.
  const prefix = `limit:${JSON.stringify([name, perMs, sum, by ?? null])}:`;
  const counter = { prefix, max: maxOf(requirement) };
  counters.set(compiled, counter);
  return counter;
}

/** Used and this action together are at most the maximum, exactly. */
export function assessLimit(
  requirement: LimitRequirement,
  compiled: CompiledRequirement,
  hearing: Hearing,
): Assessment {
  const demand = limitDemand(requirement, compiled, hearing.scope);
  if (demand.kind !== 'value') return unclear(requirement, demand.message);
  const { key } = demand.value;
  const amount = amountOf(compiled, hearing.scope);
  if (typeof amount === 'string') return unclear(requirement, amount);
  const { limits } = hearing.input.local;
  const state = Object.hasOwn(limits, key) ? limits[key] : undefined;
  const used = state && parseDecimal(state.used);
  // mutant: where there is no state there is no use.
  if (state === undefined || used === undefined) return unclear(requirement, 'use is not known');
  const total = add(used, amount);
  const { max } = counterOf(requirement, compiled);
  if (compare(total, max) <= 0) {
    // mutant: the one is written alike, only slower.
    const text = amount === ONE ? ONE_TEXT : formatDecimal(amount);
    const reserve = { key, perMs: requirement.perMs, amount: text };
    return { status: 'met', drafts: NO_DRAFTS, reserve, until: Infinity, wakeAt: Infinity };
  }
  const counted = { requirement, compiled, key, amount, used, max, state };
  return failing(over(counted, hearing.input.action.deadline));
}

/** What this action adds, or why that is not known. */
function amountOf(compiled: CompiledRequirement, scope: Scope): Decimal | string {
  if (compiled.sum === undefined) return ONE;
  const sum = compiled.sum.evaluate(scope);
  if (sum.kind !== 'value') return sum.message;
  const amount = isDecimal(sum.value) ? sum.value : decimalOf(sum.value);
  // A negative amount would give room to others that nobody gave.
  return amount.unscaled < 0n ? `${formatDecimal(amount)} is negative` : amount;
}

function maxOf({ bound }: LimitRequirement): Decimal {
  if (bound.kind === 'count') return decimalOf(BigInt(bound.count));
  const max = parseDecimal(bound.max);
  if (max === undefined) throw new TypeError(`a compiled limit has the maximum \`${bound.max}\``);
  return max;
}

function unclear({ name }: LimitRequirement, why: string): Assessment {
  const message = `limit \`${name}\` cannot be counted: ${shown(why)}`;
  return failing({ code: 'over_limit', status: 'undetermined', message, waitsFor: 'fact' });
}

interface Counted {
  readonly requirement: LimitRequirement;
  readonly compiled: CompiledRequirement;
  readonly key: string;
  readonly amount: Decimal;
  readonly used: Decimal;
  readonly max: Decimal;
  readonly state: LimitState;
}

function over(counted: Counted, deadline: Instant): Draft {
  const { requirement, key, amount, used, max } = counted;
  const { name, perMs } = requirement;
  const per = `of ${formatDecimal(max)} per ${formatDurationMs(perMs)}`;
  const values = { actual: formatDecimal(add(used, amount)), needed: formatDecimal(max) };
  const alone = compare(amount, max) > 0;
  const room = alone ? max : subtract(max, used);
  const change = changeTo(counted, room);
  if (alone) {
    const message = `${formatDecimal(amount)} alone is over limit \`${name}\` ${per}`;
    return { code: 'over_limit', status: 'impossible', message, ...values, ...change };
  }
  const at = freesAt(counted);
  // mutant: no instant is not before the deadline.
  const inTime = at !== undefined && at < deadline;
  const until = inTime ? `, until ${formatInstant(at)}` : '';
  return {
    code: 'over_limit',
    status: 'unmet',
    message: `limit \`${name}\`: ${formatDecimal(used)} ${per} is used${until}`,
    ...values,
    ...change,
    ...(inTime ? { at } : {}),
    waitsFor: key,
  };
}

/** The largest amount that fits now, where the amount is one of the action's own values. */
function changeTo({ requirement }: Counted, room: Decimal): { change?: string } {
  // mutant (condition): a count has no sum that could be changed.
  if (requirement.bound.kind === 'count' || room.unscaled <= 0n) return {};
  const own = /^(?:args|measures)\.([\w.-]+)$/u.exec(requirement.bound.sum)?.[1];
  return own === undefined ? {} : { change: `${own} <= ${formatDecimal(room)}` };
}

/** When time alone brings the use down far enough. */
function freesAt({ state, amount, max }: Counted): Instant | undefined {
  const freed = state.frees.find(({ used }) => {
    const left = parseDecimal(used);
    return left !== undefined && compare(add(left, amount), max) <= 0;
  });
  return freed?.at;
}
