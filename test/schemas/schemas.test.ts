/** The schemas accept what the layer takes, and refuse what it refuses for its shape. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SCHEMAS, SCHEMAS_DIRECTORY, schemaText } from '../../scripts/schemas.ts';
import { readCases } from '../../src/facts/cases/read-cases.ts';
import { readYaml } from '../../src/facts/document/yaml.ts';
import { compileInventory } from '../../src/facts/inventory/compile.ts';
import { lockOf, writeLock } from '../../src/facts/inventory/lock.ts';
import { digestOf, DIGEST_TAGS } from '../../src/kernel/digest.ts';
import type { DocumentNode, Problem } from '../../src/kernel/document.ts';
import type { Inventory } from '../../src/kernel/inventory.ts';
import { compilePolicy } from '../../src/kernel/policy/compile.ts';
import { CONFIGURATION_KEYS, readConfiguration } from '../../src/server/configuration.ts';
import { STARTER_FILES } from '../../src/server/starter-files.ts';
import { ROOT } from '../architecture/source.ts';
import { plainOf, schemaErrors } from './check-schema.ts';

type Name = 'configuration' | 'inventory' | 'inventory-lock' | 'policy' | 'policy-test';

function documentIn(text: string): DocumentNode {
  const { document, problems } = readYaml(text, 'file.yaml');
  assert.ok(document, JSON.stringify(problems));
  return document;
}

function errorsOf(name: Name, text: string): readonly string[] {
  const schema = SCHEMAS[name];
  assert.ok(schema);
  return schemaErrors(schema, plainOf(documentIn(text)));
}

/** Which document a text is, by what only that one has. */
function nameOf(text: string): Name {
  if (/^cases:/mu.test(text)) return 'policy-test';
  if (/^targets:/mu.test(text))
    return /^ {4}operations:/mu.test(text) ? 'inventory' : 'inventory-lock';
  return /^(?:rules|roles|calendars|facts):/mu.test(text) ? 'policy' : 'configuration';
}

const SHOP = join(ROOT, 'examples/shop');

function inventoryOf(text: string): {
  inventory: Inventory | undefined;
  problems: readonly Problem[];
} {
  return compileInventory({ document: documentIn(text), baseDirectory: SHOP });
}

const shop = inventoryOf(readFileSync(join(SHOP, 'inventory.yaml'), 'utf8')).inventory;
assert.ok(shop);
const inventory: Inventory = shop;
const shopPolicy = compilePolicy({
  documents: [documentIn(readFileSync(join(SHOP, 'policy.yaml'), 'utf8'))],
  inventory,
}).policy;
assert.ok(shopPolicy);
const policy = shopPolicy;

describe('the schemas', () => {
  test('stand in schemas/ as they are made', async () => {
    const files = readdirSync(SCHEMAS_DIRECTORY).toSorted();
    assert.deepEqual(
      files,
      Object.keys(SCHEMAS)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
    for (const [name, schema] of Object.entries(SCHEMAS)) {
      const text = readFileSync(join(SCHEMAS_DIRECTORY, `${name}.json`), 'utf8');
      assert.equal(text, await schemaText(schema), 'run `node scripts/schemas.ts`');
    }
  });

  const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
  const blocks = pages.flatMap((page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    return [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gmu)].map(([, block = ''], index) => ({
      file: `${page}, block ${String(index + 1)}`,
      text: block,
    }));
  });
  const examples = readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/u.test(name))
    .map((name) => ({
      file: `examples/${name}`,
      text: readFileSync(join(ROOT, 'examples', name), 'utf8').replaceAll(
        /\{\{(\w+)\}\}/gu,
        (_, place: string) => (place === 'paymentsUrl' ? 'http://localhost' : '/there'),
      ),
    }));
  const lock = writeLock(
    lockOf([
      {
        target: 'shop-web',
        identity: 'shop-staging',
        environment: 'staging',
        files: { '/srv/deploy.sh': digestOf(DIGEST_TAGS.inventory, 'a file') },
      },
    ]),
  );
  const starters = Object.entries(STARTER_FILES).map(([file, text]) => ({ file, text }));
  const valid = [...blocks, ...examples, ...starters, { file: 'a lock file', text: lock }];

  test('are held to documents of every kind', () => {
    const names = new Set(valid.map(({ text }) => nameOf(text)));
    assert.deepEqual([...names].toSorted(), Object.keys(SCHEMAS).toSorted());
    assert.ok(valid.length > 10);
  });

  for (const { file, text } of valid) {
    // An empty start has no targets yet.
    const name = file === 'inventory.yaml' ? 'inventory' : nameOf(text);
    test(`the ${name} schema accepts ${file}`, () => {
      assert.deepEqual(errorsOf(name, text), []);
    });
  }

  test('the configuration schema has exactly the keys that the layer reads', () => {
    const keysIn = (schema: unknown, within = ''): readonly string[] => {
      const { properties = {} }: { readonly properties?: object } = Object(schema);
      return Object.entries(properties).flatMap(([key, inner]) => [
        `${within}${key}`,
        ...keysIn(inner, `${within}${key}.`),
      ]);
    };
    const keys = keysIn(SCHEMAS['configuration']).toSorted();
    assert.deepEqual(keys, CONFIGURATION_KEYS.toSorted());
  });

  test('every file that the layer writes or shows names its schema', () => {
    for (const { file, text } of [...examples, ...starters, { file: 'a lock file', text: lock }]) {
      const [, named] = /^# yaml-language-server: \$schema=(\S+)$/mu.exec(text) ?? [];
      const name = file === 'inventory.yaml' ? 'inventory' : nameOf(text);
      assert.ok(named?.endsWith(`/schemas/${name}.json`), `${file}: ${String(named)}`);
      assert.ok(text.startsWith('# yaml-language-server:'), file);
    }
  });
});

const INVENTORY = (parts: string): string => `version: 1\ntargets:\n  t:\n    ${parts}\n`;
const OPERATION = (parts: string): string =>
  INVENTORY(`http: https://a.example\n    operations:\n      o: { kind: api.call, ${parts} }`);
const POLICY = (rule: string): string =>
  `version: 1\nroles: [executive]\nrules:\n  - { id: a, match: { kind: data.read }, ${rule} }\n`;
const CASES = (parts: string): string => `version: 1
now: 2026-11-24T22:30:00Z
cases:
  - { name: a, action: { agent: bot, target: shop-web, operation: deploy }, expect: admit, ${parts} }
`;

const REFUSED: readonly (readonly [Name, string, string])[] = [
  ['configuration', 'version: 1\nlistn: { port: 1 }\n', 'unknown_key'],
  ['configuration', 'data: x\n', 'missing_key'],
  ['configuration', 'version: 2\n', 'out_of_range'],
  ['configuration', 'version: 1\nlisten: { port: 65536 }\n', 'out_of_range'],
  ['configuration', 'version: 1\nisolation: some\n', 'bad_choice'],
  ['configuration', 'version: 1\nlimits: { sendDelayMax: 2 }\n', 'bad_duration'],
  ['configuration', 'version: 1\nlimits: { sendDelayMsMax: 2s }\n', 'unknown_key'],
  ['configuration', 'version: 1\npolicy: []\n', 'empty'],
  ['configuration', 'version: 1\ntenant: A b\n', 'bad_name'],
  ['inventory', 'version: 1\n', 'missing_key'],
  ['inventory', 'version: 1\ntargets: []\n', 'wrong_type'],
  ['inventory', INVENTORY('http: https://a.example'), 'missing_key'],
  ['inventory', INVENTORY('operations: {}'), 'bad_executor'],
  ['inventory', INVENTORY('htp: https://a.example\n    operations: {}'), 'unknown_key'],
  [
    'inventory',
    INVENTORY('http: { url: https://a.example, auth: digest }\n    operations: {}'),
    'bad_choice',
  ],
  [
    'inventory',
    INVENTORY(
      'http: { url: https://a.example, credentials: { act: hunter2 } }\n    operations: {}',
    ),
    'unknown_key',
  ],
  [
    'inventory',
    INVENTORY('http: https://a.example\n    credentials: { act: hunter2 }\n    operations: {}'),
    'bad_credential',
  ],
  [
    'inventory',
    INVENTORY('http: https://a.example\n    environment: Production\n    operations: {}'),
    'bad_name',
  ],
  ['inventory', OPERATION('request: { POST: /a }, knd: x'), 'unknown_key'],
  ['inventory', OPERATION('args: { a: string }'), 'missing_key'],
  ['inventory', OPERATION('request: { form: { a: b } }'), 'bad_request'],
  ['inventory', OPERATION('request: { POST: /a }, timeout: 10'), 'bad_duration'],
  ['inventory', OPERATION('request: { POST: /a }, output: 10MB'), 'bad_size'],
  ['inventory', OPERATION('request: { POST: /a }, statuses: { 200: maybe }'), 'bad_choice'],
  ['inventory', OPERATION('request: { POST: /a }, statuses: { 99: failed }'), 'bad_outcome'],
  [
    'inventory',
    OPERATION('request: { POST: /a }, preview: { GET: /a, material: [id] }'),
    'bad_pointer',
  ],
  ['inventory', OPERATION('request: { POST: /a }, preview: { material: [/id] }'), 'missing_key'],
  ['inventory', OPERATION('request: { POST: /a }, args: { 1a: string }'), 'bad_argument_name'],
  ['inventory', OPERATION('request: { POST: /a }, args: { a: { typ: string } }'), 'unknown_key'],
  ['inventory', OPERATION('request: { POST: /a }, safing: perhaps'), 'wrong_type'],
  ['inventory', OPERATION('request: { POST: /a }').replace('api.call', 'api.cal'), 'unknown_kind'],
  ['policy', 'rules: []\n', 'missing_key'],
  ['policy', 'version: 1\nrule: []\n', 'unknown_key'],
  ['policy', 'version: 1\nrules: {}\n', 'wrong_type'],
  ['policy', POLICY('allow: maybe'), 'wrong_type'],
  ['policy', POLICY('when: "true"'), 'no_effect'],
  ['policy', POLICY('require: []'), 'empty'],
  ['policy', POLICY('deny: ""'), 'empty'],
  ['policy', POLICY('allow: true, shadow: sometimes'), 'wrong_type'],
  ['policy', POLICY('allow: true').replace('data.read', 'data.red'), 'unknown_kind'],
  ['policy', POLICY('allow: true').replace('kind:', 'knd:'), 'unknown_key'],
  ['policy', POLICY('allow: [{ aproval: { from: role:executive } }]'), 'bad_requirement'],
  ['policy', POLICY('allow: [{ approval: { from: executive } }]'), 'bad_approver'],
  ['policy', POLICY('allow: [{ approval: { from: role:executive, count: 0 } }]'), 'out_of_range'],
  ['policy', POLICY('allow: [{ approval: { from: role:executive, askFor: 8 } }]'), 'bad_duration'],
  ['policy', POLICY('allow: [{ limit: { name: n, per: 1h } }]'), 'bad_requirement'],
  [
    'policy',
    POLICY('allow: [{ limit: { name: n, per: 1h, count: 1, max: 3 } }]'),
    'bad_requirement',
  ],
  [
    'policy',
    POLICY('allow: [{ approval: { from: role:executive }, window: w }]'),
    'bad_requirement',
  ],
  [
    'policy',
    'version: 1\ncalendars: { c: { zone: UTC, open: [{ weekly: x, until: y }] } }\n',
    'unknown_key',
  ],
  ['policy', 'version: 1\ncalendars: { c: { open: [] } }\n', 'missing_key'],
  ['policy', 'version: 1\nfacts: { f: { type: text, source: { file: a } } }\n', 'bad_choice'],
  [
    'policy',
    'version: 1\nfacts: { f: { type: string, source: { pointer: /a } } }\n',
    'missing_key',
  ],
  ['policy', 'version: 1\nfacts: { a-b: { type: string, source: { file: a } } }\n', 'bad_name'],
  ['policy-test', 'version: 1\n', 'missing_key'],
  ['policy-test', CASES('fact: {}'), 'unknown_key'],
  ['policy-test', CASES('held: 2'), 'bad_duration'],
  ['policy-test', CASES('now: tomorrow'), 'bad_instant'],
  ['policy-test', CASES('approvals: [{ by: mei }]'), 'missing_key'],
  ['policy-test', CASES('held: 0s').replace('admit', 'maybe'), 'bad_choice'],
  [
    'policy-test',
    CASES('held: 0s').replace('admit', '{ verdict: hold, findings: [no] }'),
    'bad_choice',
  ],
  ['policy-test', CASES('held: 0s').replace('agent: bot, ', ''), 'missing_key'],
];

describe('what the layer refuses for its shape', () => {
  for (const [name, text, code] of REFUSED) {
    const line = text
      .replace(/^version: 1\n/u, '')
      .trim()
      .replaceAll(/\s+/gu, ' ');
    test(`${name}: ${code}: ${line}`, async () => {
      const codes = (await problemsOf(name, text)).map((problem) => problem.code);
      assert.ok(codes.includes(code), `the layer says ${codes.join(', ') || 'nothing'}`);
      assert.notDeepEqual(errorsOf(name, text), [], 'the schema accepts it');
    });
  }

  test('the checker refuses a schema with a keyword that it does not check', () => {
    assert.throws(() => schemaErrors({ type: 'string', format: 'date' }, 'a'), /`format`/u);
  });
});

async function problemsOf(name: Name, text: string): Promise<readonly Problem[]> {
  switch (name) {
    case 'configuration': {
      const directory = await mkdtemp(join(tmpdir(), 'exequatur-schemas-'));
      const file = join(directory, 'exequatur.yaml');
      await writeFile(file, text);
      const { problems } = await readConfiguration(file);
      await rm(directory, { recursive: true });
      return problems;
    }
    case 'inventory':
    case 'inventory-lock':
      return inventoryOf(text).problems;
    case 'policy':
      return compilePolicy({ documents: [documentIn(text)], inventory }).problems;
    case 'policy-test':
      return readCases(documentIn(text), policy).problems;
    default:
      return name satisfies never;
  }
}
