/** Durations and instants as people write them on a command line. */

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `1h30m` or `7d` in milliseconds, or `undefined` where it is none. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:ms|s|m|h|d))+$/u.test(text)) return undefined;
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/gu)) {
    totalMs += Number(count) * (UNITS_MS[unit ?? ''] ?? Number.NaN);
  }
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}

/** A duration from now, or an RFC 3339 instant, as an RFC 3339 instant; `undefined` where it is neither. */
export function parseMoment(text: string, nowMs: number): string | undefined {
  const durationMs = parseDurationMs(text);
  const ms = durationMs === undefined ? instantMs(text) : nowMs + durationMs;
  // The last instant that a Date can hold.
  if (ms === undefined || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return undefined;
  return new Date(ms).toISOString();
}

function instantMs(text: string): number | undefined {
  const full = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/u;
  return full.test(text) ? Date.parse(text) : undefined;
}
