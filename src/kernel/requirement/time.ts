/** The requirements about time: `window` (a calendar is open) and `after` (something succeeded before). */
import type { AfterQuery, DecisionInput, WindowState } from '../decision.ts';
import type { Draft } from '../finding.ts';
import type { KnownInput } from '../hearing.ts';
import { addMs, formatDurationMs, formatInstant, instantOf, type Instant } from '../instant.ts';
import type { Requirement } from '../policy.ts';
import { failing, MET, metUntil, type Assessment } from './assessment.ts';

type WindowRequirement = Extract<Requirement, { readonly kind: 'window' }>;
type AfterRequirement = Extract<Requirement, { readonly kind: 'after' }>;

/** Open now, and with enough time left. The last safe start is excluded, as every end is. */
export function assessWindow(requirement: WindowRequirement, input: KnownInput): Assessment {
  const { calendar } = requirement;
  const state = Object.hasOwn(input.windows, calendar) ? input.windows[calendar] : undefined;
  if (state === undefined) {
    return failing({
      code: 'window_closed',
      status: 'undetermined',
      message: `window \`${calendar}\` is not known`,
      waitsFor: 'fact',
    });
  }
  if (!state.open) return closed(calendar, state, input);
  if (state.closesAt === undefined) return MET;
  const startMs = requirement.lastStartMs ?? input.operation.timeoutMs;
  const lastStart = state.closesAt - startMs;
  if (input.now < lastStart) return metUntil(lastStart);
  return tooShort(calendar, { ...state, closesAt: state.closesAt, startMs }, input);
}

function closed(calendar: string, state: WindowState, input: KnownInput): Assessment {
  const { opensAt } = state;
  if (opensAt === undefined || opensAt >= input.action.deadline) {
    const when = opensAt === undefined ? 'never opens again' : `opens ${formatInstant(opensAt)}`;
    return failing({
      code: 'window_closed',
      status: 'impossible',
      message: `window \`${calendar}\` is closed and ${when}; the deadline is ${formatInstant(input.action.deadline)}`,
    });
  }
  return failing({
    code: 'window_closed',
    status: 'unmet',
    message: `window \`${calendar}\` is closed until ${formatInstant(opensAt)}`,
    at: opensAt,
    waitsFor: 'time',
  });
}

function tooShort(
  calendar: string,
  state: { readonly closesAt: Instant; readonly opensAt?: Instant; readonly startMs: number },
  input: KnownInput,
): Assessment {
  const { closesAt, opensAt, startMs } = state;
  const message = `window \`${calendar}\` closes ${formatInstant(closesAt)}, sooner than ${formatDurationMs(startMs)} from now`;
  const code = 'window_too_short';
  const at = instantOf(Math.max(closesAt, opensAt ?? closesAt));
  if (at >= input.action.deadline) return failing({ code, status: 'impossible', message });
  return failing({ code, status: 'unmet', message, at, waitsFor: 'time' });
}

/** What the engine must look up for an `after`. Names have no slash, so the key is injective. */
export function afterQuery(
  requirement: AfterRequirement,
  input: Pick<DecisionInput, 'action'>,
): AfterQuery {
  const target = requirement.target ?? input.action.target;
  const { operation } = requirement;
  return { key: `after:${target}/${operation}`, target, operation };
}

/** Whether the other operation succeeded, not too long ago and not too recently. */
export function assessAfter(requirement: AfterRequirement, input: KnownInput): Assessment {
  const { key, target, operation } = afterQuery(requirement, input);
  const what = `\`${operation}\` at \`${target}\``;
  const at = Object.hasOwn(input.local.after, key) ? input.local.after[key] : undefined;
  if (at === undefined) {
    return failing({
      code: 'after_missing',
      status: 'unmet',
      message: `${what} has not succeeded`,
      waitsFor: key,
    });
  }
  const { withinMs = Infinity, atLeastMs = 0 } = requirement;
  const end = at + withinMs;
  if (input.now > end) {
    return failing({
      code: 'after_too_late',
      status: 'unmet',
      message: `${what} succeeded ${formatInstant(at)}, longer than ${formatDurationMs(withinMs)} ago`,
      waitsFor: key,
    });
  }
  const start = addMs(at, atLeastMs);
  if (input.now < start) return failing(tooSoon(what, { start, key, atLeastMs }, input));
  // The end itself still counts; the first instant that does not is the one after it.
  return metUntil(end + 1);
}

function tooSoon(
  what: string,
  { start, key, atLeastMs }: { start: Instant; key: string; atLeastMs: number },
  input: KnownInput,
): Draft {
  const message = `${what} succeeded less than ${formatDurationMs(atLeastMs)} ago`;
  // Another success would only begin the wait anew.
  if (start >= input.action.deadline) {
    return { code: 'after_too_soon', status: 'impossible', message };
  }
  return { code: 'after_too_soon', status: 'unmet', message, at: start, waitsFor: key };
}
