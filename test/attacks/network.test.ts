/** Attacks by the network around the layer: names that move, answers that lead on, callers who never leave. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import {
  held,
  inventoryOf,
  onStage,
  ping,
  refund,
  SECRETS,
  startBank,
  stateAfter,
  type Bank,
} from './stage.ts';

let bank: Bank;
before(async () => {
  bank = await startBank();
});
after(() => bank.close());

/** The instance metadata of every large cloud. */
const METADATA = '169.254.169.254';

describe('a target leads to another one', () => {
  // MCP TypeScript SDK CVE-2025-66414 and `ip` CVE-2024-29415: a name, or a spelling, that was judged as one
  // address and connected to as another.
  test('a name that is rebound between two looks reaches neither the metadata nor anything else', async () => {
    const answers: string[][] = [];
    let rebound = false;
    const lookup = (): Promise<readonly string[]> => {
      const answer = answers.shift();
      rebound ||= answer === undefined;
      return Promise.resolve(answer ?? [METADATA]);
    };
    const inventory = inventoryOf(bank.port).replace('127.0.0.1:', 'bank.example:');
    await onStage(bank, { inventory, lookup }, async (stage) => {
      const states = new Set<unknown>();
      for (const good of [0, 1, 2, 3]) {
        rebound = false;
        answers.splice(0, answers.length, ...Array.from({ length: good }, () => ['127.0.0.1']));
        const asked = ping(`rebound after ${String(good)}`);
        const { body } = await stage.propose(asked, { prefer: 'wait=5' });
        states.add(body['state']);
        assert.equal(body['state'], rebound ? 'held' : 'succeeded', String(good));
        if (!rebound) continue;
        const { decision } = await stage.layer.record(String(body['id']));
        const told = JSON.stringify(decision?.findings);
        assert.match(told, /leads to an address that is not allowed/u);
        await stage.call(`POST /v1/actions/${String(body['id'])}/withdraw`, stage.bot);
      }
      assert.deepEqual(states, new Set(['held', 'succeeded']));
      answers.length = 0;
      answers.push(['127.0.0.1', METADATA]);
      const { body } = await stage.propose(ping('one of two'));
      assert.equal(body['state'], 'held');
      assert.ok(bank.effects().every((text) => !text.includes('one of two')));
    });
  });

  // tya5/reyn#1956, Smana/runlore#126 and `request` CVE-2023-28155: the first address was checked, and a redirect
  // led to the metadata of the machine.
  test('a redirect is an answer and never a way, for looks and for effects', async () => {
    const elsewhere = await startBank();
    try {
      await onStage(bank, {}, async (stage) => {
        const leadTo = `http://127.0.0.1:${String(elsewhere.port)}/latest/meta-data/`;
        for (const status of [301, 302, 303, 307, 308]) {
          bank.instead = ({ path }, response) => {
            if (path !== '/ping') return false;
            response.writeHead(status, { location: leadTo }).end();
            return true;
          };
          const { body } = await stage.propose(ping(String(status)), { prefer: 'wait=5' });
          assert.notEqual(body['state'], 'succeeded', String(status));
        }
        bank.instead = ({ path }, response) => {
          if (path !== '/who') return false;
          response.writeHead(302, { location: leadTo }).end();
          return true;
        };
        const { body } = await stage.propose(ping('who'));
        assert.deepEqual([body['state'], body['executed']], ['held', 'no']);
        assert.deepEqual(elsewhere.arrived, []);
      });
    } finally {
      await elsewhere.close();
    }
  });
});

describe('an answer breaks out of what tells it', () => {
  // EONRaider/RootWire#53 sent bytes from the wire to a terminal as they were; here they come from a target and an agent.
  test('what a target answers ends no header, no event and no line, and reaches no terminal as it is', async () => {
    await onStage(bank, {}, async (stage) => {
      const evil =
        '\u001b[2J\r\nX-Evil: 1\r\n\r\nevent: approved\ndata: {"state":"succeeded"}\n\n\u202e';
      bank.instead = ({ path }, response) => {
        if (path !== '/ping') return false;
        response
          .writeHead(400, { 'content-type': 'application/json' })
          .end(JSON.stringify({ error: evil }));
        return true;
      };
      const { body, headers } = await stage.propose(
        { ...ping(evil.slice(0, 20)), note: evil },
        { prefer: 'wait=5' },
      );
      assert.equal(headers.get('x-evil'), null);
      const id = String(body['id']);
      const text = await stage.call(`GET /v1/actions/${id}/explain`, stage.mei, {
        headers: { accept: 'text/plain' },
      });
      assert.equal(text.headers.get('x-evil'), null);
      assert.doesNotMatch(text.text, /[\p{Cc}--\n]|\p{Cf}/v);
      const response = await fetch(`${stage.url}/v1/events?after=0`, {
        headers: { authorization: `Bearer ${stage.mei}` },
        signal: AbortSignal.timeout(400),
      });
      let events = '';
      try {
        for await (const chunk of response.body ?? [])
          events += Buffer.from(chunk).toString('utf8');
      } catch {
        // The time is over.
      }
      assert.ok(events.includes(id));
      assert.ok(!/^event: approved$/mu.test(events), 'an event was forged');
    });
  });

  test('law 14: a secret that the target says back in any header, error or body is told to nobody', async () => {
    await onStage(bank, {}, async (stage) => {
      const { ACT = '' } = SECRETS;
      bank.instead = ({ path, headers }, response) => {
        if (path !== '/ping') return false;
        response.writeHead(400, {
          'x-echo': String(headers.authorization),
          'content-type': 'application/json',
        });
        response.end(
          JSON.stringify({
            said: headers.authorization,
            again: btoa(ACT),
            url: encodeURIComponent(ACT),
          }),
        );
        return true;
      };
      const { body } = await stage.propose(ping('echo'), { prefer: 'wait=5' });
      const id = String(body['id']);
      let told = JSON.stringify(body);
      for (const route of [
        `/v1/actions/${id}`,
        `/v1/actions/${id}/history`,
        `/v1/actions/${id}/explain`,
      ]) {
        told += (await stage.call(`GET ${route}`, stage.mei)).text;
      }
      assert.ok(bank.arrived.some(({ headers }) => headers.authorization === `Bearer ${ACT}`));
      assert.ok(!told.includes(ACT) && !told.includes(btoa(ACT)));
    });
  });
});

describe('callers who never leave', () => {
  const httpLimits = {
    requestsMax: 40,
    waitingMax: 12,
    waitingPerKeyMax: 8,
    streamsMax: 6,
    streamsPerKeyMax: 4,
    connectionsMax: 60,
    headerMsMax: 800,
  };

  test('law 15: an agent that waits as often as it can is answered at once, and others are served', async () => {
    await onStage(bank, { httpLimits }, async (stage) => {
      const id = await held(stage);
      const left = new AbortController();
      const waits = Array.from({ length: 30 }, () =>
        fetch(`${stage.url}/v1/actions/${id}?wait=60`, {
          headers: { authorization: `Bearer ${stage.bot}` },
          signal: left.signal,
        }).then(
          ({ status }) => status,
          () => 0,
        ),
      );
      await wait(300);
      const startedMs = performance.now();
      assert.equal((await stage.approve(id)).status, 200);
      assert.ok(performance.now() - startedMs < 3000);
      assert.equal(await stateAfter(stage, id), 'succeeded');
      left.abort();
      assert.ok((await Promise.all(waits)).every((status) => [0, 200, 503].includes(status)));
      assert.equal(bank.effects().length, 1);
    });
  });

  // Tr3kkR/Yuzu#1087 and #2235, zereight/gitlab-mcp#759: streams without a number, each with a queue without an end.
  test('law 15: streams are counted for each key, and one that nobody reads holds no others up', async () => {
    await onStage(bank, { httpLimits: { ...httpLimits, connectionsMax: 4096 } }, async (stage) => {
      const left = new AbortController();
      const open = (key: string): Promise<number> =>
        fetch(`${stage.url}/v1/events`, {
          headers: { authorization: `Bearer ${key}` },
          signal: left.signal,
        }).then(({ status }) => status);
      const statuses: number[] = [];
      for (let count = 0; count < 8; count += 1) statuses.push(await open(stage.bot));
      assert.deepEqual(statuses.filter((status) => status === 200).length, 4);
      assert.equal(await open(stage.mei), 200, 'one agent took every place');
      const proposals = Array.from({ length: 30 }, (_, index) =>
        stage.propose(ping(String(index)), { prefer: 'wait=5' }),
      );
      for (const { body } of await Promise.all(proposals)) {
        assert.equal(await stateAfter(stage, String(body['id'])), 'succeeded');
      }
      left.abort();
    });
  });

  test('law 15: connections that say nothing, or a byte at a time, are closed, and none keeps others out', async () => {
    await onStage(bank, { httpLimits }, async (stage) => {
      const { port } = new URL(stage.url);
      const sockets = Array.from({ length: 50 }, () =>
        connect({ host: '127.0.0.1', port: Number(port) }),
      );
      for (const socket of sockets) socket.on('error', () => undefined);
      const drip = setInterval(() => {
        for (const socket of sockets) if (socket.writable) socket.write('G');
      }, 200);
      await wait(2500);
      clearInterval(drip);
      const answer = await stage.propose(refund());
      assert.equal(answer.status, 202, answer.text);
      assert.ok(sockets.every((socket) => socket.destroyed || socket.readyState !== 'open'));
      for (const socket of sockets) socket.destroy();
    });
  });
});
