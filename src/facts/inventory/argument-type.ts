/**
 * The types of arguments as people write them: short, as `money(EUR)` or `list(string)?`, or as a
 * mapping where there is more to say. What a value of a type looks like is judged in the kernel.
 */
import path from 'node:path';
import { didYouMean } from '../../kernel/did-you-mean.ts';
import type { DocumentNode, MappingEntry } from '../../kernel/document.ts';
import type { ArgumentField, ArgumentFields, ArgumentType } from '../../kernel/inventory.ts';
import { currencies, minorDigitsOf } from './currency.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { boundedEntries, type InventoryReading, refuse } from './reading.ts';

/** The arguments of an operation, or the members of an object argument, by name in a frozen record. */
export function readArguments(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  depth = 0,
): ArgumentFields {
  const fields: Record<string, ArgumentField> = Object.create(null);
  const limit = { what: depth === 0 ? 'args' : 'object', max: INVENTORY_LIMITS.argumentsMax };
  for (const entry of boundedEntries(reading, node, limit)) {
    const field = readField(reading, entry.value, depth);
    if (isArgumentName(reading, entry) && field !== undefined) fields[entry.key] = field;
  }
  return fields;
}

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]{0,63}$/u;
/** `executionId` is the layer's own; the others are words of the expression language. */
const RESERVED: ReadonlySet<string> = new Set(['executionId', 'true', 'false', 'null', 'in']);

function isArgumentName(reading: InventoryReading, { key, keyPosition }: MappingEntry): boolean {
  if (IDENTIFIER.test(key) && !RESERVED.has(key)) return true;
  refuse(reading, {
    code: 'bad_argument_name',
    position: keyPosition,
    message: `\`${key}\` is not a name that an argument can have`,
    hint: 'use letters, digits and underscores, beginning with a letter',
  });
  return false;
}

function readField(
  reading: InventoryReading,
  node: DocumentNode,
  depth: number,
): ArgumentField | undefined {
  if (depth > INVENTORY_LIMITS.argumentDepthMax) {
    const message = `an argument has more than ${INVENTORY_LIMITS.argumentDepthMax} levels`;
    return refuse(reading, { code: 'too_many', position: node.position, message });
  }
  return node.kind === 'mapping'
    ? readMapping(reading, node, depth)
    : readShort(reading, node, depth);
}

// ---------------------------------------------------------------- the long form

function readMapping(
  reading: InventoryReading,
  node: DocumentNode,
  depth: number,
): ArgumentField | undefined {
  const { reader } = reading;
  const members = reader.mapping(node, {
    what: 'argument',
    optional: ['type', 'list', 'object', 'enum', 'optional', 'max'],
  });
  if (members === undefined) return undefined;
  const given = (['type', 'list', 'object', 'enum'] as const).filter(
    (key) => members.get(key) !== undefined,
  );
  const [form] = given;
  const value = form === undefined ? undefined : members.get(form);
  if (form === undefined || value === undefined || given.length > 1) {
    const message = 'an argument has one of `type`, `list`, `object` and `enum`';
    return refuse(reading, { code: 'bad_type', position: node.position, message });
  }
  const field = readForm(reading, form, value, depth);
  const optionalNode = members.get('optional');
  const optional =
    optionalNode === undefined ? false : (reader.boolean(optionalNode, 'optional') ?? false);
  if (field === undefined) return undefined;
  const type = withMaximum(reading, field.type, members.get('max'));
  return type === undefined ? undefined : { type, optional: optional || field.optional };
}

function readForm(
  reading: InventoryReading,
  form: 'type' | 'list' | 'object' | 'enum',
  value: DocumentNode,
  depth: number,
): ArgumentField | undefined {
  switch (form) {
    case 'type':
      return readShort(reading, value, depth);
    case 'list': {
      const items = readField(reading, value, depth + 1);
      return items === undefined ? undefined : listOf(reading, items, value);
    }
    case 'object': {
      const fields = readArguments(reading, value, depth + 1);
      return { type: { kind: 'object', fields }, optional: false };
    }
    case 'enum': {
      const values = (reading.reader.list(value, 'enum') ?? []).flatMap(
        (item) => reading.reader.text(item, 'enum') ?? [],
      );
      return required(enumOf(reading, values, value));
    }
    default:
      return form satisfies never;
  }
}

function withMaximum(
  reading: InventoryReading,
  type: ArgumentType,
  node: DocumentNode | undefined,
): ArgumentType | undefined {
  if (node === undefined) return type;
  const range = { min: 1, max: INVENTORY_LIMITS.stringLengthMax };
  if (type.kind === 'string') {
    const lengthMax = reading.reader.integer(node, 'max', range);
    return lengthMax === undefined ? undefined : { kind: 'string', lengthMax };
  }
  if (type.kind === 'array') {
    const itemsMax = reading.reader.integer(node, 'max', {
      min: 1,
      max: INVENTORY_LIMITS.itemsMax,
    });
    return itemsMax === undefined ? undefined : { ...type, itemsMax };
  }
  const message = `\`max\` is for texts and lists, not for ${type.kind}`;
  return refuse(reading, { code: 'bad_type', position: node.position, message });
}

// ---------------------------------------------------------------- the short form

const SHORT = /^([a-z-]+)(?:\((.*)\))?(\?)?$/u;
const SIMPLE = [
  'boolean',
  'integer',
  'decimal',
  'date',
  'instant',
  'duration',
  'oci-digest',
  'blob',
] as const;
const WORDS = [...SIMPLE, 'string', 'money', 'enum', 'path', 'url', 'list', 'secret'];

function readShort(
  reading: InventoryReading,
  node: DocumentNode,
  depth: number,
): ArgumentField | undefined {
  const text = reading.reader.text(node, 'type');
  if (text === undefined) return undefined;
  const field = parseShort(reading, { text: text.trim(), node, depth });
  return field;
}

interface Short {
  readonly text: string;
  readonly node: DocumentNode;
  readonly depth: number;
}

function parseShort(reading: InventoryReading, short: Short): ArgumentField | undefined {
  const [, word = '', parameter, question] = SHORT.exec(short.text) ?? [];
  if (short.depth > INVENTORY_LIMITS.argumentDepthMax) {
    const message = `an argument has more than ${INVENTORY_LIMITS.argumentDepthMax} levels`;
    return refuse(reading, { code: 'too_many', position: short.node.position, message });
  }
  const type = shortType(reading, { ...short, word, parameter });
  return type === undefined ? undefined : { type, optional: question === '?' };
}

interface ShortWord extends Short {
  readonly word: string;
  readonly parameter: string | undefined;
}

function shortType(reading: InventoryReading, short: ShortWord): ArgumentType | undefined {
  const { word, parameter, node } = short;
  const simple = SIMPLE.find((name) => name === word);
  if (simple === 'blob' && short.depth > 0) {
    // Only an argument of its own is looked for before an action is taken.
    const message = 'a blob cannot be in a list or in an object';
    return refuse(reading, { code: 'bad_type', position: node.position, message });
  }
  if (simple !== undefined && parameter === undefined) return { kind: simple };
  if (word === 'string') return stringOf(reading, short);
  if (parameter !== undefined) {
    const words = parameter.split(',').map((part) => part.trim());
    if (word === 'money') return moneyOf(reading, parameter.trim(), node);
    if (word === 'enum') return enumOf(reading, words, node);
    if (word === 'path') return pathOf(reading, parameter.trim(), node);
    if (word === 'url') return urlOf(reading, words, node);
    if (word === 'secret') return secretOf(reading, words, short);
    if (word === 'list') return shortList(reading, parameter.trim(), short);
  }
  return badType(reading, short);
}

function badType(reading: InventoryReading, { text, node, word }: ShortWord): undefined {
  const needs = WORDS.includes(word) && !SIMPLE.some((name) => name === word);
  return refuse(reading, {
    code: 'bad_type',
    position: node.position,
    message: `\`${text}\` is not a type`,
    hint: needs
      ? `such as ${EXAMPLES[word] ?? word}`
      : (didYouMean(word, WORDS) ?? `one of ${WORDS.join(', ')}`),
  });
}

const EXAMPLES: Readonly<Record<string, string>> = {
  string: '`string` or `string(200)`',
  money: '`money(EUR)`',
  enum: '`enum(low,high)`',
  path: '`path(/srv/releases)`',
  url: '`url(api.example.com)`',
  list: '`list(string)` or `list(string, 500)`',
  secret: '`secret(deploy-key,backup-key)`',
};

function stringOf(reading: InventoryReading, short: ShortWord): ArgumentType | undefined {
  if (short.parameter === undefined) {
    return { kind: 'string', lengthMax: INVENTORY_DEFAULTS.stringLengthMax };
  }
  const lengthMax = /^[1-9]\d{0,5}$/u.test(short.parameter) ? Number(short.parameter) : 0;
  if (lengthMax > 0 && lengthMax <= INVENTORY_LIMITS.stringLengthMax) {
    return { kind: 'string', lengthMax };
  }
  return badType(reading, short);
}

function moneyOf(
  reading: InventoryReading,
  currency: string,
  node: DocumentNode,
): ArgumentType | undefined {
  const minorDigits = minorDigitsOf(currency);
  if (minorDigits !== undefined) return { kind: 'money', currency, minorDigits };
  return refuse(reading, {
    code: 'unknown_currency',
    position: node.position,
    message: `\`${currency}\` is not a currency of ISO 4217`,
    hint: didYouMean(currency.toUpperCase(), currencies()),
  });
}

function enumOf(
  reading: InventoryReading,
  values: readonly string[],
  node: DocumentNode,
  what = 'an enum',
): ArgumentType | undefined {
  const distinct = new Set(values);
  if (values.length === 0 || distinct.has('') || distinct.size !== values.length) {
    const message = `${what} has at least one value, each once and none empty`;
    return refuse(reading, { code: 'bad_type', position: node.position, message });
  }
  if (values.length > INVENTORY_LIMITS.enumValuesMax) {
    const message = `${what} has at most ${INVENTORY_LIMITS.enumValuesMax} values`;
    return refuse(reading, { code: 'too_many', position: node.position, message });
  }
  return { kind: 'enum', values };
}

/** Only an argument of its own: inside a list or an object its name would be sent for its value. */
function secretOf(
  reading: InventoryReading,
  names: readonly string[],
  { node, depth }: Short,
): ArgumentType | undefined {
  if (depth > 0) {
    const message = 'a secret cannot be in a list or in an object';
    return refuse(reading, { code: 'bad_type', position: node.position, message });
  }
  const read = enumOf(reading, names, node, 'a secret');
  return read?.kind === 'enum' ? { kind: 'secret', names: read.values } : undefined;
}

function pathOf(
  reading: InventoryReading,
  text: string,
  node: DocumentNode,
): ArgumentType | undefined {
  if (text !== '' && !/\p{Cc}/u.test(text)) {
    return { kind: 'path', within: path.resolve(reading.baseDirectory, text) };
  }
  const message = `\`${text}\` is not a path`;
  return refuse(reading, { code: 'bad_type', position: node.position, message });
}

function urlOf(
  reading: InventoryReading,
  hosts: readonly string[],
  node: DocumentNode,
): ArgumentType | undefined {
  const wrong = hosts.find((host) => !isHost(host));
  if (wrong === undefined) return { kind: 'url', hosts };
  return refuse(reading, {
    code: 'bad_type',
    position: node.position,
    message: `\`${wrong}\` is not a host`,
    hint: 'write it in lower case, with a port where it is not the usual one: `api.example.com:8443`',
  });
}

/** A host in the one spelling that a parsed URL has. */
function isHost(text: string): boolean {
  return URL.canParse(`https://${text}/`) && new URL(`https://${text}/`).host === text;
}

function shortList(
  reading: InventoryReading,
  parameter: string,
  short: Short,
): ArgumentType | undefined {
  // No type ends in a comma and digits, so what does is a type and how many items there may be.
  const [, word = parameter, max] = /^(.*?)\s*,\s*(\d{1,9})$/u.exec(parameter) ?? [];
  const itemsMax = max === undefined ? undefined : Number(max);
  if (itemsMax !== undefined && (itemsMax < 1 || itemsMax > INVENTORY_LIMITS.itemsMax)) {
    const message = `a list has from 1 to ${INVENTORY_LIMITS.itemsMax} items`;
    return refuse(reading, { code: 'bad_type', position: short.node.position, message });
  }
  const items = parseShort(reading, { text: word, node: short.node, depth: short.depth + 1 });
  const type = items === undefined ? undefined : listOf(reading, items, short.node)?.type;
  return type?.kind === 'array' && itemsMax !== undefined ? { ...type, itemsMax } : type;
}

function listOf(
  reading: InventoryReading,
  items: ArgumentField,
  node: DocumentNode,
): ArgumentField | undefined {
  if (!items.optional) {
    const { itemsMax } = INVENTORY_DEFAULTS;
    return { type: { kind: 'array', items: items.type, itemsMax }, optional: false };
  }
  const message = 'the items of a list cannot be optional';
  return refuse(reading, { code: 'bad_type', position: node.position, message });
}

function required(type: ArgumentType | undefined): ArgumentField | undefined {
  return type === undefined ? undefined : { type, optional: false };
}
