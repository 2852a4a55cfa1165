/**
 * Which part of what a person consented to is no longer so (DESIGN section 4). Empty exactly when
 * both subjects have the same consent digest, so that a moved consent always names what moved.
 */
import type { ConsentSubject, Resolution } from './action.ts';
import { shown } from './finding.ts';
import type { JsonObject, JsonValue } from './json/value.ts';
import { writeCanonical } from './json/write.ts';

/** The moved parts as people read them, such as `rows: 12 → 12,431`, in a fixed order. */
export function movedParts(before: ConsentSubject, now: ConsentSubject): readonly string[] {
  return Object.freeze([
    ...movedOccasion(before, now),
    ...movedResolution(before.resolution, now.resolution),
    ...movedValue('', before.preview?.material ?? null, now.preview?.material ?? null),
  ]);
}

function movedOccasion(before: ConsentSubject, now: ConsentSubject): readonly string[] {
  const parts: string[] = [];
  if (before.tenant !== now.tenant) parts.push(moved('tenant', before.tenant, now.tenant));
  if (before.action !== now.action) parts.push(moved('action', before.action, now.action));
  else if (before.nonce !== now.nonce) parts.push('occasion changed');
  if (before.actionDigest !== now.actionDigest) parts.push('content of the action changed');
  return parts;
}

function movedResolution(before: Resolution, now: Resolution): readonly string[] {
  const parts: string[] = [];
  if (before.environment !== now.environment) {
    parts.push(moved('environment', before.environment, now.environment));
  }
  if (before.identity !== now.identity) {
    parts.push(moved('identity', before.identity, now.identity));
  }
  if (before.credential !== now.credential) {
    parts.push(moved('credential', before.credential, now.credential));
  }
  if (before.operation !== now.operation) parts.push('definition of the operation changed');
  if (before.effect !== now.effect) parts.push('compiled effect changed');
  if (before.executor !== now.executor) {
    parts.push(moved('executor', before.executor, now.executor));
  }
  return [...parts, ...movedFiles(before.files, now.files)];
}

function movedFiles(before: JsonObject, now: JsonObject): readonly string[] {
  return namesOf(before, now).flatMap((path) => {
    if (!Object.hasOwn(before, path)) return [`file ${path} is new`];
    if (!Object.hasOwn(now, path)) return [`file ${path} is no longer used`];
    return before[path] === now[path] ? [] : [`file ${path} changed`];
  });
}

/** Compares member by member, so that the message names the smallest part that moved. */
function movedValue(path: string, before: JsonValue, now: JsonValue): readonly string[] {
  if (isObject(before) && isObject(now)) {
    return namesOf(before, now).flatMap((name) => {
      const inner = path === '' ? name : `${path}.${name}`;
      // mutant (default): a member of both, or of the one, has a value there.
      if (!Object.hasOwn(before, name)) return [`${inner}: absent → ${shown(now[name] ?? null)}`];
      // mutant (default): a member of both, or of the one, has a value there.
      if (!Object.hasOwn(now, name)) return [`${inner}: ${shown(before[name] ?? null)} → absent`];
      // mutant (default): a member of both, or of the one, has a value there.
      return movedValue(inner, before[name] ?? null, now[name] ?? null);
    });
  }
  if (writeCanonical(before) === writeCanonical(now)) return [];
  if (Array.isArray(before) && Array.isArray(now)) return [movedList(path, before, now)];
  return [moved(path === '' ? 'preview' : path, before, now)];
}

/** Items of a list that are named one by one; of more only the count is told. */
const ITEMS_SHOWN_MAX = 10;

/** What came and what went, item by item, such as `keys: + 4, 5; − 2`. */
function movedList(path: string, before: readonly JsonValue[], now: readonly JsonValue[]): string {
  const came = without(now, before);
  const went = without(before, now);
  const parts = [
    ...(came.length === 0 ? [] : [`+ ${itemsText(came)}`]),
    ...(went.length === 0 ? [] : [`− ${itemsText(went)}`]),
  ];
  return `${path}: ${parts.length === 0 ? 'in another order' : parts.join('; ')}`;
}

/** The items of one list that the other does not have, each as often as it has more of it. */
function without(items: readonly JsonValue[], others: readonly JsonValue[]): readonly JsonValue[] {
  const left = new Map<string, number>();
  for (const other of others) {
    const text = writeCanonical(other);
    left.set(text, (left.get(text) ?? 0) + 1);
  }
  return items.filter((item) => {
    const text = writeCanonical(item);
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
}

function itemsText(items: readonly JsonValue[]): string {
  const named = items.slice(0, ITEMS_SHOWN_MAX).map(shown);
  const more = items.length - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${String(more)} more`;
}

function moved(name: string, before: JsonValue, now: JsonValue): string {
  const from = shown(before);
  const to = shown(now);
  // Two long values can begin alike; then only that they differ can be said.
  return from === to ? `${name} changed` : `${name}: ${from} → ${to}`;
}

function namesOf(before: JsonObject, now: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
