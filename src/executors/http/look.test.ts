import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import {
  codeOf,
  freely,
  freshExecution,
  makeReady,
  mint,
  perform,
  valueOf,
} from '../../../test/contract/executor.ts';
import {
  BEARER,
  literal,
  startHttpTarget,
  type HttpFixture,
} from '../../../test/fixtures/http-target.ts';
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { HttpOperation } from '../../kernel/inventory.ts';

const NEVER = new AbortController().signal;

let fixture: HttpFixture;
beforeEach(async () => {
  fixture = await startHttpTarget();
});
afterEach(async () => {
  await fixture.stop();
});

async function run(request: EffectRequest): Promise<Outcome> {
  return (await perform(fixture.executor, request)).outcome;
}

async function resolveCode(request: EffectRequest): Promise<string> {
  return codeOf(await fixture.executor.resolve(request, NEVER));
}

describe('looks', () => {
  const conditional = {
    method: 'PUT',
    ifMatch: 'preview',
    preview: { path: literal('/thing'), query: {}, material: ['/owner'], context: ['/note'] },
  } as const satisfies Partial<HttpOperation>;

  test('the tag that was previewed is what the effect depends on', async () => {
    let tag = '"v1"';
    fixture.answer((seen, response) => {
      const matches = seen.method === 'GET' || seen.headers['if-match'] === tag;
      response.writeHead(matches ? 200 : 412, { etag: tag }).end('{"owner":"mei","note":"n"}');
    });
    const request = fixture.send(conditional);
    const { preview } = await makeReady(fixture.executor, request);
    assert.ok(preview !== 'none');
    assert.equal(JSON.stringify(preview.material), '{"owner":"mei","etag":"\\"v1\\""}');
    assert.equal((await run(request)).state, 'succeeded');

    const { prepared, resolution } = await makeReady(fixture.executor, request);
    tag = '"v2"';
    const outcome = await prepared.send(mint(request, resolution.effect), freely());
    assert.deepEqual(
      [outcome.state, outcome.code, outcome.sent],
      ['not_executed', 'precondition_failed', true],
    );
  });

  test('a preview without a strong tag does not carry a conditional effect', async () => {
    for (const etag of [undefined, 'W/"v1"', 'v1', '"a"b"', `"${BEARER}"`]) {
      fixture.answer((_, response) => {
        response.writeHead(200, etag === undefined ? {} : { etag }).end('{"owner":"mei"}');
      });
      const attempt = await fixture.executor.preview(fixture.send(conditional), NEVER);
      assert.equal(codeOf(attempt), 'preview_etag_missing', etag);
    }
    const request = fixture.send(conditional);
    const resolution = valueOf(await fixture.executor.resolve(request, NEVER));
    const attempt = await fixture.executor.prepare(request, resolution, 'none', NEVER);
    assert.equal(codeOf(attempt), 'preview_etag_missing');
  });

  test('a probe asks the system itself, with the credential that cannot write where there is one', async () => {
    fixture.environment['LOOK_SOURCE'] = 'look-token';
    fixture.answer((seen, response) => {
      const live = seen.headers.authorization === 'Bearer look-token';
      response.end(JSON.stringify({ id: 'acct_1', live }));
    });
    const probe = {
      kind: 'http',
      path: '/v1/account',
      identity: '/id',
      environment: { pointer: '/live', values: { true: 'production', false: 'staging' } },
    } as const;
    const table = [
      [{ act: 'env:TOKEN_SOURCE', look: 'env:LOOK_SOURCE' }, 'production', 'look'],
      [{ act: 'env:TOKEN_SOURCE' }, 'staging', 'act'],
    ] as const;
    for (const [credentials, environment, kind] of table) {
      const request = fixture.send({}, { whole: { probe, credentials } });
      const resolution = valueOf(await fixture.executor.resolve(request, NEVER));
      assert.deepEqual([resolution.identity, resolution.environment], ['acct_1', environment]);
      assert.equal(resolution.recorded['probeCredential'], kind);
      const locked = valueOf(await fixture.executor.probe(request.target, NEVER));
      assert.deepEqual(locked, { identity: 'acct_1', environment, files: {} });
    }
    assert.ok(fixture.seen.every(({ method, url }) => method === 'GET' && url === '/v1/account'));
  });

  test('a probe or a preview that does not answer properly is refused', async () => {
    const probe = { kind: 'http', path: '/who', identity: '/id' } as const;
    const table: readonly (readonly [number, string, string])[] = [
      [500, '{"id":"a"}', 'probe_failed'],
      [302, '{"id":"a"}', 'probe_failed'],
      [200, 'not json', 'probe_failed'],
      [200, '{"id":"a","id":"b"}', 'probe_failed'],
      [200, '{}', 'probe_identity_missing'],
    ];
    for (const [status, body, code] of table) {
      fixture.answer((_, response) => response.writeHead(status).end(body));
      assert.equal(await resolveCode(fixture.send({}, { whole: { probe } })), code);
    }
    fixture.answer((_, response) => response.writeHead(404).end('{}'));
    assert.equal(
      codeOf(await fixture.executor.preview(fixture.send(conditional), NEVER)),
      'preview_failed',
    );
    fixture.answer((_, response) => response.end('{"note":"n"}'));
    assert.equal(
      codeOf(await fixture.executor.preview(fixture.send(conditional), NEVER)),
      'preview_incomplete',
    );
  });

  test('law 5: absence is conclusive only in a whole answer, and only where it is declared', async () => {
    const execution = freshExecution();
    const id = { metadata: { exequatur: execution } };
    const table: readonly (readonly [unknown, number, string])[] = [
      [[{}, id], 200, 'evidence_found'],
      [{ data: [{}, id], has_more: true }, 200, 'evidence_found'],
      [{ ...id, tags: [] }, 200, 'evidence_found'],
      [{ ...id, tags: [], others: [] }, 200, 'evidence_found'],
      [[], 200, 'evidence_absent'],
      [{ data: [], has_more: false, next: null }, 200, 'evidence_absent'],
      [{}, 200, 'evidence_absent'],
      [{ error: 'no such thing' }, 404, 'evidence_absent'],
      [{ data: [], has_more: true }, 200, 'unknown'],
      [{ data: [], next_cursor: 'abc' }, 200, 'unknown'],
      [{ data: [], others: [] }, 200, 'unknown'],
      ['text', 200, 'unknown'],
      [{}, 500, 'reconcile_failed'],
      [{}, 403, 'reconcile_failed'],
    ];
    const reconcile = {
      path: literal('/find'),
      query: {},
      find: 'metadata.exequatur',
      absenceConclusive: true,
    };
    for (const [body, status, code] of table) {
      fixture.answer((_, response) => response.writeHead(status).end(JSON.stringify(body)));
      const attempt = await fixture.executor.reconcile(
        fixture.send({ reconcile }),
        execution,
        NEVER,
      );
      const result = attempt.ok ? (attempt.value?.code ?? 'unknown') : attempt.code;
      assert.equal(result, code, JSON.stringify(body));
    }
    fixture.answer((_, response) => response.end('[]'));
    const open = fixture.send({ reconcile: { ...reconcile, absenceConclusive: false } });
    assert.equal(valueOf(await fixture.executor.reconcile(open, execution, NEVER)), undefined);
    fixture.answer((_, response) =>
      response.writeHead(200, { link: '</find?page=2>; rel="next"' }).end('[]'),
    );
    const paged = fixture.send({ reconcile });
    assert.equal(valueOf(await fixture.executor.reconcile(paged, execution, NEVER)), undefined);
  });
});
