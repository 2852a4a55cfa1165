import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';

import type { Inventory } from '../../../kernel/inventory.ts';
import { readYaml } from '../../document/yaml.ts';
import { compileInventory } from '../compile.ts';
import { importOpenApi } from './openapi.ts';

const ORIGIN = { origin: 'pay.json' };

function textOf(document: unknown, options: Parameters<typeof importOpenApi>[1] = ORIGIN): string {
  const imported = importOpenApi(
    typeof document === 'string' ? document : JSON.stringify(document),
    options,
  );
  assert.ok(imported.ok, imported.ok ? '' : `${imported.code}: ${imported.message}`);
  return imported.text;
}

function codeOf(document: unknown): string {
  const source = typeof document === 'string' ? document : JSON.stringify(document);
  const imported = importOpenApi(source, ORIGIN);
  return imported.ok ? 'imported' : imported.code;
}

/** The inventory that a draft compiles to; fails where it has an error. */
function compiled(text: string): Inventory {
  const { document, problems } = readYaml(text, 'draft.yaml');
  assert.ok(document !== undefined, JSON.stringify(problems));
  const result = compileInventory({ document, baseDirectory: '/' });
  const errors = result.problems.filter(({ severity }) => severity === 'error');
  assert.deepEqual(errors, []);
  assert.ok(result.inventory !== undefined);
  return result.inventory;
}

const PAY = {
  openapi: '3.1.0',
  info: { title: 'Pay API', version: '1' },
  servers: [{ url: 'https://api.pay.example/v1/' }],
  components: {
    securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    schemas: {
      Address: {
        type: 'object',
        required: ['city'],
        properties: { city: { type: 'string', maxLength: 80 }, zip: { type: ['string', 'null'] } },
      },
    },
  },
  paths: {
    '/charges/{charge-id}': {
      parameters: [{ name: 'charge-id', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'getCharge', summary: 'Shows a charge' },
      delete: { operationId: 'cancelCharge' },
    },
    '/refunds': {
      post: {
        operationId: 'createRefund',
        parameters: [
          { name: 'expand', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
          { name: 'Pay-Version', in: 'header', schema: { type: 'string', format: 'date' } },
          { name: 'Authorization', in: 'header', schema: { type: 'string' } },
          { name: 'session', in: 'cookie', schema: { type: 'string' } },
        ],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['charge', 'amount'],
                properties: {
                  charge: { type: 'string', maxLength: 64 },
                  amount: { type: 'integer' },
                  reason: { type: 'string', enum: ['duplicate', 'requested by customer'] },
                  at: { type: 'string', format: 'date-time' },
                  rate: { type: 'number' },
                  to: { $ref: '#/components/schemas/Address' },
                  lines: { type: 'array', maxItems: 5, items: { type: 'string' } },
                  metadata: { type: 'object', additionalProperties: true },
                  id: { type: 'string', readOnly: true },
                },
              },
            },
          },
        },
      },
    },
    '/users/{id}/roles': { post: { responses: {} } },
    '/releases': { put: { operationId: 'deployNow' } },
    '/echo': { patch: { operationId: 'echo' } },
  },
};

describe('an import of OpenAPI', () => {
  test('writes operations that compile, with arguments in their places', () => {
    const inventory = compiled(textOf(PAY));
    const target = inventory.targets.get('pay-api');
    assert.ok(target !== undefined && target.executor.kind === 'http');
    assert.equal(target.executor.url, 'https://api.pay.example/v1');
    assert.deepEqual(target.credentials, {
      act: 'file:/run/secrets/pay-api',
      look: 'file:/run/secrets/pay-api-read',
    });
    const refund = target.operations.get('create-refund');
    assert.ok(refund?.binding.kind === 'http' && refund.binding.body.kind === 'json');
    assert.deepEqual(Object.keys(refund.binding.query), ['expand']);
    assert.deepEqual(Object.keys(refund.binding.headers), ['Pay-Version']);
    const types = Object.fromEntries(
      Object.entries(refund.arguments).map(([name, { type, optional }]) => [
        name,
        `${type.kind}${optional ? '?' : ''}`,
      ]),
    );
    assert.deepEqual(types, {
      expand: 'string?',
      Pay_Version: 'date?',
      charge: 'string',
      amount: 'integer',
      reason: 'enum?',
      at: 'instant?',
      rate: 'decimal?',
      to: 'object?',
      lines: 'array?',
      metadata: 'string?',
    });
    const show = target.operations.get('get-charge');
    assert.ok(show?.binding.kind === 'http');
    assert.deepEqual(show.binding.path.at(-1), { kind: 'argument', path: ['charge_id'] });
  });

  test('guesses kinds, and says why beside each guess', () => {
    const text = textOf(PAY);
    const lines = text.split('\n').map((line) => line.trim());
    assert.deepEqual(
      lines.filter((line) => line.startsWith('kind:')),
      [
        'kind: data.read # guessed: GET reads',
        'kind: data.delete # guessed: DELETE deletes',
        'kind: money.transfer # guessed: POST, and it says `refund`',
        'kind: access.grant # guessed: POST, and it says `users`',
        'kind: code.execute # guessed: PUT, and it says `deploy`',
        'kind: api.call # guessed: PATCH, and no word of it says more',
      ],
    );
    assert.match(text, /# left out: header Authorization, which only the layer sets/u);
    assert.match(text, /# left out: session, for cookies are not sent/u);
    assert.match(
      text,
      /metadata: string\(1000\)\? # guessed: a text, for an object whose members/u,
    );
  });

  test('reads YAML as it reads JSON', () => {
    assert.equal(textOf(stringify(PAY)), textOf(PAY));
  });

  test('a text of the document ends no comment, no quote and no line', () => {
    const evil = 'x"\n  evil: { http: https://evil.example }\n#\u2028\u0000\u202e$(id) ${x}';
    const document = {
      openapi: '3.0.3',
      info: { title: evil },
      servers: [{ url: 'https://api.example' }],
      paths: {
        [`/a/${evil}`]: {
          post: {
            operationId: evil,
            summary: evil,
            parameters: [
              {
                name: evil.replaceAll(/\p{C}|\u2028/gu, ''),
                in: 'query',
                schema: { type: 'string', enum: ['a', 'b: c', '$x'] },
              },
            ],
          },
        },
      },
    };
    const inventory = compiled(textOf(document, { origin: evil }));
    assert.equal(inventory.targets.size, 1);
    const [target] = inventory.targets.values();
    assert.equal(target?.operations.size, 1);
  });

  test('any names and texts in a document make a draft that compiles', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 10 }),
      fc.string({ maxLength: 10 }),
    );
    const schema = fc.oneof(
      fc.constantFrom({ type: 'string' }, { type: 'number' }, {}, { type: 'array', items: {} }),
      fc.record({ type: fc.constant('string'), enum: fc.array(name, { maxLength: 3 }) }),
      fc.record({ properties: fc.dictionary(name, fc.constant({ type: 'integer' })) }),
    );
    const parameter = fc.record({
      name,
      in: fc.constantFrom('path', 'query', 'header', 'cookie'),
      schema,
    });
    const operation = fc.record({
      operationId: name,
      summary: name,
      parameters: fc.array(parameter, { maxLength: 3 }),
      requestBody: fc.record({
        content: fc.record({
          'application/json': fc.record({
            schema: fc.record({ properties: fc.dictionary(name, schema) }),
          }),
        }),
      }),
    });
    const paths = fc.dictionary(
      name.map((each) => `/${each}/{${each}}`),
      fc.record({ post: operation, get: operation }),
      { minKeys: 1, maxKeys: 3 },
    );
    fc.assert(
      fc.property(paths, name, (given, title) => {
        compiled(textOf({ openapi: '3.0.0', info: { title }, paths: given }));
      }),
      { numRuns: 150 },
    );
  });

  test('circles of references end in a text with a comment', () => {
    const node = {
      type: 'object',
      properties: { name: { type: 'string' }, parent: { $ref: '#/components/schemas/Node' } },
      allOf: [{ $ref: '#/components/schemas/Node' }],
    };
    const schemas = { Node: node, Self: { $ref: '#/components/schemas/Self' } };
    const document = {
      openapi: '3.0.0',
      paths: { '/nodes': { post: body('Node'), put: body('Self') } },
      components: { schemas },
    };
    const text = textOf(document);
    assert.equal(compiled(text).targets.get('api')?.operations.size, 2);
    assert.match(text, /it refers to itself/u);
  });

  test('schemas that multiply are looked at up to a limit', () => {
    const schemas: Record<string, unknown> = {};
    for (let level = 0; level < 8; level += 1) {
      const next = { $ref: `#/components/schemas/L${String(level + 1)}` };
      const names = Array.from({ length: 60 }, (_, index) => `p${String(index)}`);
      schemas[`L${String(level)}`] = {
        type: 'object',
        properties: Object.fromEntries(names.map((name) => [name, next])),
      };
    }
    schemas['L8'] = { type: 'string' };
    const content = { 'application/json': { schema: { $ref: '#/components/schemas/L0' } } };
    const document = {
      openapi: '3.0.0',
      paths: { '/x': { post: { requestBody: { content } } } },
      components: { schemas },
    };
    const start = performance.now();
    assert.match(textOf(document), /too much is in it/u);
    assert.ok(performance.now() - start < 5000);
  });

  test('what cannot be imported is refused by name', () => {
    const paths = { '/x': { get: {} } };
    const cases: readonly (readonly [unknown, string])[] = [
      [{ openapi: '2.0', paths }, 'document_not_openapi'],
      [{ swagger: '2.0', paths }, 'document_not_openapi'],
      ['- a\n- b', 'document_not_openapi'],
      ['{"openapi": ', 'document_unreadable'],
      ['a: [', 'document_unreadable'],
      ['['.repeat(10_000), 'document_unreadable'],
      // Each character after the first error was an error of its own, with its stack.
      [`openapi: 3.0.0\na: {} }\n${'b:\n'.repeat(500_000)}`, 'document_unreadable'],
      [withReference('https://evil.example/x.json#/p'), 'remote_reference'],
      [withReference('other.yaml#/p'), 'remote_reference'],
      [withReference('file:///etc/passwd'), 'remote_reference'],
      [withReference('#/components/parameters/none'), 'reference_unresolved'],
      [withReference('#/__proto__/constructor'), 'reference_unresolved'],
      [{ openapi: '3.1.0', paths: {} }, 'nothing_to_import'],
      [{ openapi: '3.1.0' }, 'nothing_to_import'],
    ];
    for (const [document, code] of cases)
      assert.equal(codeOf(document), code, JSON.stringify(document).slice(0, 80));
  });

  test('50 MB are refused before anything is parsed', () => {
    const start = performance.now();
    assert.equal(codeOf(`{"openapi":"3.0.0","x":"${'x'.repeat(50_000_000)}"}`), 'import_too_large');
    assert.equal(codeOf(`openapi: 3.0.0\nx: ${'x'.repeat(9_000_000)}`), 'import_too_large');
    assert.ok(performance.now() - start < 10_000);
  });

  for (const [format, write] of [
    ['JSON', (document: unknown) => JSON.stringify(document)],
    ['YAML', (document: unknown) => stringify(document, { aliasDuplicateObjects: false })],
  ] as const) {
    // How long it takes `npm run bench` shows.
    test(`1,000 operations in ${format} are imported, and compile`, () => {
      const { targets } = compiled(textOf(write(large(1000))));
      assert.deepEqual([...targets.keys()], ['large', 'large-2']);
      const counts = [...targets.values()].map(({ operations }) => operations.size);
      assert.deepEqual(counts, [500, 500]);
    });
  }
});

function body(name: string): unknown {
  return {
    requestBody: {
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
    },
  };
}

function withReference(reference: string): unknown {
  return {
    openapi: '3.0.0',
    paths: { '/x': { get: { parameters: [{ $ref: reference }] } } },
  };
}

/** A document like those of large public APIs: shared schemas, nested bodies, long descriptions. */
function large(count: number): unknown {
  const properties = Object.fromEntries(
    Array.from({ length: 15 }, (_, index) => [
      `field${String(index)}`,
      index % 3 === 0
        ? { $ref: '#/components/schemas/Inner' }
        : { type: 'string', description: 'What it is for, at some length. ' },
    ]),
  );
  const inner = { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } } };
  const paths = Array.from({ length: count }, (_, index) => [
    `/things${String(index)}/{id}`,
    {
      post: {
        operationId: `changeThing${String(index)}`,
        description: 'Changes a thing. '.repeat(10),
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        requestBody: {
          content: { 'application/json': { schema: { type: 'object', properties } } },
        },
        responses: { 200: { description: 'Done. ' } },
      },
    },
  ]);
  return {
    openapi: '3.0.3',
    info: { title: 'Large', version: '1' },
    servers: [{ url: 'https://large.example' }],
    paths: Object.fromEntries(paths),
    components: { schemas: { Inner: inner } },
  };
}
