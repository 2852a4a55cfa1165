/** A served layer: permits signed with its own key file, and a crash between redemption and settlement. */
import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { createClient } from '../../src/sdk/client.ts';
import { redeem, settle, verifyPermit } from '../../src/sdk/permit.ts';
import { makeDirectory, removeDirectory, runBin, serve } from '../cli/layer.ts';

const ORIGIN = 'plant.example/ledger';
const INVENTORY = `version: 1
targets:
  cell-7:
    permit: { audience: cell, settleWithin: 2m }
    operations:
      move: { kind: device.control, args: { to: string } }
`;
const POLICY = `version: 1
rules:
  - id: everybody-moves
    match: { operation: move }
    allow: true
`;

async function keyOf(directory: string, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runBin(directory, [...words, '--json']);
  assert.equal(code, 0, stderr);
  const told: { readonly key: string } = JSON.parse(stdout);
  return told.key;
}

test('law 5: a crash between redemption and settlement loses nothing, and the key outlives it', async () => {
  const directory = await makeDirectory();
  try {
    await writeFile(join(directory, 'inventory.yaml'), INVENTORY);
    await writeFile(join(directory, 'policy.yaml'), POLICY);
    await appendFile(join(directory, 'exequatur.yaml'), `ledger: { origin: ${ORIGIN} }\n`);
    const first = await serve(directory);
    const agent = await keyOf(directory, ['agent', 'add', 'bot']);
    const cell = await keyOf(directory, ['executor', 'add', 'cell']);
    const proposed = await fetch(`${first.url}/v1/permits`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${agent}`,
        'content-type': 'application/json',
        'idempotency-key': 'one',
      },
      body: JSON.stringify({ target: 'cell-7', operation: 'move', args: { to: 'a' } }),
    });
    const answer: { readonly id: string; readonly permit: Record<'claim' | 'action', string> } =
      JSON.parse(await proposed.text());
    const { claim, action } = answer.permit;
    const jwksUrl = `${first.url}/.well-known/jwks.json`;
    const trust = { jwksUrl, issuer: ORIGIN, audience: 'cell' };
    const permit = await verifyPermit(claim, trust, new TextEncoder().encode(action));
    const redeemed = await redeem({ url: first.url, key: cell }, permit);
    await first.end('SIGKILL');

    const second = await serve(directory);
    try {
      const client = createClient({ url: second.url, key: agent });
      assert.equal((await client.action(answer.id, { wait: 0 })).state, 'executing');
      const again = { ...trust, jwksUrl: `${second.url}/.well-known/jwks.json` };
      assert.ok(await verifyPermit(claim, again, new TextEncoder().encode(action)));
      await settle({ url: second.url, key: cell }, redeemed, { outcome: 'succeeded' });
      assert.equal((await client.action(answer.id, { wait: 0 })).state, 'succeeded');
    } finally {
      assert.equal(await second.end(), 0);
    }
  } finally {
    await removeDirectory(directory);
  }
});
