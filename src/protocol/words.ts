/** The words every answer is written with, and the small schemas that several shapes share. */
import * as z from 'zod';
import type { JsonValue } from '../kernel/json/value.ts';

/** What became of the effect. `partly`: it ran, reported failure, and may have had some effect. */
export const EXECUTED = ['yes', 'no', 'partly', 'unknown'] as const;

/** One of {@link EXECUTED}. */
export type Executed = (typeof EXECUTED)[number];

/** Where an action is. */
export const ACTION_STATES = [
  'held',
  'executing',
  'succeeded',
  'failed',
  'not_executed',
  'unknown',
  'denied',
  'rejected',
  'withdrawn',
  'expired',
] as const;

/** One of {@link ACTION_STATES}. */
export type ActionState = (typeof ACTION_STATES)[number];

/** An instant as answers write it: RFC 3339 in UTC with milliseconds. */
export const instantText: z.ZodType<string> = z.iso.datetime({ precision: 3 });

/** An instant as requests may write it: RFC 3339 with any zone; read by the layer's own parser. */
export const instantInput: z.ZodType<string> = z.string().min(1).max(40);

/** Any JSON value. Bodies come out of the strict parser, so nothing is checked again. */
export const jsonValue: z.ZodType<JsonValue> = z.custom<JsonValue>(
  (value) => value !== undefined && typeof value !== 'function',
);

/** Any JSON object. */
export const jsonObject: z.ZodType<{ readonly [name: string]: JsonValue }> = z.custom<{
  readonly [name: string]: JsonValue;
}>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);

/** A name of an agent, a person, a role or a target's part: 1 to 64 of a-z, 0-9, dot, underscore, hyphen. */
export const nameText: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/u, 'must be 1 to 64 of a-z, 0-9, `.`, `_`, `-`');
