/** What agents give: arguments, and the places in a path, a header, a word or a body that they end in. */
import {
  renderBody,
  renderFields,
  renderHeader,
  renderPath,
  renderWord,
} from '../../../src/executors/template.ts';
import { ExecutorRefusal } from '../../../src/executors/refusal.ts';
import { readYaml } from '../../../src/facts/document/yaml.ts';
import { compileInventory } from '../../../src/facts/inventory/compile.ts';
import { INVENTORY_CODES } from '../../../src/facts/inventory/limits.ts';
import { ARGUMENT_ERROR_CODES, checkArguments } from '../../../src/kernel/arguments.ts';
import { DOCUMENT_CODES } from '../../../src/kernel/document-reader.ts';
import { YAML_CODES } from '../../../src/facts/document/yaml.ts';
import { readCredentialCommand } from '../../../src/kernel/credential-command.ts';
import type { Operation } from '../../../src/kernel/inventory.ts';
import { JSON_ERROR_CODES } from '../../../src/kernel/json/refusal.ts';
import { parseJson } from '../../../src/kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../../../src/kernel/json/value.ts';
import { writeCanonical } from '../../../src/kernel/json/write.ts';
import { oddText, onMutants, taken } from '../mutate.ts';
import { pick, type Random } from '../random.ts';
import { refusedWith, type Subject, type Taken } from '../subject.ts';

const TYPES = `version: 1
targets:
  all:
    http: { url: https://api.example.com }
    operations:
      send:
        kind: api.call
        args:
          s: string(40)
          b: boolean
          n: integer
          d: decimal
          m: money(EUR)
          day: date
          at: instant
          span: duration
          e: enum(red,blue)
          p: path(/srv/site)
          u: url(api.example.com)
          o: oci-digest
          l: list(integer)
          x: { object: { a: string, b: integer? } }
          z: string?
        request:
          POST: '/v1/{s}/x-{e}/{n}'
          query: { at: $at, z: $z }
          headers: { x-note: 'a $s b' }
          json: { m: $m.minor, d: $d, l: $l, x: $x, z: $z, t: 'pre $s post $$' }
`;

const ARGUMENTS = [
  JSON.stringify({
    s: 'text',
    b: true,
    n: 5,
    d: '12.5',
    m: '49.90',
    day: '2026-11-22',
    at: '2026-11-22T04:12:00Z',
    span: '1h30m',
    e: 'red',
    p: '/srv/site/a',
    u: 'https://api.example.com/x',
    o: `sha256:${'a'.repeat(64)}`,
    l: [1, 2],
    x: { a: 'q', b: 2 },
    z: 'last',
  }),
];
const VALUES = [
  [
    '"/srv/site/../x"',
    '"/srv/sitex"',
    '"https://api.example.com@evil.example/"',
    '"2026-02-30"',
    '"90m"',
  ],
  [
    '"1e3"',
    '"49.9"',
    '"-0.00"',
    '9007199254740991',
    '"9007199254740992"',
    '"..%2f"',
    '"a/b"',
    '"\\r\\nX: y"',
  ],
  [
    '"\\u0000"',
    '"‹executionId›"',
    '"--force"',
    '"$(id)"',
    '"\\u202e"',
    '{"__proto__":1}',
    '[[1]]',
    '1.5',
    '-0',
  ],
].flat();

/** An operation with an argument of each type. */
function operationOf(text: string): Operation {
  const { document } = readYaml(text, 'inventory.yaml');
  const read = document && compileInventory({ document, baseDirectory: '/srv' });
  const operation = read?.inventory?.targets.get('all')?.operations.get('send');
  if (operation === undefined) throw new Error(JSON.stringify(read?.problems));
  return operation;
}

function objectOf(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : { s: value };
}

/** Arguments of every type, checked and then put in their places. */
export const ARGUMENT: Subject = {
  name: 'arguments',
  codes: new Set([...JSON_ERROR_CODES, ...ARGUMENT_ERROR_CODES, ...rendererCodes()]),
  open: () => {
    const operation = operationOf(TYPES);
    const take = (input: Buffer): Taken => {
      const parsed = parseJson(input);
      if (!parsed.ok) return refusedWith([{ ...parsed.error, message: '' }]);
      const args = objectOf(parsed.value);
      const errors = checkArguments(operation.arguments, args);
      return errors.length > 0 ? refusedWith(errors) : rendered(operation, args);
    };
    const mutants = onMutants({ documents: ARGUMENTS, words: VALUES }, take);
    return Promise.resolve({
      ...mutants,
      // What breaks the JSON never comes to a template: half of the cases change one value as a whole.
      run: (random) => (random.below(2) === 0 ? mutants.run(random) : taken(oneOdd(random), take)),
    });
  },
};

const PARTS = [
  'a',
  '/',
  '..',
  '%2f',
  '?',
  '#',
  '\\',
  '\r\n',
  ': ',
  '&',
  '=',
  '\u0000',
  '@',
  '-',
  ';',
];

/** Good arguments, one of which is a text of odd parts. */
function oneOdd(random: Random): Buffer {
  const args: Record<string, unknown> = JSON.parse(ARGUMENTS[0] ?? '{}');
  const name = pick(random, ['s', 's', 's', 'z', ...Object.keys(args)], 's');
  return Buffer.from(
    JSON.stringify({ ...args, [name]: oddText(random, { documents: [], words: PARTS }) }),
  );
}

function rendererCodes(): readonly string[] {
  return [
    'argument_missing',
    'argument_not_text',
    'argument_not_a_segment',
    'argument_has_control_character',
    'argument_looks_like_option',
    'argument_not_header_text',
    'argument_holds_placeholder',
    'argument_too_large',
    'argument_not_minor_units',
  ];
}

/** Nothing that an argument holds changes the place it stands in. */
function rendered({ binding, arguments: fields }: Operation, args: JsonObject): Taken {
  if (binding.kind !== 'http') throw new Error('the operation is a request');
  const values = { args, fields, execution: '‹executionId›' };
  try {
    const path = renderPath(binding.path, values);
    const { pathname, search, hash, origin } = new URL(`https://api.example.com${path}`);
    if (pathname !== path || search !== '' || hash !== '' || origin !== 'https://api.example.com') {
      throw new Error(`the path became \`${pathname}${search}${hash}\``);
    }
    if (path.split('/').length !== 5) throw new Error('the path has more parts');
    for (const template of Object.values(binding.headers)) {
      const header = renderHeader(template, values);
      if (header !== undefined && !/^[\x20-\x7e]*$/u.test(header))
        throw new Error('a broken header');
      renderWord(template, values);
    }
    const query = new URLSearchParams(Object.fromEntries(renderFields(binding.query, values)));
    if (query.size > Object.keys(binding.query).length)
      throw new Error('the query has more members');
    if (binding.body.kind === 'json') writeCanonical(renderBody(binding.body.value, values));
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ExecutorRefusal)) throw error;
    return refusedWith([error]);
  }
}

const TEMPLATES = [
  '/v1/{s}/x',
  '$s',
  'pre-${s}-post $$ $m.minor',
  '$executionId',
  '/v1/charges?charge={s}&limit=100',
  '$x.a',
];
const TEMPLATE_WORDS = [
  '{s}',
  '{',
  '}',
  '${',
  '$s',
  '$$',
  '$m.minor',
  '$nope',
  '$executionId',
  '..',
  '//',
  '?',
  '#',
  '%2f',
  '://',
  '@',
];

/** Templates in each place where one may stand. */
export const TEMPLATE: Subject = {
  name: 'templates',
  codes: new Set([...YAML_CODES, ...DOCUMENT_CODES, ...INVENTORY_CODES]),
  open: () =>
    Promise.resolve(
      onMutants({ documents: TEMPLATES, words: TEMPLATE_WORDS }, (input) => {
        const quoted = JSON.stringify(input.toString('utf8'));
        const results = PLACES.map((place) => compiled(place.replace('HERE', () => quoted)));
        return results.find((each) => each === 'accepted') ?? results[0] ?? 'accepted';
      }),
    ),
};

const HEAD = `version: 1
targets:
  all:
    http: { url: https://api.example.com, auth: bearer }
    credentials: { act: env:ACT }
    operations:
      send:
        kind: api.call
        args: { s: string, m: money(EUR), x: { object: { a: string } } }
`;
const PLACES = [
  `${HEAD}        request: { POST: HERE }\n`,
  `${HEAD}        request: { POST: /v1/x, query: { q: HERE } }\n`,
  `${HEAD}        request: { POST: /v1/x, headers: { x-q: HERE } }\n`,
  `${HEAD}        request: { POST: /v1/x, form: { q: HERE } }\n`,
  `${HEAD}        request: { POST: /v1/x, json: { a: [HERE] } }\n`,
  HEAD.replace(/http:.*\n/u, 'process: { cwd: /srv }\n').concat('        run: [/bin/true, HERE]\n'),
];

function compiled(text: string): Taken {
  const { document, problems } = readYaml(text, 'inventory.yaml');
  if (document === undefined) return refusedWith(problems);
  const read = compileInventory({ document, baseDirectory: '/srv' });
  const errors = read.problems.filter(({ severity }) => severity === 'error');
  return errors.length === 0 ? 'accepted' : refusedWith(errors);
}

const REFERENCES = [
  'env:PAY_TOKEN',
  'file:/run/secrets/pay',
  "exec:PATH=/usr/bin HOME=/var/lib/x /usr/bin/vault kv get -field=client 'a b'",
  'exec:/usr/bin/pass show x',
];
const REFERENCE_WORDS = [
  'env:',
  'file:',
  'exec:',
  '/usr/bin/x',
  'PATH=/bin',
  'LD_PRELOAD=/x.so',
  "'",
  ' ',
  '../',
  '$(id)',
  ';',
  '|',
  '~',
  'HOME=',
];

/** References to credentials. What they name is not read: the corpus may name anything. */
export const REFERENCE: Subject = {
  name: 'references',
  codes: new Set([...YAML_CODES, ...DOCUMENT_CODES, ...INVENTORY_CODES]),
  open: () =>
    Promise.resolve(
      onMutants({ documents: REFERENCES, words: REFERENCE_WORDS }, (input) => {
        const text = input.toString('utf8');
        const read = readCredentialCommand(text);
        if (!read.ok && (read.offset < 0 || read.offset > text.length)) {
          throw new Error(`a refusal stands at ${String(read.offset)}`);
        }
        if (read.ok) checkCommand(read.command.argv, read.command.environment);
        return compiled(
          `${HEAD.replace('env:ACT', () => JSON.stringify(text))}        request: { POST: /v1/x }\n`,
        );
      }),
    ),
};

function checkCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): void {
  const names = Object.keys(environment);
  if (argv[0]?.startsWith('/') !== true) throw new Error('the program is no absolute path');
  if (names.some((name) => name !== 'PATH' && name !== 'HOME'))
    throw new Error('a variable is set');
  if (argv.some((word) => word.includes('\0'))) throw new Error('a word holds a zero');
}
