/** Reads what surrounds the action of a case: facts, people's answers, uses of limits, what happened before. */
import { parseDecimal } from '../../kernel/decimal.ts';
import { didYouMean } from '../../kernel/did-you-mean.ts';
import type { DocumentNode, Position } from '../../kernel/document.ts';
import type { DocumentReader, Members } from '../../kernel/document-reader.ts';
import { parseApprovalId, parsePersonName, uuidV7, type PersonName } from '../../kernel/id.ts';
import { addMs, type Instant } from '../../kernel/instant.ts';
import { JsonCopyError, toJsonValue } from '../../kernel/json/to-json-value.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import type { CompiledPolicy } from '../../kernel/policy/compiled.ts';
import type { IdentifiedRequirement, Requirement } from '../../kernel/policy.ts';
import { shape } from '../sources/shape.ts';
import {
  CASE_LIMITS,
  type CaseApproval,
  type CaseFact,
  type CasePerson,
  type CaseSuccess,
} from './policy-case.ts';

/** The codes of cases, beside those of any document. */
export const CASE_CODES = [
  'bad_instant',
  'bad_value',
  'bad_amount',
  'duplicate_name',
  'unknown_person',
  'unknown_role',
  'unknown_fact',
  'unknown_limit',
  'unknown_rule',
  'unknown_requirement',
] as const;

/** One reading of one case. */
export interface CaseReading {
  readonly reader: DocumentReader;
  readonly policy: CompiledPolicy;
  readonly now: Instant;
  readonly people: ReadonlyMap<PersonName, CasePerson>;
}

const AGE = { min: 0, max: CASE_LIMITS.durationMsMax };

/** A mapping as a JSON object; `undefined` where there is none. */
export function readObject(
  reader: DocumentReader,
  node: DocumentNode | undefined,
  what: string,
): JsonObject | undefined {
  if (node === undefined || reader.entries(node, what) === undefined) return undefined;
  const value = readValue(reader, node, what);
  return isObject(value) ? value : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readValue(
  reader: DocumentReader,
  node: DocumentNode,
  what: string,
): JsonValue | undefined {
  try {
    return toJsonValue(plainOf(node));
  } catch (error) {
    if (!(error instanceof JsonCopyError)) throw error;
    return reader.error({
      code: 'bad_value',
      position: node.position,
      message: `${what} is no JSON value: ${error.code} at \`${error.pointer}\``,
      hint: 'write large integers in quotes',
    });
  }
}

function plainOf(node: DocumentNode): unknown {
  if (node.kind === 'sequence') return node.items.map(plainOf);
  if (node.kind === 'mapping') {
    return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]));
  }
  return typeof node.value === 'bigint' ? Number(node.value) : node.value;
}

// ---------------------------------------------------------------- facts

/** `incident: { open: false }`; with an age, `incident: { value: …, ago: 2m }`. */
export function readFacts(
  reading: CaseReading,
  node: DocumentNode | undefined,
): ReadonlyMap<string, CaseFact> {
  const { reader, policy, now } = reading;
  const facts = new Map<string, CaseFact>();
  for (const { key, keyPosition, value } of entriesOf(reader, node, 'facts')) {
    const spec = policy.facts.get(key);
    if (spec === undefined) {
      const hint = didYouMean(key, policy.facts.keys());
      const message = `the policy has no fact \`${key}\``;
      reader.error({ code: 'unknown_fact', position: keyPosition, message, hint });
      continue;
    }
    const members = isAged(value)
      ? reader.mapping(value, { what: 'fact', required: ['value', 'ago'] })
      : undefined;
    const valueNode = members?.get('value') ?? value;
    const ageMs = readAgo(reader, members) ?? 0;
    const read = readValue(reader, valueNode, `fact \`${key}\``);
    if (read === undefined) continue;
    const shaped = shape(read, spec.type);
    if (shaped.ok) facts.set(key, { value: shaped.value, observedAt: addMs(now, -ageMs) });
    else {
      const message = `the fact \`${key}\` is not declared like this: \`${shaped.pointer || '/'}\` must be a ${shaped.wanted}`;
      reader.error({ code: 'bad_value', position: valueNode.position, message });
    }
  }
  return facts;
}

/** Whether it is exactly a value with its age; a fact of its own members may have the same names. */
function isAged(node: DocumentNode): boolean {
  if (node.kind !== 'mapping' || node.entries.length !== 2) return false;
  return ['value', 'ago'].every((name) => node.entries.some(({ key }) => key === name));
}

function readAgo(reader: DocumentReader, members: Members | undefined): number | undefined {
  const node = members?.get('ago');
  return node === undefined ? undefined : reader.duration(node, 'ago', AGE);
}

function entriesOf(
  reader: DocumentReader,
  node: DocumentNode | undefined,
  what: string,
): NonNullable<ReturnType<DocumentReader['entries']>> {
  const entries = node === undefined ? [] : (reader.entries(node, what) ?? []);
  return withinLimit(reader, entries, { what, position: node?.position });
}

function itemsOf(
  reader: DocumentReader,
  node: DocumentNode | undefined,
  what: string,
): readonly DocumentNode[] {
  const items = node === undefined ? [] : (reader.list(node, what) ?? []);
  return withinLimit(reader, items, { what, position: node?.position });
}

function withinLimit<Item>(
  reader: DocumentReader,
  items: readonly Item[],
  { what, position }: { readonly what: string; readonly position: Position | undefined },
): readonly Item[] {
  if (items.length <= CASE_LIMITS.membersMax || position === undefined) return items;
  const message = `${what} has ${String(items.length)} members, at most ${String(CASE_LIMITS.membersMax)} are allowed`;
  reader.error({ code: 'out_of_range', position, message });
  return [];
}

// ---------------------------------------------------------------- answers

/** `{ by: mei, from: role:payments-lead, ago: 5m }`; `from: delegator` answers a confirmation. */
export function readApprovals(
  reading: CaseReading,
  node: DocumentNode | undefined,
): readonly CaseApproval[] {
  const { reader } = reading;
  return itemsOf(reader, node, 'approvals').flatMap((item, index) => {
    const members = reader.mapping(item, {
      what: 'approval',
      required: ['by', 'from'],
      optional: ['ago', 'saw'],
    });
    const by = readApprover(reading, members?.get('by'));
    const requirements = readFrom(reading, members?.get('from'));
    const at = addMs(reading.now, -(readAgo(reader, members) ?? 0));
    const saw = readSaw(reader, members?.get('saw'));
    if (by === undefined || requirements === undefined) return [];
    return { id: approvalIdOf(index), by, at, requirements, ...(saw === undefined ? {} : { saw }) };
  });
}

function approvalIdOf(index: number): CaseApproval['id'] {
  const id = parseApprovalId(uuidV7(index, new Uint8Array(10)));
  if (id === undefined) throw new TypeError('a UUIDv7 has its form');
  return id;
}

function readApprover(
  { reader, people }: CaseReading,
  node: DocumentNode | undefined,
): PersonName | undefined {
  const text = node === undefined ? undefined : reader.name(node, 'by');
  const name = text === undefined ? undefined : parsePersonName(text);
  if (node === undefined || name === undefined || people.has(name)) return name;
  return reader.error({
    code: 'unknown_person',
    position: node.position,
    message: `there is no person \`${name}\``,
    hint: didYouMean(name, people.keys()) ?? 'add them under `people:` with their roles',
  });
}

/** Every requirement of the policy that asks these people: which one is met is for the policy to say. */
function readFrom(
  { reader, policy }: CaseReading,
  node: DocumentNode | undefined,
): readonly IdentifiedRequirement[] | undefined {
  const from = node === undefined ? undefined : reader.text(node, 'from');
  if (node === undefined || from === undefined) return undefined;
  const all = new Map<string, IdentifiedRequirement>();
  const known = new Set<string>();
  for (const identified of policy.rules.flatMap(({ requires }) => requires)) {
    const asked = askedOf(identified.requirement);
    if (asked === undefined) continue;
    known.add(asked);
    if (asked === from) all.set(identified.digest, identified);
  }
  if (all.size > 0) return [...all.values()];
  return reader.error({
    code: 'unknown_requirement',
    position: node.position,
    message: `no rule asks \`${from}\``,
    hint: didYouMean(from, known) ?? 'write it as the rule does: role:…, person:… or delegator',
  });
}

function askedOf(requirement: Requirement): string | undefined {
  if (requirement.kind === 'confirmation') return 'delegator';
  if (requirement.kind !== 'approval') return undefined;
  const { from } = requirement;
  return 'role' in from ? `role:${from.role}` : `person:${from.person}`;
}

function readSaw(reader: DocumentReader, node: DocumentNode | undefined): CaseApproval['saw'] {
  if (node === undefined) return undefined;
  const members = reader.mapping(node, { what: 'saw', optional: ['environment', 'preview'] });
  const environmentNode = members?.get('environment');
  const environment =
    environmentNode === undefined ? undefined : reader.name(environmentNode, 'environment');
  const preview = readObject(reader, members?.get('preview'), 'preview');
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(preview === undefined ? {} : { preview }),
  };
}

// ---------------------------------------------------------------- what happened before

/** `refunds: '1990.00'`: what the counter that this action would be posted to holds. */
export function readUsed(
  { reader, policy }: CaseReading,
  node: DocumentNode | undefined,
): ReadonlyMap<string, string> {
  const used = new Map<string, string>();
  const known = new Set(
    policy.rules
      .flatMap(({ requires }) => requires)
      .flatMap(({ requirement }) => (requirement.kind === 'limit' ? requirement.name : [])),
  );
  for (const { key, keyPosition, value } of entriesOf(reader, node, 'used')) {
    const amount = value.kind === 'scalar' ? parseDecimal(value.text) : undefined;
    if (!known.has(key)) {
      const message = `the policy has no limit \`${key}\``;
      const hint = didYouMean(key, known);
      reader.error({ code: 'unknown_limit', position: keyPosition, message, hint });
    } else if (value.kind !== 'scalar' || amount === undefined || amount.unscaled < 0n) {
      const message = `used \`${key}\` must be an amount such as 1990.00`;
      reader.error({ code: 'bad_amount', position: value.position, message });
    } else used.set(key, value.text);
  }
  return used;
}

/** `{ operation: backup, target: db, ago: 30m }`. */
export function readSucceeded(
  { reader, now }: CaseReading,
  node: DocumentNode | undefined,
): readonly CaseSuccess[] {
  return itemsOf(reader, node, 'succeeded').flatMap((item) => {
    const members = reader.mapping(item, {
      what: 'succeeded',
      required: ['operation', 'ago'],
      optional: ['target'],
    });
    const [operationNode, targetNode] = [members?.get('operation'), members?.get('target')];
    const operation =
      operationNode === undefined ? undefined : reader.name(operationNode, 'operation');
    const target = targetNode === undefined ? undefined : reader.name(targetNode, 'target');
    const agoMs = readAgo(reader, members);
    if (operation === undefined || agoMs === undefined) return [];
    const at = addMs(now, -agoMs);
    return { operation, at, ...(target === undefined ? {} : { target }) };
  });
}
