/**
 * Law 14 for secrets that an action names: wherever one is put, and however the target tells it again,
 * it is in no answer, no event, no message and no file that the layer keeps.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { startLayer, type Layer } from '../fixtures/layer.ts';
import { secretTraces } from '../contract/executor.ts';

const SECRET = 'k3y/with+marks=&and-more';

const PLACES = {
  json: 'json: { key: $key, note: $note }',
  form: 'form: { key: $key, note: $note }',
  header: 'headers: { x-key: $key, x-note: $note }',
  query: 'query: { key: $key, note: $note }',
};

function inventory(port: number): string {
  const operations = Object.entries(PLACES).map(
    ([name, place]) => `
      ${name}:
        kind: api.call
        args: { key: secret(deploy-key), note: string }
        request: { POST: /echo, ${place} }`,
  );
  return `
version: 1
targets:
  service:
    environment: staging
    http: { url: 'http://127.0.0.1:${String(port)}', allow: [127.0.0.0/8] }
    credentials: { secrets: { deploy-key: env:DEPLOY_KEY } }
    operations: ${operations.join('')}
  machine:
    environment: staging
    process: { cwd: '{folder}' }
    credentials: { secrets: { deploy-key: env:DEPLOY_KEY } }
    operations:
      variable:
        kind: api.call
        args: { key: secret(deploy-key), note: string }
        run: ['{folder}/tell.sh']
        env: { KEY: $key, NOTE: $note }
`;
}

const POLICY = `
version: 1
rules:
  - { id: all, match: { kind: api.call }, allow: true }
`;

/** What the target saw comes back in each way that people write it. */
const TELL = `#!/bin/sh
printf '%s %s\\n' "$KEY" "$NOTE"
printf '%s' "$KEY" | base64
printf 'bearer %s' "$KEY" | base64 >&2
exit 3
`;

/** Whether a text stands in a file of the folder. */
function isStored(folder: string, text: string): boolean {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .some(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(text));
}

/** Everything that anybody is told of an action. */
async function told(layer: Layer, id: string, keys: readonly string[]): Promise<string> {
  const paths = [`/v1/actions/${id}`, `/v1/actions/${id}/explain`, '/v1/actions'];
  const answers = await Promise.all(
    keys.flatMap((key) => paths.map((path) => layer.ask(`GET ${path}`, { key }))),
  );
  return answers.map(({ text }) => text).join('\n');
}

test('law 14: a secret that an action names is nowhere but at the target', async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const whole = `${String(request.url)} ${JSON.stringify(request.headers)} ${body}`;
      seen.push(whole);
      const encoded = [SECRET, `user:${SECRET}`].map((text) =>
        Buffer.from(text).toString('base64'),
      );
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ whole, encoded, [SECRET]: encodeURIComponent(SECRET) }));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const layer = await startLayer({
    policy: POLICY,
    inventory: inventory(address.port),
    files: { 'tell.sh': TELL },
    environment: { DEPLOY_KEY: SECRET },
  });
  try {
    const keys = [await layer.agentKey(), await layer.personKey()];
    const [key = ''] = keys;
    const url = await layer.listen();
    for (const operation of [...Object.keys(PLACES), 'variable']) {
      const target = operation === 'variable' ? 'machine' : 'service';
      const note = `note-of-${operation}`;
      const args = { key: 'deploy-key', note };
      const { body, text } = await layer.propose(key, { target, operation, args });
      assert.equal(body['state'], operation === 'variable' ? 'failed' : 'succeeded', text);
      assert.equal(body['executed'], operation === 'variable' ? 'partly' : 'yes', text);
      assert.match(text, /‹secret:/u, `${operation} was told back`);
      const everything = text + (await told(layer, String(body['id']), keys));
      assert.deepEqual(secretTraces(everything, SECRET), [], operation);
      // The search finds what is there.
      assert.ok(everything.includes(note), operation);
      assert.ok(isStored(join(layer.folder, 'data'), note), operation);
    }
    const reached = seen.filter((each) => {
      return each.includes(SECRET) || each.includes(encodeURIComponent(SECRET));
    });
    assert.equal(reached.length, Object.keys(PLACES).length);

    const controller = new AbortController();
    const events = await fetch(`${url}/v1/events?after=0`, {
      headers: { authorization: `Bearer ${key}` },
      signal: controller.signal,
    });
    let stream = '';
    for await (const chunk of events.body ?? []) {
      stream += new TextDecoder().decode(chunk);
      if (stream.split('settled').length > 5) break;
    }
    controller.abort();
    assert.deepEqual(secretTraces(stream + layer.trouble.join(), SECRET), []);
    for (const spelled of [SECRET, encodeURIComponent(SECRET)]) {
      assert.ok(!isStored(join(layer.folder, 'data'), spelled));
    }
  } finally {
    await layer.close();
    server.close();
  }
});
