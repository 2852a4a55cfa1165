/**
 * Reads an action back from its stored canonical bytes: the only way an action re-enters an advance.
 * The bytes are hashed before they are believed.
 */
import type { Action } from './action.ts';
import { digestBytes, type Digest } from './digest.ts';
import { parseAgentName, parsePersonName, parseTenantName } from './id.ts';
import { instantOf } from './instant.ts';
import { parseJson } from './json/parse.ts';
import type { JsonObject, JsonValue } from './json/value.ts';

/** The action that these bytes are, if they have this digest and still say what was stored; else `undefined`. */
export function readAction(bytes: Uint8Array, digest: Digest): Action | undefined {
  // UNTRUSTED: until this comparison the bytes are whatever lies in the file.
  if (digestBytes('exequatur/action/v1', bytes) !== digest) return undefined;
  const parsed = parseJson(bytes);
  // mutant: what is refused has no value.
  return parsed.ok && isObject(parsed.value) ? fromJson(parsed.value) : undefined;
}

function fromJson(value: JsonObject): Action | undefined {
  const principal = value['principal'];
  // mutant: what is not there is no object.
  if (principal === undefined || !isObject(principal)) return undefined;
  const tenant = named(value['tenant'], parseTenantName);
  const agent = named(principal['agent'], parseAgentName);
  const delegator = named(principal['delegator'], parsePersonName);
  const { target, operation, args, deadline, notBefore } = value;
  if (tenant === undefined || agent === undefined) return undefined;
  if (typeof target !== 'string' || typeof operation !== 'string') return undefined;
  // mutant: what is not there is no object.
  if (args === undefined || !isObject(args) || typeof deadline !== 'number') return undefined;
  return {
    tenant,
    principal: { agent, ...(delegator === undefined ? {} : { delegator }) },
    target,
    operation,
    args,
    deadline: instantOf(deadline),
    ...(typeof notBefore === 'number' ? { notBefore: instantOf(notBefore) } : {}),
  };
}

function named<Name>(
  value: JsonValue | undefined,
  parse: (text: string) => Name | undefined,
): Name | undefined {
  return typeof value === 'string' ? parse(value) : undefined;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
