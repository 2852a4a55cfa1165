/** Ten thousand decisions are replayed in memory that does not grow with them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAgentName } from '../../src/kernel/id.ts';
import { parseJson } from '../../src/kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../../src/kernel/json/value.ts';
import { sha256Hex } from '../../src/kernel/sha256.ts';
import { parseDigest } from '../../src/kernel/digest.ts';
import { startLayer } from '../fixtures/layer.ts';

const POLICY = `version: 1
rules:
  - id: nothing
    match: {}
    deny: never
`;
const INVENTORY = `version: 1
targets:
  box:
    process: { cwd: / }
    operations:
      keep: { kind: data.write, args: { text: string(2500) }, run: [/bin/true, $text] }
`;

const DECISIONS = 10_000;
/** What a replay of a handful takes, and a little more: the ledger is more than twice as large. */
const HEAP_MIB = 28;

test(
  'ten thousand decisions, more bytes than memory, are all the same',
  { timeout: 60_000 },
  async () => {
    const layer = await startLayer({
      policy: POLICY,
      inventory: INVENTORY,
      engineLimits: { denialsPerMinuteMax: DECISIONS + 1 },
      background: 'asleep',
    });
    try {
      const agent = parseAgentName('bot') ?? assert.fail();
      await layer.agentKey('bot');
      const caller = { tenant: layer.tenant, agent, delegator: undefined };
      const args = argsOf(JSON.stringify({ text: 'x'.repeat(2500) }));
      for (let done = 0; done < DECISIONS; done += 250) {
        const batch = Array.from({ length: 250 }, (_, index) => ({
          target: 'box',
          operation: 'keep',
          args,
          idempotencyKey: String(done + index),
          requestDigest: parseDigest(sha256Hex(String(done + index))) ?? assert.fail(),
        }));
        await Promise.all(batch.map((proposal) => layer.engine.propose(caller, proposal)));
      }
      await layer.engine.stop(1000);
      await layer.store.close();
      const data = join(layer.folder, 'data');
      const script = `
      const { replay } = await import(${JSON.stringify(REPLAY)});
      const done = await replay({ from: '/', data: ${JSON.stringify(data)}, progress(count) { console.log(count); } });
      console.log(JSON.stringify(done));`;
      const heap = `--max-old-space-size=${String(HEAP_MIB)}`;
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        [heap, '--input-type=module', '-e', script],
        { encoding: 'utf8' },
      );
      assert.equal(status, 0, stderr);
      assert.match(stdout, new RegExp(`^${String(DECISIONS)}\n`, 'u'));
      assert.match(stdout, new RegExp(`"same":${String(DECISIONS)},`, 'u'));
      const { size } = statSync(join(data, 'exequatur.db'));
      assert.ok(size > 2 * HEAP_MIB * 1024 * 1024, `the store has ${String(size)} bytes`);
    } finally {
      await layer.close();
    }
  },
);

const REPLAY = new URL('../../src/server/replay.ts', import.meta.url).href;

function argsOf(text: string): JsonObject {
  const parsed = parseJson(new TextEncoder().encode(text));
  assert.ok(parsed.ok);
  const { value } = parsed;
  assert.ok(isObject(value));
  return value;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
