/** Query parameters: all of them text, each at most once, unknown ones refused. */
import * as z from 'zod';
import { WAIT_SECONDS_MAX } from './headers.ts';

/** No parameters. */
export type NoQuery = Readonly<Record<string, never>>;

/** A route that takes none. */
export const noQuery: z.ZodType<NoQuery> = z.strictObject({});

/** How long to wait for a change. */
export interface WaitQuery {
  /** Seconds; longer ones than 60 are cut to that. */
  readonly wait?: number;
}

/** A {@link WaitQuery} as received. */
export const waitQuery: z.ZodType<WaitQuery> = z.strictObject({
  wait: wholeNumber(0, 86_400)
    .transform((seconds) => Math.min(seconds, WAIT_SECONDS_MAX))
    .exactOptional(),
});

/** A whole number in decimal digits, as text. */
export function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,15}$/u, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}
