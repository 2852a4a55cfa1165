/** The client against a whole layer over a socket: four answers, retries that never execute twice, events. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import {
  ApiError,
  createClient,
  guard,
  NotDoneError,
  UnansweredError,
  UsageError,
  type Client,
  type ProposeRequest,
} from '../../src/sdk/main.ts';
import type { Fetch } from '../../src/sdk/exchange.ts';
import { effectsOf, startBox } from '../api/box.ts';
import type { Layer } from '../fixtures/layer.ts';

let layer: Layer;
let url: string;
let key: string;
let lead: string;
let client: Client;

before(async () => {
  layer = await startBox();
  url = await layer.listen();
  key = await layer.agentKey();
  lead = await layer.personKey('mei', { roles: ['lead'] });
  client = createClient({ url, key });
});

after(() => layer.close());

function effects(text: string): number {
  return effectsOf(layer).filter((line) => line.endsWith(` ${text}`)).length;
}

describe('act', () => {
  test('answers `done` with what the target answered', async () => {
    const answer = await client.act(ping('ok', 'one'));
    assert.ok(answer.kind === 'done');
    assert.deepEqual([answer.state, answer.executed], ['succeeded', 'yes']);
    assert.match(JSON.stringify(answer.result), /done one/u);
    assert.equal(effects('one'), 1);
  });

  test('a failure is `done` as well, and says so', async () => {
    const answer = await client.act(ping('fail', 'two'));
    assert.deepEqual([answer.kind, answer.state, answer.executed], ['done', 'failed', 'partly']);
  });

  test('answers `refused` with what stands against it', async () => {
    const answer = await client.act({ target: 'box', operation: 'erase', args: { rows: 1001 } });
    assert.ok(answer.kind === 'refused');
    assert.deepEqual(
      [answer.state, answer.executed, answer.findings],
      ['denied', 'no', [{ code: 'denied_by_rule', message: 'Split the deletion.' }]],
    );
  });

  test('answers `unknown` where the target was lost while it ran', async () => {
    const answer = await client.act(ping('lose', 'three'));
    assert.deepEqual([answer.kind, answer.executed], ['unknown', 'unknown']);
  });

  test('answers `waiting` once the wait is over, and what became of it when asked for the id', async () => {
    const answer = await client.act(deploy('four'), { wait: 0 });
    assert.ok(answer.kind === 'waiting');
    assert.deepEqual([answer.state, answer.executed], ['held', 'no']);
    assert.deepEqual(answer.waitingFor, [
      { code: 'approval_missing', have: 0, need: 1, from: 'role:lead' },
    ]);
    const later = client.action(answer.id, { wait: Infinity });
    assert.equal((await layer.approve(lead, answer.id)).status, 200);
    const settled = await later;
    assert.deepEqual([settled.kind, settled.state, settled.id], ['done', 'succeeded', answer.id]);
    assert.equal(effects('four'), 1);
  });

  test('waits through a hold until a person has answered', async () => {
    const acting = client.act(deploy('five'), { wait: 20 });
    const id = await held('five');
    await layer.approve(lead, id);
    assert.equal((await acting).state, 'succeeded');
  });

  test('an action can be taken back, once', async () => {
    const { id } = await client.act(deploy('six'), { wait: 0 });
    assert.equal((await client.withdraw(id)).state, 'withdrawn');
    await assert.rejects(client.withdraw(id), { name: 'ApiError', code: 'not_held', status: 409 });
  });

  test('an aborted wait ends with the reason, and the action stays proposed', async () => {
    const ending = new AbortController();
    const acting = client.act(deploy('seven'), { wait: 20, signal: ending.signal });
    const id = await held('seven');
    ending.abort(new Error('enough'));
    await assert.rejects(acting, /enough/u);
    assert.equal((await layer.record(id)).state, 'held');
  });

  test('a forecast stores and executes nothing', async () => {
    const { verdict, executed } = await client.forecast({
      ...ping('ok', 'forecast'),
      touch: true,
    });
    assert.deepEqual([verdict, executed, effects('forecast')], ['admit', 'no', 0]);
  });
});

describe('trying again', () => {
  test('an answer that was lost is asked for again with the same key, and executed once', async () => {
    const keys: string[] = [];
    const answer = await clientWith(async (address, init, count) => {
      keys.push(new Headers(init.headers).get('idempotency-key') ?? '');
      const response = await fetch(address, init);
      if (count === 1) throw new TypeError('the connection broke after the effect');
      return response;
    }).act(ping('ok', 'lost'));
    assert.equal(answer.state, 'succeeded');
    assert.equal(keys.length, 2);
    assert.equal(new Set(keys).size, 1);
    assert.equal(effects('lost'), 1);
  });

  test('what certainly had no effect is tried again: 503', async () => {
    let tries = 0;
    const answer = await clientWith((address, init, count) => {
      tries = count;
      return count < 3 ? Promise.resolve(problem(503, 'overloaded', 'no')) : fetch(address, init);
    }).act(ping('ok', 'busy'));
    assert.deepEqual([answer.state, tries, effects('busy')], ['succeeded', 3, 1]);
  });

  for (const [status, code, executed] of [
    [500, 'internal_error', 'no'],
    [429, 'too_many_open', 'no'],
    [401, 'unauthenticated', 'no'],
  ] as const) {
    test(`${String(status)} ${code} is told at once`, async () => {
      let tries = 0;
      const acting = clientWith((_address, _init, count) => {
        tries = count;
        return Promise.resolve(problem(status, code, executed));
      }).act(ping('ok', 'told'));
      await assert.rejects(acting, { name: 'ApiError', code, status });
      assert.equal(tries, 1);
    });
  }

  test('an effect that the layer itself cannot tell of is never tried again blindly', async () => {
    let tries = 0;
    const acting = clientWith((_address, _init, count) => {
      tries = count;
      return Promise.resolve(problem(500, 'internal_error', 'unknown'));
    }).act(ping('ok', 'blind'), { idempotencyKey: 'blind-1' });
    await assert.rejects(acting, {
      name: 'UnansweredError',
      code: 'internal_error',
      executed: 'unknown',
      idempotencyKey: 'blind-1',
    });
    assert.equal(tries, 1);
  });

  test('after a lost answer no later refusal says that nothing was executed', async () => {
    const acting = clientWith(async (address, init, count) => {
      if (count > 1) return problem(401, 'unauthenticated', 'no');
      await fetch(address, init);
      throw new TypeError('the connection broke after the effect');
    }).act(ping('ok', 'careful'));
    await assert.rejects(acting, { name: 'UnansweredError', executed: 'unknown' });
    assert.equal(effects('careful'), 1);
  });

  test('an answer of something that is no layer is not taken for one', async () => {
    for (const body of ['<html>', '[]', '{}', '{"id":"1","state":"nice"}']) {
      const acting = clientWith(() => Promise.resolve(new Response(body))).act(ping('ok', 'x'));
      await assert.rejects(acting, { name: 'UnansweredError', code: 'not_a_layer' });
    }
  });

  test('a layer that stays away is given up after a few tries', async () => {
    let tries = 0;
    const acting = clientWith((_address, _init, count) => {
      tries = count;
      return Promise.reject(new TypeError('refused'));
    }).act(ping('ok', 'away'));
    await assert.rejects(acting, (error) => {
      assert.ok(error instanceof UnansweredError);
      assert.equal(error.code, 'connection_lost');
      assert.match(error.idempotencyKey ?? '', /^[0-9a-f]{32}$/u);
      return true;
    });
    assert.equal(tries, 5);
  });
});

describe('what cannot work', () => {
  test('an address or a key that is none is refused, and never repeated', () => {
    const secret = 'sk_live_4242';
    for (const [address, wrong, code] of [
      ['ftp://localhost', key, 'url_invalid'],
      ['localhost:7373', key, 'url_invalid'],
      [`http://user:${secret}@localhost`, key, 'url_invalid'],
      [url, secret, 'key_invalid'],
      [url, lead, 'key_invalid'],
    ] as const) {
      assert.throws(
        () => createClient({ url: address, key: wrong }),
        (error) => {
          assert.ok(error instanceof UsageError);
          assert.equal(error.code, code);
          assert.doesNotMatch(error.message, /sk_live/u);
          return true;
        },
      );
    }
  });

  test('a wait that is no time is refused before anything is sent', async () => {
    for (const wait of [-1, Number.NaN]) {
      await assert.rejects(client.act(ping('ok', 'never'), { wait }), { code: 'wait_invalid' });
    }
    assert.equal(effects('never'), 0);
  });

  test('an unknown id is an error of the layer', async () => {
    await assert.rejects(client.action('0193b2a0-0000-7000-8000-000000000001'), (error) => {
      assert.ok(error instanceof ApiError);
      assert.deepEqual([error.code, error.status], ['action_unknown', 404]);
      return true;
    });
  });
});

describe('guard', () => {
  test('a call becomes an action, and resolves to what the target answered', async () => {
    const tool = guard(client, {
      target: 'box',
      operation: 'ping',
      args: (text: string) => ({ mode: 'ok', text }),
    });
    assert.match(JSON.stringify(await tool('guarded')), /done guarded/u);
    assert.equal(effects('guarded'), 1);
  });

  test('where it did not succeed it throws, or answers what the fallback says', async () => {
    const operation = { target: 'box', operation: 'erase', args: (rows: number) => ({ rows }) };
    await assert.rejects(guard(client, operation)(1001), (error) => {
      assert.ok(error instanceof NotDoneError);
      assert.deepEqual([error.code, error.answer.kind], ['refused', 'refused']);
      return true;
    });
    const tool = guard(client, operation, (answer, rows) => `${String(rows)}: ${answer.message}`);
    assert.match(JSON.stringify(await tool(1001)), /^"1001: Denied/u);
  });

  test('calls with the same key are one action', async () => {
    const tool = guard(client, {
      target: 'box',
      operation: 'ping',
      args: (text: string) => ({ mode: 'ok', text }),
      idempotencyKey: (text) => `ping-${text}`,
    });
    await Promise.all([tool('again'), tool('again')]);
    await tool('again');
    assert.equal(effects('again'), 1);
  });
});

describe('events', () => {
  test('tell what happens to the agent’s actions, and go on after a broken stream', async () => {
    const ending = new AbortController();
    let streams = 0;
    const breaking: Fetch = async (address, init) => {
      streams += 1;
      const response = await fetch(address, init);
      if (streams > 1) return response;
      // The first stream ends right after it said where it starts.
      const reader = response.body?.getReader();
      const first = await reader?.read();
      await reader?.cancel();
      await client.act(ping('ok', 'between'));
      return new Response(first?.value, { headers: response.headers });
    };
    const seen: string[] = [];
    const stream = createClient({ url, key, fetch: breaking }).events({ signal: ending.signal });
    for await (const event of stream) {
      seen.push(event.kind);
      if (event.kind === 'settled') ending.abort();
    }
    assert.equal(streams, 2);
    assert.deepEqual([seen.includes('crossed'), seen.at(-1)], [true, 'settled']);
  });

  test('end with an error where the key is nobody’s', async () => {
    const nobody = createClient({ url, key: `exq_agent_${'A'.repeat(43)}` });
    await assert.rejects(nobody.events().next(), { name: 'ApiError', code: 'unauthenticated' });
  });
});

function problem(status: number, code: string, executed: string): Response {
  return Response.json({ type: `/errors/${code}`, code, detail: code, executed }, { status });
}

function ping(mode: string, text: string): ProposeRequest {
  return { target: 'box', operation: 'ping', args: { mode, text } };
}

function deploy(text: string): ProposeRequest {
  return { target: 'box', operation: 'deploy', args: { text } };
}

/** The id of the held deploy of `text`, as soon as there is one. */
async function held(text: string): Promise<string> {
  for (;;) {
    const { body } = await layer.ask('GET /v1/actions?state=held&count=1', { key });
    const [action] = body['actions'] as readonly { readonly id: string }[];
    if (action !== undefined) {
      const { bytes } = await layer.record(action.id);
      if (Buffer.from(bytes).includes(`"${text}"`)) return action.id;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** A client whose requests `answer` answers, with how many there were. */
function clientWith(
  answer: (address: string, init: RequestInit, count: number) => Promise<Response>,
): Client {
  let count = 0;
  const counting: Fetch = (address, init) => answer(address, init, (count += 1));
  return createClient({ url, key, fetch: counting });
}

describe('putBlob', () => {
  test('gives the name that an action takes, of a text, bytes and a file alike', async () => {
    const content = 'to be printed';
    const bytes = new TextEncoder().encode(content);
    const name = await client.putBlob(content);
    assert.match(name, /^sha256:[0-9a-f]{64}$/u);
    assert.equal(await client.putBlob(bytes), name);
    const sha256 = name.slice('sha256:'.length);
    assert.equal(await client.putBlob(new Blob([bytes]), { sha256 }), name);
    const answer = await client.act({ target: 'box', operation: 'print', args: { text: name } });
    assert.ok(answer.kind === 'done' && answer.state === 'succeeded', JSON.stringify(answer));
    assert.match(JSON.stringify(answer.result), /to be printed/u);
  });

  test('what the layer does not keep is told by its code', async () => {
    await assert.rejects(client.putBlob('x', { sha256: '0'.repeat(64) }), {
      name: 'ApiError',
      code: 'blob_digest_mismatch',
      executed: 'no',
    });
    await assert.rejects(client.putBlob('x', { sha256: 'tag' }), {
      name: 'UsageError',
      code: 'sha256_invalid',
    });
    const args = { text: `sha256:${'0'.repeat(64)}` };
    await assert.rejects(client.act({ target: 'box', operation: 'print', args }), {
      code: 'blob_missing',
    });
  });
});
