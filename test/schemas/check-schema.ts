/** A validator for exactly the keywords that our schemas use; any other keyword is an error, never ignored. */
import type { DocumentNode } from '../../src/kernel/document.ts';

/** A schema as it stands in its file. */
export type Schema = Readonly<Record<string, unknown>>;

type Check = (given: unknown, value: unknown, at: Place) => readonly string[];

interface Place {
  readonly root: Schema;
  readonly schema: Schema;
  readonly path: string;
}

/** What is wrong with the value, one line each; nothing where it is valid. */
export function schemaErrors(root: Schema, value: unknown): readonly string[] {
  return errorsAt(value, { root, schema: root, path: '' });
}

/** A document as editors see it. */
export function plainOf(node: DocumentNode): unknown {
  if (node.kind === 'sequence') return node.items.map(plainOf);
  if (node.kind === 'mapping') {
    return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]));
  }
  return typeof node.value === 'bigint' ? Number(node.value) : node.value;
}

function errorsAt(value: unknown, at: Place): readonly string[] {
  return Object.entries(at.schema).flatMap(([keyword, given]) => {
    const check = CHECKS[keyword];
    if (check === undefined) throw new TypeError(`the keyword \`${keyword}\` is not checked`);
    return check(given, value, at);
  });
}

const nothing: Check = () => [];

function wrong(isWrong: boolean, { path }: Place, what: string): readonly string[] {
  return isWrong ? [`${path || '/'}: ${what}`] : [];
}

function asSchema(given: unknown): Schema {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return { ...given };
  throw new TypeError('a schema is an object');
}

function asList(given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given;
  throw new TypeError('a keyword is not given a list');
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): readonly string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number')
    return Number.isInteger(value) ? ['number', 'integer'] : ['number'];
  return [typeof value];
}

function below(
  value: unknown,
  schema: unknown,
  at: Place,
  name: string | number,
): readonly string[] {
  return errorsAt(value, { root: at.root, schema: asSchema(schema), path: `${at.path}/${name}` });
}

function sizeCheck(
  measure: (value: unknown) => number | undefined,
  isWrong: (size: number, bound: number) => boolean,
): Check {
  return (given, value, at) => {
    const size = measure(value);
    return wrong(size !== undefined && isWrong(size, Number(given)), at, `size ${String(size)}`);
  };
}

const lengthOf = (value: unknown): number | undefined =>
  typeof value === 'string' ? value.length : undefined;
const itemsOf = (value: unknown): number | undefined =>
  Array.isArray(value) ? value.length : undefined;
const membersOf = (value: unknown): number | undefined =>
  isMembers(value) ? Object.keys(value).length : undefined;
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  $schema: nothing,
  $id: nothing,
  $defs: nothing,
  title: nothing,
  description: nothing,
  $ref: (given, value, at) => {
    const name = /^#\/\$defs\/(\w+)$/u.exec(String(given))?.[1] ?? '';
    const schema = asSchema(at.root['$defs'])[name];
    return errorsAt(value, { ...at, schema: asSchema(schema) });
  },
  type: (given, value, at) => {
    const allowed = typeof given === 'string' ? [given] : asList(given);
    const isAllowed = typeOf(value).some((type) => allowed.includes(type));
    return wrong(!isAllowed, at, `is no ${allowed.join(' or ')}`);
  },
  const: (given, value, at) => wrong(value !== given, at, `is not ${String(given)}`),
  enum: (given, value, at) => wrong(!asList(given).includes(value), at, 'is none of the words'),
  pattern: (given, value, at) =>
    wrong(typeof value === 'string' && !new RegExp(String(given), 'u').test(value), at, 'pattern'),
  minLength: sizeCheck(lengthOf, (size, bound) => size < bound),
  minItems: sizeCheck(itemsOf, (size, bound) => size < bound),
  maxItems: sizeCheck(itemsOf, (size, bound) => size > bound),
  minProperties: sizeCheck(membersOf, (size, bound) => size < bound),
  maxProperties: sizeCheck(membersOf, (size, bound) => size > bound),
  minimum: sizeCheck(numberOf, (size, bound) => size < bound),
  maximum: sizeCheck(numberOf, (size, bound) => size > bound),
  required: (given, value, at) =>
    isMembers(value)
      ? asList(given).flatMap((name) =>
          wrong(!Object.hasOwn(value, String(name)), at, `has no ${String(name)}`),
        )
      : [],
  properties: (given, value, at) =>
    isMembers(value)
      ? Object.entries(asSchema(given)).flatMap(([name, schema]) =>
          Object.hasOwn(value, name) ? below(value[name], schema, at, name) : [],
        )
      : [],
  additionalProperties: (given, value, at) => {
    const known = asSchema(at.schema['properties'] ?? {});
    const others = isMembers(value)
      ? Object.entries(value).filter(([name]) => !Object.hasOwn(known, name))
      : [];
    return others.flatMap(([name, member]) =>
      given === false ? wrong(true, at, `unknown ${name}`) : below(member, given, at, name),
    );
  },
  propertyNames: (given, value, at) =>
    isMembers(value) ? Object.keys(value).flatMap((name) => below(name, given, at, name)) : [],
  items: (given, value, at) =>
    Array.isArray(value)
      ? value.flatMap((item: unknown, index) => below(item, given, at, index))
      : [],
  anyOf: (given, value, at) => {
    const each = asList(given).map((schema) =>
      errorsAt(value, { ...at, schema: asSchema(schema) }),
    );
    return each.some((errors) => errors.length === 0)
      ? []
      : wrong(true, at, `fits none: ${each.flat().join('; ')}`);
  },
};
