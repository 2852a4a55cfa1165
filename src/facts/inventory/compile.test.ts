import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ArgumentType,
  HttpOperation,
  Inventory,
  Operation,
  ProcessOperation,
  Target,
} from '../../kernel/inventory.ts';
import type { InventoryCompiled } from './compile.ts';
import {
  compile,
  compiled,
  http,
  process,
  SHOP,
  told,
} from '../../../test/fixtures/facts/inventory-texts.ts';
import { INVENTORY_LIMITS } from './limits.ts';

function targetOf(inventory: Inventory, name: string): Target {
  const target = inventory.targets.get(name);
  assert.ok(target !== undefined);
  return target;
}

function operationOf(inventory: Inventory, target: string, name: string): Operation {
  const operation = targetOf(inventory, target).operations.get(name);
  assert.ok(operation !== undefined);
  return operation;
}

function httpOf(operation: Operation): HttpOperation {
  assert.ok(operation.binding.kind === 'http');
  return operation.binding;
}

function processOf(operation: Operation): ProcessOperation {
  assert.ok(operation.binding.kind === 'process');
  return operation.binding;
}

// ---------------------------------------------------------------- what is compiled

test('what keeps a program from the layer is compiled, with paths from where the inventory lies', () => {
  const table: readonly (readonly [string, unknown])[] = [
    ['user: same-as-layer', { kind: 'same-as-layer' }],
    ['user: web', { kind: 'user', name: 'web' }],
    ['sandbox: bwrap', { kind: 'bwrap', readOnly: [], writable: [], network: false }],
    [
      'sandbox: { bwrap: { readOnly: [/opt, ./data], writable: ./out, network: true } }',
      {
        kind: 'bwrap',
        readOnly: ['/etc/exequatur/data', '/opt'],
        writable: ['/etc/exequatur/out'],
        network: true,
      },
    ],
  ];
  for (const [given, expected] of table) {
    const text = SHOP.replace('cwd: ./web,', `cwd: ./web, ${given},`);
    const { executor } = targetOf(compiled(text), 'shop-web');
    assert.ok(executor.kind === 'process');
    assert.deepEqual(executor.isolation, expected);
  }
});

test('each way to authenticate is compiled with what it needs, a trailing slash of a token url included', () => {
  const table: readonly (readonly [string, unknown])[] = [
    ['basic', 'basic'],
    ['mtls', 'mtls'],
    [
      '{ oauth2: { tokenUrl: https://id.example/token/, scope: a b, audience: c } }',
      { kind: 'oauth2', tokenUrl: 'https://id.example/token/', scope: 'a b', audience: 'c' },
    ],
    [
      '{ oauth2: { tokenUrl: https://id.example/token } }',
      { kind: 'oauth2', tokenUrl: 'https://id.example/token' },
    ],
    [
      '{ sigv4: { region: eu-west-1, service: s3 } }',
      { kind: 'sigv4', region: 'eu-west-1', service: 's3' },
    ],
  ];
  for (const [auth, expected] of table) {
    const text = SHOP.replace('auth: bearer', `auth: ${auth}`).replace(
      'env:PAY_LOOK',
      "exec:HOME=/srv /usr/bin/vault 'read it'",
    );
    const { executor, credentials } = targetOf(compiled(text), 'shop-payments');
    assert.ok(executor.kind === 'http');
    assert.deepEqual(executor.auth, expected);
    assert.equal(credentials.look, "exec:HOME=/srv /usr/bin/vault 'read it'");
  }
});

test('a client certificate and its key come together or apart', () => {
  const apart = SHOP.replace('auth: bearer', 'auth: mtls').replace(
    'act: file:/run/secrets/pay,',
    'act: { certificate: file:tls/pay.pem, key: env:PAY_KEY },',
  );
  const { credentials, operations } = targetOf(compiled(apart), 'shop-payments');
  assert.deepEqual(credentials, {
    act: 'env:PAY_KEY',
    look: 'env:PAY_LOOK',
    certificates: { act: 'file:/etc/exequatur/tls/pay.pem' },
  });
  const other = targetOf(compiled(apart.replace('tls/pay', 'tls/other')), 'shop-payments');
  const [digest, otherDigest] = [operations, other.operations].map(
    (each) => each.get('refund')?.digest,
  );
  assert.notEqual(digest, otherDigest);
});

test('a target reached by http is compiled as the design writes it', () => {
  const target = targetOf(compiled(SHOP), 'shop-payments');
  assert.equal(target.environment, 'production');
  assert.equal(target.owner, 'team-shop');
  assert.deepEqual({ ...target.labels }, { tier: 'one' });
  assert.deepEqual(target.executor, {
    kind: 'http',
    url: 'https://api.pay.example',
    auth: 'bearer',
    addressesAllowed: [],
  });
  assert.deepEqual(target.credentials, { act: 'file:/run/secrets/pay', look: 'env:PAY_LOOK' });
  assert.deepEqual(JSON.parse(JSON.stringify(target.probe)), {
    kind: 'http',
    path: '/v1/account',
    identity: '/id',
    environment: { pointer: '/mode', values: { live: 'production', test: 'staging' } },
  });
});

test('a request is compiled with its templates, and a query in a path is taken apart', () => {
  const operation = operationOf(compiled(SHOP), 'shop-payments', 'refund');
  const binding = httpOf(operation);
  const charge = { kind: 'argument', path: ['charge'] };
  assert.deepEqual(JSON.parse(JSON.stringify(binding.body)), {
    kind: 'form',
    fields: {
      charge: [charge],
      amount: [{ kind: 'argument', path: ['amount', 'minor'] }],
      'metadata[exequatur]': [{ kind: 'execution' }],
    },
  });
  assert.deepEqual(binding.preview?.path, [{ kind: 'literal', text: '/v1/charges/' }, charge]);
  assert.deepEqual(JSON.parse(JSON.stringify(binding.reconcile)), {
    path: [{ kind: 'literal', text: '/v1/refunds' }],
    query: { charge: [charge], limit: [{ kind: 'literal', text: '100' }] },
    find: 'metadata.exequatur',
    absenceConclusive: false,
  });
  assert.equal(operation.conflictKey, 'shop-payments');
  assert.equal(operation.precondition, 'read-then-act');
  assert.equal(operation.once, 'args.charge');
  assert.deepEqual(operation.visibleToAgents, ['amount']);
  assert.deepEqual(operation.arguments['amount'], {
    type: { kind: 'money', currency: 'EUR', minorDigits: 2 },
    optional: false,
  });
  assert.deepEqual(operation.arguments['note'], {
    type: { kind: 'string', lengthMax: 200 },
    optional: true,
  });
});

test('a target that runs programs is compiled with absolute paths', () => {
  const inventory = compiled(SHOP);
  const target = targetOf(inventory, 'shop-web');
  assert.equal(target.environment, 'staging');
  assert.deepEqual(JSON.parse(JSON.stringify(target.executor)), {
    kind: 'process',
    directory: '/etc/exequatur/web',
    environmentNames: ['HOME', 'PATH'],
    environmentValues: { STAGE: 'test' },
    credentialVariable: 'TOKEN',
  });
  assert.deepEqual(target.probe, {
    kind: 'file',
    path: '/etc/exequatur/web/current/site.json',
    identity: '/site',
  });
  assert.equal(target.credentials.act, 'file:/etc/exequatur/secrets/web');
  const deploy = operationOf(inventory, 'shop-web', 'deploy');
  const binding = processOf(deploy);
  assert.deepEqual(binding.run, [
    [{ kind: 'literal', text: '/etc/exequatur/web/deploy.sh' }],
    [{ kind: 'argument', path: ['artifact'] }],
    [
      { kind: 'literal', text: '--level=' },
      { kind: 'argument', path: ['level'] },
    ],
  ]);
  assert.deepEqual(binding.files, ['/etc/exequatur/web/deploy.sh', '/etc/exequatur/web/lib.sh']);
  assert.deepEqual({ ...binding.exits }, { 0: 'succeeded', 3: 'not_executed' });
  assert.equal(binding.outputBytesMax, 65_536);
  assert.equal(binding.memoryBytesMax, 268_435_456);
  assert.equal(deploy.timeoutMs, 120_000);
  assert.equal(deploy.conflictKey, 'web');
  assert.equal(deploy.precondition, 'read-then-act');
  assert.equal(operationOf(inventory, 'shop-web', 'stop').safing, true);
});

test('plain texts stand for a target that needs no more', () => {
  const inventory = compiled(`version: 1
targets:
  a: { http: "https://a.example/v1/", operations: {} }
  b: { process: /srv/b, operations: {} }
`);
  assert.deepEqual(targetOf(inventory, 'a').executor, {
    kind: 'http',
    url: 'https://a.example/v1',
    auth: 'none',
    addressesAllowed: [],
  });
  assert.deepEqual(targetOf(inventory, 'b').executor, {
    kind: 'process',
    directory: '/srv/b',
    environmentNames: [],
    environmentValues: {},
  });
});

function argument(...path: readonly string[]): unknown {
  return { kind: 'argument', path };
}

test('a json body keeps types: a leaf that is one argument, constants, and texts with references', () => {
  const inventory = compiled(
    http(
      'request: { POST: /x, json: { l: $l, o: $o.x, t: "a $a ${a}b", d: "$$1", n: 3, b: true, z: ~, f: 1.5, i: [$m.minor, x] } }',
    ),
  );
  const { body } = httpOf(operationOf(inventory, 't', 'op'));
  assert.ok(body.kind === 'json' && body.value.kind === 'object');
  const members = JSON.parse(JSON.stringify(body.value.members));
  assert.deepEqual(members, {
    l: { kind: 'template', template: [argument('l')] },
    o: { kind: 'template', template: [argument('o', 'x')] },
    t: {
      kind: 'template',
      template: [
        { kind: 'literal', text: 'a ' },
        argument('a'),
        { kind: 'literal', text: ' ' },
        argument('a'),
        { kind: 'literal', text: 'b' },
      ],
    },
    d: { kind: 'constant', value: '$1' },
    n: { kind: 'constant', value: 3 },
    b: { kind: 'constant', value: true },
    z: { kind: 'constant', value: null },
    f: { kind: 'constant', value: 1.5 },
    i: {
      kind: 'array',
      items: [
        { kind: 'template', template: [argument('m', 'minor')] },
        { kind: 'constant', value: 'x' },
      ],
    },
  });
});

function classOf(text: string): string {
  return operationOf(compiled(text), 't', 'op').precondition;
}

test('the precondition class says what the target checks', () => {
  assert.equal(classOf(http('request: { PUT: /x }')), 'unconditioned');
  const preview = 'preview: { GET: /x, material: [/v] }';
  assert.equal(classOf(http(`request: { PUT: /x }\n${preview}`)), 'read-then-act');
  assert.equal(classOf(http(`request: { PUT: /x }\n${preview}\nifMatch: preview`)), 'conditional');
  assert.equal(classOf(process('run: [/bin/true]')), 'read-then-act');
});

const TYPES: readonly (readonly [text: string, type: ArgumentType, optional?: true])[] = [
  ['string', { kind: 'string', lengthMax: 1000 }],
  ['string(200)', { kind: 'string', lengthMax: 200 }],
  ['boolean', { kind: 'boolean' }],
  ['integer?', { kind: 'integer' }, true],
  ['decimal', { kind: 'decimal' }],
  ['money(JPY)', { kind: 'money', currency: 'JPY', minorDigits: 0 }],
  ['money(KWD)', { kind: 'money', currency: 'KWD', minorDigits: 3 }],
  ['date', { kind: 'date' }],
  ['instant', { kind: 'instant' }],
  ['duration', { kind: 'duration' }],
  ['oci-digest', { kind: 'oci-digest' }],
  ['oci-digest?', { kind: 'oci-digest' }, true],
  ['"enum(a, b)"', { kind: 'enum', values: ['a', 'b'] }],
  ['path(/srv/x/)', { kind: 'path', within: '/srv/x' }],
  ['path(data)', { kind: 'path', within: '/etc/exequatur/data' }],
  ['"url(api.example,b.example:8443)"', { kind: 'url', hosts: ['api.example', 'b.example:8443'] }],
  ['list(integer)', { kind: 'array', items: { kind: 'integer' }, itemsMax: 100 }],
  ['"list(integer, 500)"', { kind: 'array', items: { kind: 'integer' }, itemsMax: 500 }],
  [
    '"list(list(enum(a,b),2), 3)?"',
    {
      kind: 'array',
      items: { kind: 'array', items: { kind: 'enum', values: ['a', 'b'] }, itemsMax: 2 },
      itemsMax: 3,
    },
    true,
  ],
  [
    '"list(enum(a,b))?"',
    { kind: 'array', items: { kind: 'enum', values: ['a', 'b'] }, itemsMax: 100 },
    true,
  ],
  [
    '{ list: string(5), max: 3 }',
    { kind: 'array', items: { kind: 'string', lengthMax: 5 }, itemsMax: 3 },
  ],
  ['{ enum: ["a(b", c], optional: true }', { kind: 'enum', values: ['a(b', 'c'] }, true],
  ['{ type: string, max: 7 }', { kind: 'string', lengthMax: 7 }],
];

for (const [text, type, optional] of TYPES) {
  test(`the type ${text} is read`, () => {
    const inventory = compiled(http('request: { POST: /x }', `{ a: ${text} }`));
    const field = operationOf(inventory, 't', 'op').arguments['a'];
    assert.deepEqual(field, { type, optional: optional === true });
  });
}

test('a plan is a blob, and knows its own measures where the inventory says no other', () => {
  const given =
    'run: [/bin/apply, $a]\npreview: { run: [/bin/show, $a], as: terraform-plan }\nmeasures: { adds: 5 }';
  const text = process(given, '{ a: blob, b: "blob?" }').replace(
    'kind: api.call',
    'kind: infra.change',
  );
  const operation = operationOf(compiled(text), 't', 'op');
  assert.deepEqual(operation.arguments['a'], { type: { kind: 'blob' }, optional: false });
  assert.deepEqual(operation.arguments['b'], { type: { kind: 'blob' }, optional: true });
  assert.deepEqual(
    { ...operation.measures },
    { adds: '5', changes: 'preview.changes', destroys: 'preview.destroys' },
  );
  const { preview } = processOf(operation);
  assert.deepEqual([preview?.as, preview?.material], ['terraform-plan', []]);
});

test('a secret is read with its references, and stands as a whole value of a body', () => {
  const inventory = compiled(
    http('request: { POST: /x, json: { k: $k } }', '{ k: "secret(a-key, b-key)?" }').replace(
      'operations:',
      'credentials: { secrets: { a-key: file:keys/a, b-key: env:B } }\n    operations:',
    ),
  );
  const { secrets } = targetOf(inventory, 't').credentials;
  assert.deepEqual({ ...secrets }, { 'a-key': 'file:/etc/exequatur/keys/a', 'b-key': 'env:B' });
  const operation = operationOf(inventory, 't', 'op');
  assert.deepEqual(operation.arguments['k'], {
    type: { kind: 'secret', names: ['a-key', 'b-key'] },
    optional: true,
  });
  const { body } = httpOf(operation);
  assert.ok(body.kind === 'json' && body.value.kind === 'object');
  const template = [{ kind: 'argument', path: ['k'] }];
  assert.deepEqual(body.value.members['k'], { kind: 'template', template });
});

test('a list stands as a whole value of a body', () => {
  const inventory = compiled(
    http('request: { POST: /x, json: { ids: $ids } }', '{ ids: "list(integer, 500)" }'),
  );
  const { body } = httpOf(operationOf(inventory, 't', 'op'));
  assert.ok(body.kind === 'json' && body.value.kind === 'object');
  const template = [{ kind: 'argument', path: ['ids'] }];
  assert.deepEqual(body.value.members['ids'], { kind: 'template', template });
});

test('an object argument has fields of its own, to the depth allowed', () => {
  const nested = (levels: number): string =>
    levels === 0 ? 'string' : `{ object: { a: ${nested(levels - 1)} } }`;
  const at = (levels: number): InventoryCompiled =>
    compile(http('request: { POST: /x }', `{ a: ${nested(levels)} }`));
  assert.deepEqual(told(at(INVENTORY_LIMITS.argumentDepthMax)), []);
  assert.match(told(at(INVENTORY_LIMITS.argumentDepthMax + 1))[0] ?? '', /^too_many/u);
});

// ---------------------------------------------------------------- limits

function many(count: number, entry: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => entry(index)).join('');
}

test('targets, operations, arguments and words are allowed up to their limits and refused one past them', () => {
  const limits: readonly (readonly [
    what: string,
    limit: number,
    code: string,
    text: (count: number) => string,
  ])[] = [
    [
      'targets',
      INVENTORY_LIMITS.targetsMax,
      'too_many',
      (count) =>
        `version: 1\ntargets:\n${many(count, (index) => `  t${index}: { process: /srv, operations: {} }\n`)}`,
    ],
    [
      'operations',
      INVENTORY_LIMITS.operationsPerTargetMax,
      'too_many',
      (count) =>
        `version: 1\ntargets:\n  t:\n    process: /srv\n    operations:\n${many(count, (index) => `      o${index}: { kind: api.call, run: [/bin/true] }\n`)}`,
    ],
    [
      'arguments',
      INVENTORY_LIMITS.argumentsMax,
      'too_many',
      (count) =>
        process('run: [/bin/true]', `{ ${many(count, (index) => `a${index}: string, `)} }`),
    ],
    [
      'words',
      INVENTORY_LIMITS.wordsMax,
      'bad_operation',
      (count) => process(`run: [${many(count, () => '/bin/true, ')}]`),
    ],
  ];
  for (const [what, limit, code, text] of limits) {
    assert.deepEqual(compile(text(limit)).problems, [], what);
    const problems = compile(text(limit + 1)).problems;
    assert.deepEqual(
      problems.map((problem) => problem.code),
      [code],
      what,
    );
  }
});

// ---------------------------------------------------------------- digests

test('the order of a file does not change a digest, and its meaning does', () => {
  const inventory = compiled(SHOP);
  const reordered = SHOP.replace(
    'args: { charge: string, amount: money(EUR),',
    'args: { amount: money(EUR), charge: string,',
  ).replace(
    '    owner: team-shop\n    labels: { tier: one }\n',
    '    labels: { tier: one }\n    owner: team-shop\n',
  );
  assert.notEqual(reordered, SHOP);
  assert.equal(compiled(reordered).digest, inventory.digest);
});

const CHANGES: readonly (readonly [
  what: string,
  from: string,
  to: string,
  operation: 'same' | 'other',
])[] = [
  ['url', 'https://api.pay.example', 'https://api2.pay.example', 'other'],
  ['credential reference', 'file:/run/secrets/pay', 'file:/run/secrets/other', 'other'],
  ['argument', 'amount: money(EUR)', 'amount: money(CHF)', 'other'],
  ['path', 'POST: /v1/refunds', 'POST: /v2/refunds', 'other'],
  ['measure', 'payee: preview.customer', 'payee: args.charge', 'other'],
  ['pointer', '[/customer]', '[/payer]', 'other'],
  ['probe', 'field: /id', 'field: /name', 'other'],
  ['owner', 'owner: team-shop', 'owner: team-web', 'same'],
  ['label', 'tier: one', 'tier: two', 'same'],
];

for (const [what, from, to, operation] of CHANGES) {
  test(`another ${what} is another inventory and ${operation === 'same' ? 'the same' : 'another'} operation`, () => {
    const [before, after] = [compiled(SHOP), compiled(SHOP.replace(from, to))];
    assert.notEqual(after.digest, before.digest);
    const digests = [before, after].map(
      (one) => operationOf(one, 'shop-payments', 'refund').digest,
    );
    assert.equal(digests[0] === digests[1], operation === 'same');
  });
}

// ---------------------------------------------------------------- the lock file

const DIGEST = 'a'.repeat(64);
const LOCK = `version: 1
targets:
  shop-payments: { identity: acct_1, environment: production }
  shop-web: { identity: web, files: { /etc/exequatur/web/deploy.sh: ${DIGEST} } }
`;

test('what is locked stands at its target and changes the inventory', () => {
  const inventory = compiled(SHOP, LOCK);
  assert.deepEqual(JSON.parse(JSON.stringify(targetOf(inventory, 'shop-payments').locked)), {
    identity: 'acct_1',
    environment: 'production',
    files: {},
  });
  const { files } = targetOf(inventory, 'shop-web').locked ?? { files: {} };
  assert.deepEqual({ ...files }, { '/etc/exequatur/web/deploy.sh': DIGEST });
  assert.notEqual(inventory.digest, compiled(SHOP).digest);
});

test('an inventory that says another environment than the system said is refused', () => {
  const result = compile(SHOP, LOCK.replace('environment: production', 'environment: staging'));
  assert.equal(result.inventory, undefined);
  assert.deepEqual(told(result), ['environment_differs 3:3']);
});

test('a lock of a target that is gone is a warning at the lock file', () => {
  const { inventory, problems } = compile(SHOP, LOCK.replace('shop-web', 'shop-old'));
  assert.ok(inventory !== undefined);
  assert.deepEqual(
    problems.map(({ code, position }) => [code, position.file]),
    [['unknown_target', 'inventory.lock.yaml']],
  );
});

test('a digest that is none is refused', () => {
  assert.deepEqual(told(compile(SHOP, LOCK.replace(DIGEST, 'abc'))), ['bad_digest 4:69']);
});
