/** Instants of files that are not ours to trust, as people read them. */
import { formatInstant, instantOf } from '../kernel/instant.ts';

const SHOWN_MS_MAX = 253_402_300_799_999;

/** RFC 3339 in UTC; beyond the year 9999 the milliseconds since 1970. */
export function timeText(ms: number): string {
  return ms <= SHOWN_MS_MAX ? formatInstant(instantOf(ms)) : `${String(ms)} ms`;
}
