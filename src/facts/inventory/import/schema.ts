/**
 * Schemas of OpenAPI as argument types. What the layer has no type for becomes a text or is left out,
 * and a comment says so; nothing is taken for wider than it is said to be.
 */
import { INVENTORY_LIMITS } from '../limits.ts';
import { IMPORT_LIMITS, refuseImport, short, type DraftField, type DraftType } from './draft.ts';
import { isArgumentName } from './names.ts';

/** A JSON object of somebody's document. */
export type Members = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that the object itself has. */
export function member(value: unknown, name: string): unknown {
  return isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A text member. */
export function text(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
}

/** A list member. */
export function list(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
}

/** A type with what to say about it. */
export interface Typed {
  readonly type: DraftType;
  readonly comments: readonly string[];
}

/** The schemas of one document, with a count of what was looked at for the operation at hand. */
export class Schemas {
  readonly #document: Members;
  #looked = 0;

  constructor(document: Members) {
    this.#document = document;
  }

  /** Counts anew, for the next operation. */
  begin(): void {
    this.#looked = 0;
  }

  /** Follows `$ref` to its end. Refuses remote ones and those that lead nowhere; `undefined` for a circle. */
  follow(value: unknown): Members | undefined {
    let at = value;
    for (let count = 0; count < IMPORT_LIMITS.referencesMax; count += 1) {
      const reference = text(at, '$ref');
      if (reference === undefined) return isMembers(at) ? at : {};
      at = this.#target(reference);
    }
    return undefined;
  }

  #target(reference: string): unknown {
    if (!reference.startsWith('#')) {
      const message = 'a reference leads out of the document, and nothing is fetched for it';
      refuseImport('remote_reference', message, reference.slice(0, 200));
    }
    let at: unknown = this.#document;
    for (const token of reference.slice(1).split('/').slice(1)) {
      const name = decoded(token).replaceAll('~1', '/').replaceAll('~0', '~');
      at = Array.isArray(at) ? at[Number(name)] : member(at, name);
    }
    if (at !== undefined) return at;
    return refuseImport(
      'reference_unresolved',
      'a reference leads nowhere',
      reference.slice(0, 200),
    );
  }

  /** The type of a schema. `within` holds the schemas around it, so that a circle is seen. */
  typed(schema: unknown, within: readonly unknown[] = []): Typed {
    const found = this.follow(schema);
    this.#looked += 1;
    if (found === undefined || within.includes(found)) {
      return unknown('it refers to itself');
    }
    if (this.#looked > IMPORT_LIMITS.schemasMax) return unknown('too much is in it');
    const inner = [...within, found];
    const [only, ...others] = alternatives(found);
    if (only !== undefined && others.length === 0) return this.typed(only, inner);
    if (only !== undefined) return unknown('one of several types');
    const merged = this.merged(found, within);
    switch (typeOf(merged) ?? 'none') {
      case 'string':
        return stringType(merged);
      case 'integer':
        return { type: short('integer'), comments: rangeOf(merged) };
      case 'number':
        return { type: short('decimal'), comments: ['a decimal travels as a text'] };
      case 'boolean':
        return { type: short('boolean'), comments: [] };
      case 'array':
        return this.#list(merged, inner);
      case 'object':
        return this.#object(merged, inner);
      default:
        return unknown('no type is given');
    }
  }

  #list(schema: Members, within: readonly unknown[]): Typed {
    if (within.length > IMPORT_LIMITS.depthMax) return unknown('nested too deep');
    const { type: items, comments } = this.typed(member(schema, 'items'), within);
    const max = member(schema, 'maxItems');
    const itemsMax =
      typeof max === 'number' && Number.isSafeInteger(max) && max > 0
        ? { itemsMax: Math.min(max, INVENTORY_LIMITS.itemsMax) }
        : {};
    return { type: { kind: 'list', items, ...itemsMax }, comments };
  }

  #object(schema: Members, within: readonly unknown[]): Typed {
    if (within.length > IMPORT_LIMITS.depthMax) return unknown('nested too deep');
    const { fields, comments } = this.fields(schema, within);
    if (fields.length === 0) return unknown('an object whose members are not named');
    return { type: { kind: 'object', fields }, comments };
  }

  /** The members of an object schema whose names arguments can have. */
  fields(
    schema: Members,
    within: readonly unknown[],
  ): { readonly fields: readonly DraftField[]; readonly comments: readonly string[] } {
    const named = this.properties(schema).filter(({ name }) => isArgumentName(name));
    const left = this.properties(schema).filter(({ name }) => !isArgumentName(name));
    const kept = named.slice(0, IMPORT_LIMITS.argumentsMax);
    const lost = [...left, ...named.slice(IMPORT_LIMITS.argumentsMax)].map(({ name }) => name);
    return {
      fields: kept.map(({ name, schema: inner, optional }) => {
        const { type, comments } = this.typed(inner, within);
        return { name, type, optional, comments };
      }),
      comments: lost.length === 0 ? [] : [`left out: ${lost.slice(0, 5).join(', ')}`],
    };
  }

  /** The properties of an object schema that a caller can give, required ones first. */
  properties(
    schema: Members,
  ): readonly { readonly name: string; readonly schema: unknown; readonly optional: boolean }[] {
    const required = new Set(list(schema, 'required'));
    const properties = member(schema, 'properties');
    return Object.entries(isMembers(properties) ? properties : {})
      .filter(([, each]) => member(this.follow(each), 'readOnly') !== true)
      .map(([name, each]) => ({ name, schema: each, optional: !required.has(name) }))
      .toSorted((left, right) => Number(left.optional) - Number(right.optional));
  }

  /** A schema with everything of its `allOf`. */
  merged(schema: Members, within: readonly unknown[] = []): Members {
    const parts = list(schema, 'allOf');
    if (parts.length === 0) return schema;
    let merged: Members = { ...schema };
    for (const part of parts) {
      const found = this.follow(part);
      this.#looked += 1;
      const endless = found === undefined || found === schema || within.includes(found);
      if (endless || within.length > IMPORT_LIMITS.referencesMax) continue;
      const inner = this.merged(found, [...within, schema]);
      merged = Object.assign({}, inner, merged, {
        properties: { ...own(inner, 'properties'), ...own(merged, 'properties') },
        required: [...list(inner, 'required'), ...list(merged, 'required')],
      });
    }
    return merged;
  }
}

function own(schema: Members, name: string): Members {
  const found = member(schema, name);
  return isMembers(found) ? found : {};
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    // A stray percent sign stands for itself.
    return token;
  }
}

function unknown(why: string): Typed {
  return { type: short('string(1000)'), comments: [`guessed: a text, for ${why}`] };
}

/** What `oneOf` or `anyOf` offers besides null. */
function alternatives(schema: Members): readonly unknown[] {
  const offered = [...list(schema, 'oneOf'), ...list(schema, 'anyOf')];
  return offered.filter((each) => text(each, 'type') !== 'null');
}

function typeOf(schema: Members): string | undefined {
  const type = member(schema, 'type');
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) {
    const others = type.filter((each) => each !== 'null');
    return others.length === 1 ? String(others[0]) : undefined;
  }
  if (member(schema, 'properties') !== undefined) return 'object';
  if (member(schema, 'items') !== undefined) return 'array';
  return list(schema, 'enum').every((each) => typeof each === 'string') &&
    list(schema, 'enum').length > 0
    ? 'string'
    : undefined;
}

function rangeOf(schema: Members): readonly string[] {
  const [min, max] = ['minimum', 'maximum'].map((name) => {
    const limit = member(schema, name);
    return typeof limit === 'number' ? String(limit) : undefined;
  });
  if (min === undefined && max === undefined) return [];
  return [`from ${min ?? '…'} to ${max ?? '…'}, which a rule can check`];
}

/** Formats with a type of their own, or a length; the others are texts. */
const FORMATS: Readonly<Record<string, string>> = {
  date: 'date',
  'date-time': 'instant',
  uuid: 'string(36)',
  email: 'string(320)',
  hostname: 'string(253)',
  ipv4: 'string(15)',
  ipv6: 'string(45)',
  uri: 'string(2000)',
  url: 'string(2000)',
};

const STRING_LENGTH_MAX = 65_536;

function stringType(schema: Members): Typed {
  const values = list(schema, 'enum').filter((each) => typeof each === 'string');
  const distinct = [...new Set(values)].filter(
    (each) => each.trim() !== '' && !/\p{C}/u.test(each),
  );
  if (distinct.length > 0 && distinct.length <= INVENTORY_LIMITS.enumValuesMax) {
    return { type: { kind: 'enum', values: distinct }, comments: [] };
  }
  const format = text(schema, 'format') ?? '';
  const known = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  const max = member(schema, 'maxLength');
  if (
    typeof max === 'number' &&
    Number.isSafeInteger(max) &&
    max > 0 &&
    !/^[di]/u.test(known ?? '')
  ) {
    return { type: short(`string(${String(Math.min(max, STRING_LENGTH_MAX))})`), comments: [] };
  }
  if (known !== undefined) return { type: short(known), comments: [] };
  return { type: short('string'), comments: format === '' ? [] : [`format ${format}`] };
}
