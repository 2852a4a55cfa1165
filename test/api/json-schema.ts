/**
 * A small JSON Schema reader for tests: the keywords that our own documents use, and no others. It is
 * stricter than the standard: a member that an object's schema does not describe is a fault.
 */

/** A JSON object from outside. */
export type Json = Readonly<Record<string, unknown>>;

/** Faults of a value under a schema of a document, one line each, with a JSON pointer. */
export function faultsOf(value: unknown, schema: unknown, document: Json): readonly string[] {
  return check(value, objectOf(schema), { document, at: '' });
}

/** The object that a value is. Throws where it is none. */
export function objectOf(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError(`not an object: ${JSON.stringify(value)}`);
}

/** What a reference within the document means. */
export function resolveRef(reference: unknown, document: Json): Json {
  let found: unknown = document;
  for (const part of String(reference).replace(/^#\//u, '').split('/')) {
    found = objectOf(found)[part];
  }
  return objectOf(found);
}

interface Place {
  readonly document: Json;
  readonly at: string;
}

const KEYWORDS = new Set(
  `$ref type enum const anyOf properties required items additionalProperties propertyNames pattern
  format minLength maxLength minimum maximum minItems maxItems description exclusiveMinimum`.split(
    /\s+/u,
  ),
);

function check(value: unknown, schema: Json, place: Place): readonly string[] {
  const { document, at } = place;
  const unread = Object.keys(schema).filter((keyword) => !KEYWORDS.has(keyword));
  if (unread.length > 0) return [`${at}: the schema has ${unread.join(', ')}`];
  if (schema['$ref'] !== undefined) {
    return check(value, resolveRef(schema['$ref'], document), place);
  }
  if (Array.isArray(schema['anyOf'])) {
    const each = schema['anyOf'].map((one) => check(value, objectOf(one), place));
    return each.some((faults) => faults.length === 0) ? [] : each.flat();
  }
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) {
    return [`${at}: ${JSON.stringify(value)} is not in the list`];
  }
  if ('const' in schema && schema['const'] !== value) return [`${at}: not the constant`];
  if (!isOfType(value, schema['type'])) return [`${at}: not ${String(schema['type'])}`];
  if (typeof value === 'string') return checkText(value, schema, at);
  if (typeof value === 'number') return checkNumber(value, schema, at);
  if (Array.isArray(value)) {
    const items = schema['items'];
    if (items === undefined) return [];
    return value.flatMap((item, index) =>
      check(item, objectOf(items), { document, at: `${at}/${String(index)}` }),
    );
  }
  if (typeof value === 'object' && value !== null) return checkObject({ ...value }, schema, place);
  return [];
}

function isOfType(value: unknown, type: unknown): boolean {
  if (Array.isArray(type)) return type.some((each) => isOfType(value, each));
  switch (type) {
    case undefined:
      return true;
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function checkText(value: string, schema: Json, at: string): readonly string[] {
  const { pattern, minLength, maxLength, format } = schema;
  const faults: string[] = [];
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) faults.push('pattern');
  if (typeof minLength === 'number' && value.length < minLength) faults.push('too short');
  if (typeof maxLength === 'number' && value.length > maxLength) faults.push('too long');
  if (format === 'date-time' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/u.test(value)) {
    faults.push('no instant');
  }
  return faults.map((fault) => `${at}: ${fault}`);
}

function checkNumber(value: number, schema: Json, at: string): readonly string[] {
  const { minimum, maximum } = schema;
  const low = typeof minimum === 'number' && value < minimum;
  const high = typeof maximum === 'number' && value > maximum;
  return low || high ? [`${at}: out of range`] : [];
}

function checkObject(value: Json, schema: Json, { document, at }: Place): readonly string[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const missing = required
    .filter((name) => !Object.hasOwn(value, String(name)))
    .map((name) => `${at}: ${String(name)} is missing`);
  const described = schema['properties'] === undefined ? undefined : objectOf(schema['properties']);
  const rest = schema['additionalProperties'];
  const faults = Object.entries(value).flatMap(([name, member]) => {
    const inside = { document, at: `${at}/${name}` };
    if (described !== undefined && Object.hasOwn(described, name)) {
      return check(member, objectOf(described[name]), inside);
    }
    if (typeof rest === 'object') return check(member, objectOf(rest), inside);
    const open = described === undefined && rest !== false;
    return open ? [] : [`${at}: ${name} is not described`];
  });
  return [...missing, ...faults];
}
