/** JSON pointers (RFC 6901) into the answers of systems: identities, environments, previews. */
import type { Probe } from '../kernel/inventory.ts';
import type { JsonArray, JsonObject, JsonValue } from '../kernel/json/value.ts';
import { refuse } from './refusal.ts';

/** The tokens of a pointer, unescaped; a pointer that is not one names nothing. */
function tokensOf(pointer: string): readonly string[] | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return undefined;
  const tokens = pointer.slice(1).split('/');
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value at `pointer`, or `undefined` where there is none. */
export function valueAt(document: JsonValue, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const token of tokensOf(pointer) ?? [undefined]) {
    value = token === undefined ? undefined : childOf(value, token);
  }
  return value;
}

/** The member or element named by one token, or `undefined`. */
export function childOf(value: JsonValue | undefined, token: string): JsonValue | undefined {
  if (isJsonObject(value)) return Object.hasOwn(value, token) ? value[token] : undefined;
  return isJsonArray(value) && /^(?:0|[1-9]\d*)$/u.test(token) ? value[Number(token)] : undefined;
}

/** Whether the value is a JSON array. */
export function isJsonArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value);
}

/** Whether the value is a JSON object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What the pointers select, nested as it was: `/a/b` gives `{a: {b: …}}`. With `required` a pointer
 * that leads nowhere refuses as `preview_incomplete`, else it is left out.
 */
export function select(
  document: JsonValue,
  pointers: readonly string[],
  required: boolean,
): JsonObject {
  const selected: MutableObject = emptyObject();
  // The shorter first: what lies within a selected value is selected with it.
  for (const pointer of pointers.toSorted((a, b) => a.length - b.length)) {
    const value = valueAt(document, pointer);
    const tokens = tokensOf(pointer) ?? [];
    if (value === undefined) {
      if (required) refuse('preview_incomplete', `the preview has nothing at \`${pointer}\``);
    } else if (tokens.length > 0) {
      place(selected, tokens, value);
    } else if (isJsonObject(value)) {
      Object.assign(selected, value);
    } else {
      refuse('preview_incomplete', 'the preview is no json object');
    }
  }
  return deepFreeze(selected);
}

type MutableObject = { [name: string]: JsonValue };

function emptyObject(): MutableObject {
  return Object.setPrototypeOf({}, null);
}

function place(into: MutableObject, tokens: readonly string[], value: JsonValue): void {
  let at = into;
  for (const token of tokens.slice(0, -1)) {
    const inner = at[token];
    // Made by an earlier pointer; anything else is a selected value that holds this one already.
    const next = inner === undefined ? emptyObject() : inner;
    if (!isMutable(next)) return;
    at[token] = next;
    at = next;
  }
  const last = tokens.at(-1);
  if (last !== undefined && !Object.isFrozen(at)) at[last] ??= value;
}

/** What the parser made is frozen; what `place` made is not yet. */
function isMutable(value: JsonValue): value is MutableObject {
  return isJsonObject(value) && !Object.isFrozen(value);
}

function deepFreeze(value: MutableObject): JsonObject {
  for (const member of Object.values(value)) if (isMutable(member)) deepFreeze(member);
  return Object.freeze(value);
}

/** What a probe's answer says of the system. */
export interface Probed {
  readonly identity: string;
  readonly environment: string;
}

/**
 * Identity and environment from a probe's answer. An environment value without a meaning refuses: a
 * system that cannot say where it is might be anywhere.
 */
export function readProbe(probe: Probe, answer: JsonValue, inventoried: string): Probed {
  const found = valueAt(answer, probe.identity);
  if (!isName(found)) {
    return refuse('probe_identity_missing', `the probe has no identity at \`${probe.identity}\``);
  }
  const identity = String(found);
  if (probe.environment === undefined) return { identity, environment: inventoried };
  const { pointer, values } = probe.environment;
  const marker = valueAt(answer, pointer);
  const spelled = typeof marker === 'object' || marker === undefined ? '' : String(marker);
  const environment = Object.hasOwn(values, spelled) ? values[spelled] : undefined;
  if (environment === undefined) {
    return refuse(
      'probe_environment_unknown',
      `what the probe has at \`${pointer}\` means nothing`,
    );
  }
  return { identity, environment };
}

function isName(value: JsonValue | undefined): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}
