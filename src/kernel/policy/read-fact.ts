/** Reads the facts of a policy: live values with their type and source. */
import { parseAddressRange } from '../address.ts';
import type { DocumentNode, MappingEntry } from '../document.ts';
import type { FactSource, FactType } from '../policy.ts';
import { FACT_TIMEOUT_MS_DEFAULT, POLICY_LIMITS } from './limits.ts';
import type { PolicyReading } from './reading.ts';

/** Adds the facts of one document. */
export function readFacts(reading: PolicyReading, node: DocumentNode): void {
  for (const entry of reading.reader.entries(node, 'facts') ?? []) readFact(reading, entry);
}

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]{0,63}$/u;

function readFact(reading: PolicyReading, { key, keyPosition, value }: MappingEntry): void {
  const { reader, facts } = reading;
  if (!IDENTIFIER.test(key)) {
    const message = `fact \`${key}\` is not a name that expressions can use`;
    const hint = 'facts are named by letters, digits and underscores, as `change_freeze`';
    reader.error({ code: 'bad_name', position: keyPosition, message, hint });
    return;
  }
  if (facts.has(key)) {
    const message = `the fact \`${key}\` is declared twice`;
    reader.error({ code: 'duplicate_name', position: keyPosition, message });
  }
  const members = reader.mapping(value, {
    what: `fact \`${key}\``,
    required: ['type', 'source'],
    optional: ['timeout'],
  });
  const [typeNode, sourceNode, timeoutNode] = [
    members?.get('type'),
    members?.get('source'),
    members?.get('timeout'),
  ];
  const range = { min: 1, max: POLICY_LIMITS.factTimeoutMsMax };
  const timeoutMs =
    timeoutNode === undefined ? undefined : reader.duration(timeoutNode, 'timeout', range);
  const type = typeNode === undefined ? undefined : readType(reading, typeNode);
  const source = sourceNode === undefined ? undefined : readSource(reading, sourceNode);
  facts.set(key, {
    name: key,
    // What could not be read was noted, and such a policy is never used: these only let reading go on.
    type: type ?? { kind: 'string' },
    source: source ?? { kind: 'file', path: '', pointer: '' },
    timeoutMs: timeoutMs ?? FACT_TIMEOUT_MS_DEFAULT,
    position: keyPosition,
  });
}

const SIMPLE_TYPES = ['string', 'boolean', 'integer', 'decimal', 'instant'] as const;

/** `string`, or `{ list: string }`, or `{ object: { state: string } }`. */
function readType(reading: PolicyReading, node: DocumentNode): FactType | undefined {
  const { reader } = reading;
  if (node.kind !== 'mapping') {
    const kind = reader.oneOf(node, 'type', SIMPLE_TYPES);
    return kind === undefined ? undefined : { kind };
  }
  const members = reader.mapping(node, { what: 'type', optional: ['list', 'object'] });
  const [list, object] = [members?.get('list'), members?.get('object')];
  if (list !== undefined && object === undefined) {
    const items = readType(reading, list);
    return items === undefined ? undefined : { kind: 'list', items };
  }
  if (object !== undefined && list === undefined) return readObjectType(reading, object);
  const message = 'a type is a word, a `list` or an `object`';
  return reader.error({ code: 'wrong_type', position: node.position, message });
}

function readObjectType(reading: PolicyReading, node: DocumentNode): FactType | undefined {
  const fields: Record<string, FactType> = Object.create(null);
  for (const { key, keyPosition, value } of reading.reader.entries(node, 'object') ?? []) {
    const type = readType(reading, value);
    if (!IDENTIFIER.test(key)) {
      const message = `\`${key}\` is not a name that expressions can use`;
      reading.reader.error({ code: 'bad_name', position: keyPosition, message });
    } else if (type !== undefined) fields[key] = type;
  }
  return { kind: 'object', fields };
}

function readSource(reading: PolicyReading, node: DocumentNode): FactSource | undefined {
  const { reader } = reading;
  const entries = reader.entries(node, 'source') ?? [];
  const isHttp = entries.some(({ key }) => key === 'http');
  const members = reader.mapping(node, {
    what: 'source',
    required: [isHttp ? 'http' : 'file'],
    optional: isHttp ? ['pointer', 'allow'] : ['pointer'],
  });
  const pointer = readPointer(reading, members?.get('pointer'));
  const place = members?.get(isHttp ? 'http' : 'file');
  const text = place === undefined ? undefined : reader.text(place, isHttp ? 'http' : 'file');
  if (text === undefined || place === undefined || pointer === undefined) return undefined;
  if (!isHttp) return { kind: 'file', path: text, pointer };
  const addressesAllowed = readRanges(reading, members?.get('allow'));
  if (isHttpUrl(text)) return { kind: 'http', url: text, pointer, addressesAllowed };
  return reader.error({
    code: 'bad_fact_source',
    position: place.position,
    message: `\`${text.slice(0, 200)}\` is not an http or https URL without credentials`,
  });
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

function readPointer(reading: PolicyReading, node: DocumentNode | undefined): string | undefined {
  if (node === undefined) return '';
  const text = reading.reader.string(node, 'pointer');
  // RFC 6901: empty, or parts after slashes in which a tilde is escaped.
  if (text === undefined || /^(?:\/(?:[^~/]|~[01])*)*$/u.test(text)) return text;
  return reading.reader.error({
    code: 'bad_fact_source',
    position: node.position,
    message: `\`${text}\` is not a JSON pointer`,
    hint: 'such as "/status/frozen", or leave it out for the whole document',
  });
}

function readRanges(reading: PolicyReading, node: DocumentNode | undefined): readonly string[] {
  if (node === undefined) return [];
  const { reader } = reading;
  return (reader.oneOrMore(node, 'allow') ?? []).flatMap((item) => {
    const text = reader.string(item, 'allow');
    if (text === undefined) return [];
    if (parseAddressRange(text) !== undefined) return text;
    const message = `\`${text}\` is not an address range`;
    reader.error({
      code: 'bad_fact_source',
      position: item.position,
      message,
      hint: 'such as 127.0.0.0/8',
    });
    return [];
  });
}
