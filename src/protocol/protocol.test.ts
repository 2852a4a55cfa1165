import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { JSON_LIMITS } from '../kernel/json/parse.ts';
import { instantOf, formatInstant } from '../kernel/instant.ts';
import { ERROR_CODES, errorType } from './errors.ts';
import { BODY_BYTES_MAX } from './headers.ts';
import { KEY_SORTS, keySortOf } from './keys.ts';
import { BODY_ERRORS } from './json-errors.ts';
import { pathOf, ROUTES, type Route } from './routes.ts';
import { instantText } from './words.ts';

describe('routes', () => {
  test('no two routes answer the same request', () => {
    const lines = Object.values(ROUTES).map(
      (route: { readonly method: string; readonly path: string }) =>
        `${route.method} ${route.path.replace(/\{\w+\}/gu, '{}')}`,
    );
    assert.equal(new Set(lines).size, lines.length);
  });

  test('a parameter stays one segment of the path, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const path = pathOf('revokeAgent', { name });
        const [, version, agents, segment, rest] = path.split('/');
        assert.deepEqual([version, agents, rest], ['v1', 'agents', undefined]);
        assert.equal(decodeURIComponent(segment ?? ''), name);
      }),
    );
  });

  test('a path without its parameter is a defect of the caller', () => {
    assert.throws(() => pathOf('action'), /path of `action` needs `id`/u);
  });

  test('every body refuses members it does not know', () => {
    for (const [name, route] of Object.entries(ROUTES)) {
      const { body }: Route<unknown, unknown, unknown> = route;
      if (body === undefined) continue;
      const { error } = body.safeParse({ unheardOf: 1 });
      const unknown = error?.issues.some(({ code }) => code === 'unrecognized_keys');
      assert.equal(unknown, true, name);
    }
  });
});

describe('errors', () => {
  test('each has a status, a title and a sentence, and its own type', () => {
    const types = Object.entries(ERROR_CODES).map(([code, { status, title, doc, hint }]) => {
      assert.ok(status >= 400 && status < 600, code);
      assert.match(title, /^[A-Z][^.]*$/u);
      assert.match(doc, /[.]$/u);
      assert.ok(hint === undefined || /^[^A-Z]/u.test(hint), code);
      return errorType(code as keyof typeof ERROR_CODES);
    });
    assert.equal(new Set(types).size, types.length);
  });

  test('what comes back later says when', () => {
    for (const [code, { status, retryAfterSeconds }] of Object.entries(ERROR_CODES)) {
      assert.equal(retryAfterSeconds !== undefined, status === 429 || status === 503, code);
    }
  });

  test('the limits that sentences name are the limits that are kept', () => {
    const named: readonly (readonly [string, number])[] = [
      [BODY_ERRORS.json_too_deep.doc, JSON_LIMITS.depthMax],
      [BODY_ERRORS.json_too_many_keys.doc, JSON_LIMITS.keysMax],
      [BODY_ERRORS.json_too_many_items.doc, JSON_LIMITS.itemsMax],
      [BODY_ERRORS.json_string_too_long.doc, JSON_LIMITS.stringLengthMax],
      [BODY_ERRORS.json_key_too_long.doc, JSON_LIMITS.keyLengthMax],
      [ERROR_CODES.body_too_large.doc, BODY_BYTES_MAX],
    ];
    for (const [doc, limit] of named) {
      assert.ok(doc.includes(limit.toLocaleString('en-US')), doc);
    }
  });
});

describe('keys', () => {
  test('the sort is told by form alone, and nothing near a key is one', () => {
    for (const sort of KEY_SORTS) assert.equal(keySortOf(`exq_${sort}_${'A'.repeat(43)}`), sort);
    for (const text of [
      '',
      `exq_robot_${'A'.repeat(43)}`,
      `exq_agent_${'A'.repeat(42)}`,
      `exq_agent_${'A'.repeat(44)}`,
      `exq_agent_${'A'.repeat(42)}=`,
      ` exq_agent_${'A'.repeat(43)}`,
      `exq_agent_${'A'.repeat(43)}\n`,
    ]) {
      assert.equal(keySortOf(text), undefined, text);
    }
  });
});

test('every instant of the layer is an instant of the protocol', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
      assert.equal(instantText.safeParse(formatInstant(instantOf(ms))).success, true);
    }),
  );
});
