/** Findings as answers tell them: whole to people, without what is not theirs to agents. */
import * as z from 'zod';
import type { JsonValue } from '../kernel/json/value.ts';
import { instantText, jsonValue } from './words.ts';

/** Where a rule stands in the policy. */
interface RuleView {
  readonly id: string;
  readonly effect: string;
  readonly file: string;
  readonly line: number;
}

/** One finding. `code` is stable; agents see values only where the inventory declares them visible. */
export interface FindingView {
  readonly code: string;
  readonly status?: 'met' | 'unmet' | 'undetermined' | 'impossible';
  readonly message?: string;
  readonly rule?: RuleView;
  readonly actual?: JsonValue;
  readonly needed?: JsonValue;
  /** The smallest change to the action that would meet it, such as `amount <= 20.00`. */
  readonly change?: string;
  /** When time alone would meet it. */
  readonly at?: string;
  /** Of an approval or a confirmation: how many of how many, and whose. */
  readonly have?: number;
  readonly need?: number;
  readonly from?: string;
}

/** A {@link FindingView} as sent. */
export const findingView: z.ZodType<FindingView> = z.object({
  code: z.string(),
  status: z.enum(['met', 'unmet', 'undetermined', 'impossible']).exactOptional(),
  message: z.string().exactOptional(),
  rule: z
    .object({ id: z.string(), effect: z.string(), file: z.string(), line: z.int() })
    .exactOptional(),
  actual: jsonValue.exactOptional(),
  needed: jsonValue.exactOptional(),
  change: z.string().exactOptional(),
  at: instantText.exactOptional(),
  have: z.int().exactOptional(),
  need: z.int().exactOptional(),
  from: z.string().exactOptional(),
});
