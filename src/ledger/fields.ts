/** Reads the members of parsed JSON documents; what is not as its format says is a doubt, not a guess. */
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { Doubt } from './doubt.ts';

/** The value as an object; `what` names it in the doubt. */
export function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || isList(value)) throw malformed(what);
  return value;
}

/** The value as a list. */
export function listOf(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (!isList(value)) throw malformed(what);
  return value;
}

/** The value as a text. */
export function textOf(value: JsonValue | undefined, what: string): string {
  if (typeof value !== 'string') throw malformed(what);
  return value;
}

/** The value as a text, or `null`, which absent members count as. */
export function textOrNull(value: JsonValue | undefined, what: string): string | null {
  return value === null || value === undefined ? null : textOf(value, what);
}

/** The value as an integer that is not negative. */
export function countOf(value: JsonValue | undefined, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(what);
  return value;
}

/** The value as a list of texts. */
export function textsOf(value: JsonValue | undefined, what: string): readonly string[] {
  return listOf(value, what).map((each) => textOf(each, what));
}

/** Refuses members that the format does not have: what is not understood is not passed over. */
export function onlyMembers(object: JsonObject, names: readonly string[], what: string): void {
  if (!Object.keys(object).every((name) => names.includes(name))) throw malformed(what);
}

/** The doubt about a part that is not as the format says. */
export function malformed(what: string): Doubt {
  return new Doubt('malformed', `${what} is not as the format says`);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
