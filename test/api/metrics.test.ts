import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Layer } from '../fixtures/layer.ts';
import { deploy, ping, startBox } from './box.ts';

let layer: Layer;
let key: string;

before(async () => {
  layer = await startBox();
  key = await layer.agentKey();
});

after(() => layer.close());

async function numbers(): Promise<ReadonlyMap<string, number>> {
  const { status, headers, text } = await layer.ask('GET /metrics', { key: layer.operatorKey });
  assert.equal(status, 200);
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/u);
  assert.ok(text.endsWith('\n'));
  const lines = text.split('\n').filter((line) => line !== '');
  const samples = lines.filter((line) => !line.startsWith('#'));
  for (const line of samples) {
    assert.match(line, /^[a-z_]+(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? [0-9.e+-]+$/u);
    const name = /^[a-z_]+/u.exec(line)?.[0] ?? '';
    const family = name.replace(/_(bucket|sum|count)$/u, '');
    assert.ok(
      lines.some(
        (each) => each.startsWith(`# TYPE ${name} `) || each.startsWith(`# TYPE ${family} `),
      ),
      line,
    );
  }
  return new Map(
    samples.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test('what happens is counted: proposals, crossings, refusals, open holds, commits', async () => {
  const earlier = await numbers();
  await layer.propose(key, ping());
  await layer.propose(key, deploy());
  await layer.propose(key, { target: 'box', operation: 'erase', args: { rows: 2000 } });
  await layer.ask('GET /v1/status');
  const later = await numbers();
  const grew = (name: string): number => (later.get(name) ?? 0) - (earlier.get(name) ?? 0);
  assert.equal(grew('exequatur_proposals_total{state="executing"}'), 1);
  assert.equal(grew('exequatur_proposals_total{state="held"}'), 1);
  assert.equal(grew('exequatur_proposals_total{state="denied"}'), 1);
  assert.equal(grew('exequatur_changes_total{state="succeeded"}'), 1);
  assert.equal(grew('exequatur_ledger_entries_total{kind="proposed"}'), 3);
  assert.equal(grew('exequatur_ledger_entries_total{kind="crossed"}'), 1);
  assert.equal(grew('exequatur_ledger_entries_total{kind="settled"}'), 1);
  assert.equal(grew('exequatur_open_actions{state="held"}'), 1);
  assert.equal(grew('exequatur_refusals_total{code="unauthenticated"}'), 1);
  assert.equal(grew('exequatur_refusals_total{code="denied"}'), 1);
  assert.ok(grew('exequatur_store_commands_total') >= 4);
  const count = later.get('exequatur_store_commit_seconds_count');
  assert.ok(grew('exequatur_store_commit_seconds_count') >= 1);
  assert.equal(later.get('exequatur_store_commit_seconds_bucket{le="+Inf"}'), count);
  assert.equal(later.get('exequatur_degraded{code="isolation_none"}'), 1);
  assert.equal(later.get('exequatur_ready'), 0);
});

test('no name of an agent, target or action is in it', async () => {
  const { text } = await layer.ask('GET /metrics', { key: layer.operatorKey });
  assert.doesNotMatch(text, /\bbot\b|\bbox\b|deploy|[0-9a-f]{8}-[0-9a-f]{4}/u);
});
