/**
 * Findings in the making: how values are written for people, and the order findings are given in.
 * Every part of a decision makes drafts; `decide.ts` says which rule each one comes from.
 */
import { FINDING_CODES, type Finding, type FindingCode } from './decision.ts';
import type { JsonValue } from './json/value.ts';
import { writeCanonical } from './json/write.ts';

/** A finding before it is known which rule asked. */
export type Draft = Omit<Finding, 'rule' | 'requirement'>;

/** Nothing to report; shared, so that a check that is met makes nothing. */
export const NO_DRAFTS: readonly Draft[] = Object.freeze([]);

/** The longest value that a message quotes whole, in characters. */
export const SHOWN_LENGTH_MAX = 80;

const PRECEDENCE: ReadonlyMap<FindingCode, number> = new Map(
  FINDING_CODES.map((code, index) => [code, index]),
);

/** A value as people read it: integers with separators, text without quotes, long values cut. */
export function shown(value: JsonValue): string {
  const text = typeof value === 'number' ? shownNumber(value) : shownOther(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX - 1)}…` : text;
}

/** Orders by code's precedence, then rule id, requirement and message. */
export function compareFindings(left: Finding, right: Finding): number {
  return (
    // mutant: every code has its place.
    (PRECEDENCE.get(left.code) ?? 0) - (PRECEDENCE.get(right.code) ?? 0) ||
    compareText(left.rule?.id ?? '', right.rule?.id ?? '') ||
    compareText(left.requirement ?? '', right.requirement ?? '') ||
    compareText(left.message, right.message)
  );
}

/** Orders by UTF-16 code units, as every sorted list of a decision is. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  // mutant: equal ones are out already.
  return left < right ? -1 : 1;
}

function shownNumber(value: number): string {
  if (!Number.isSafeInteger(value)) return String(value);
  return String(value).replace(/\B(?=(?:\d{3})+$)/gu, ',');
}

function shownOther(value: JsonValue): string {
  if (value === null) return 'none';
  return typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}]/gu, '�') : writeCanonical(value);
}
