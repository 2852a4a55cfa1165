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
      if (!Object.hasOwn(before, name)) return [`${inner}: absent → ${shown(now[name] ?? null)}`];
      if (!Object.hasOwn(now, name)) return [`${inner}: ${shown(before[name] ?? null)} → absent`];
      return movedValue(inner, before[name] ?? null, now[name] ?? null);
    });
  }
  if (writeCanonical(before) === writeCanonical(now)) return [];
  return [moved(path === '' ? 'preview' : path, before, now)];
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
