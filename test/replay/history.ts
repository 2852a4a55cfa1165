/** A history with every way in which a decision is made, over two epochs, in a folder that stays. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createFactSource } from '../../src/facts/sources/fact-source.ts';
import { systemClock } from '../fixtures/clock.ts';
import { startLayer, type Layer } from '../fixtures/layer.ts';
import { startTarget, type RecordingTarget } from '../scenarios/recording-target.ts';

function inventoryOf(port: number): string {
  return `version: 1
targets:
  bank:
    http: { url: "http://127.0.0.1:${String(port)}", allow: [127.0.0.0/8] }
    operations:
      pay:
        kind: money.transfer
        args: { to: string(40), amount: money(EUR) }
        request: { POST: /pay, json: { to: $to, amount: $amount, execution: $executionId } }
        measures: { amount: args.amount }
      pay-once:
        kind: money.transfer
        args: { to: string(40) }
        request: { POST: /pay, json: { to: $to } }
        once: args.to
      sign:
        kind: contract.commit
        args: { text: string(40) }
        request: { POST: /sign, json: { text: $text } }
      backup: { kind: data.write, request: { POST: /backup } }
      restore: { kind: data.write, request: { POST: /restore } }
      report: { kind: data.write, request: { POST: /report } }
      audit: { kind: data.write, request: { POST: /audit } }
`;
}

/** The policy of the first epoch. */
export const POLICY = `version: 1
roles: [lead]
calendars:
  always: { zone: Europe/Berlin, open: [{ from: 2020-01-01T00:00, until: 2098-01-01T00:00 }] }
  never: { zone: Europe/Berlin, open: [{ from: 2099-01-01T00:00, until: 2099-02-01T00:00 }] }
facts:
  incident: { type: { object: { open: boolean } }, source: { file: ./incident.json, pointer: "" }, timeout: 500ms }
rules:
  - id: anyone
    match: {}
    allow: true
  - id: a-budget
    match: { operation: pay }
    require: [{ limit: { name: spend, by: principal.agent, sum: measures.amount, max: "100.00", per: 1h } }]
  - id: not-too-much
    match: { operation: pay }
    when: decimal(measures.amount) > decimal("50.00")
    deny: ask somebody
  - id: a-lead-signs
    match: { operation: sign }
    require: [{ approval: { from: role:lead, count: 1 } }]
  - id: after-a-backup
    match: { operation: restore }
    require: [{ after: { operation: backup, within: 1h } }]
  - id: calm-reports
    match: { operation: report }
    require: [{ fact: { name: incident, is: "!fact.open", maxAge: 0s } }, { window: always }]
  - id: some-day
    match: { operation: audit }
    require: [{ window: never }]
  - id: perhaps-later
    shadow: true
    match: { operation: pay }
    when: decimal(measures.amount) > decimal("15.00")
    deny: too much, some day
`;

/** The folder of a history, and what a test needs to know of it. */
export interface Story {
  readonly folder: string;
  readonly data: string;
  /** Ids by what became of them. */
  readonly ids: Readonly<Record<string, string>>;
  remove(): void;
}

/** Plays the history. `also` goes on with the running layer before it stops. */
export async function playHistory(
  also?: (layer: Layer, key: string) => Promise<void>,
): Promise<Story> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-replay-'));
  const target = await startTarget();
  const ids: Record<string, string> = {};
  const story: Story = {
    folder,
    data: join(folder, 'data'),
    ids,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  const onLayer = async (policy: string, run: (layer: Layer) => Promise<void>): Promise<void> => {
    const layer = await startLayer({
      folder,
      policy,
      inventory: inventoryOf(target.port),
      facts: createFactSource({ clock: systemClock, baseDirectory: folder }),
      engineLimits: { retryMs: 100 },
    });
    try {
      await run(layer);
    } finally {
      await layer.close();
    }
  };
  try {
    let key = '';
    await onLayer(POLICY, async (layer) => {
      key = await firstEpoch(layer, target, ids);
    });
    // Somebody changes the bytes of a held action behind the layer's back.
    change(story, "UPDATE content SET bytes = x'7b7d' WHERE note = 'about tampered'");
    await onLayer(POLICY.replace('> decimal("50.00")', '> decimal("5.00")'), async (layer) => {
      await laterEpochs(layer, key, ids);
      await also?.(layer, key);
    });
  } finally {
    await target.close();
  }
  return story;
}

async function firstEpoch(
  layer: Layer,
  target: RecordingTarget,
  ids: Record<string, string>,
): Promise<string> {
  const mei = await layer.personKey('mei', { roles: ['lead'] });
  await layer.personKey('dana');
  const key = await layer.agentKey('bot', { owners: ['dana'] });
  const at = proposing(layer, key, ids);
  writeFileSync(join(layer.folder, 'incident.json'), '{"open":true}');
  await at('paid', 'pay', { to: 'cus_1', amount: '20.00' });
  await at('denied', 'pay', { to: 'cus_2', amount: '50.01' });
  await at('unknown-operation', 'nothing');
  await at('waits-for-fact', 'report');
  await at('waits-for-window', 'audit');
  await at('restored', 'restore');
  await at('backed-up', 'backup');
  await at('signed', 'sign', { text: 'contract' });
  await layer.approve(mei, ids['signed'] ?? '');
  await at('withdrawn', 'sign', { text: 'another' });
  await layer.ask(`POST /v1/actions/${ids['withdrawn'] ?? ''}/withdraw`, { key });
  target.loseReplies();
  await at('lost', 'pay', { to: 'cus_3', amount: '30.00' });
  await settled(layer, ids['lost'] ?? '');
  target.reset();
  await at('paid-again', 'pay', { to: 'cus_4', amount: '40.00' });
  await at('over-the-budget', 'pay', { to: 'cus_5', amount: '30.00' });
  await at('once', 'pay-once', { to: 'cus_6' });
  await settled(layer, ids['once'] ?? '');
  await at('twice', 'pay-once', { to: 'cus_6' });
  await halted(layer, () => at('halted', 'backup'));
  await at('tampered', 'sign', { text: 'honest' });
  writeFileSync(join(layer.folder, 'incident.json'), '{"open":false}');
  await layer.store.wake(layer.tenant, 'all');
  for (const name of ['waits-for-fact', 'restored']) {
    await settled(layer, ids[name] ?? '');
  }
  return key;
}

async function laterEpochs(layer: Layer, key: string, ids: Record<string, string>): Promise<void> {
  const at = proposing(layer, key, ids);
  await settled(layer, ids['tampered'] ?? '');
  await at('denied-by-the-second', 'pay', { to: 'cus_8', amount: '6.00' });
  // The same rules in other lines: findings name other lines from here on.
  await layer.activate(POLICY.replace('rules:', '# moved down\n\nrules:'));
  await at('allowed-by-the-third', 'pay', { to: 'cus_9', amount: '6.00' });
  await at('denied-by-the-third', 'pay', { to: 'cus_9', amount: '60.00' });
}

function proposing(
  layer: Layer,
  key: string,
  ids: Record<string, string>,
): (name: string, operation: string, args?: Readonly<Record<string, string>>) => Promise<void> {
  return async (name, operation, args = {}) => {
    const asked = { target: 'bank', operation, args, note: `about ${name}` };
    const { body } = await layer.propose(key, asked, { prefer: 'wait=0' });
    ids[name] = String(body['id']);
  };
}

async function halted(layer: Layer, run: () => Promise<void>): Promise<void> {
  const key = layer.operatorKey;
  const { body } = await layer.ask('POST /v1/halts', { key, body: { reason: 'look', scope: {} } });
  await run();
  const [halt] = await layer.store.halts(layer.tenant);
  if (halt === undefined) throw new Error(JSON.stringify(body));
  await layer.ask(`DELETE /v1/halts/${halt.id}`, { key });
}

/** Waits until an action is final or unknown. */
export async function settled(layer: Layer, id: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { state } = await layer.record(id);
    if (state !== 'held' && state !== 'executing') return;
    await systemClock.sleep(30);
  }
}

/** Changes the file of a stopped layer, as somebody does who can write to it. */
export function change(
  story: Story,
  sql: string,
  ...values: readonly (string | Uint8Array)[]
): void {
  const database = new DatabaseSync(join(story.data, 'exequatur.db'));
  try {
    database.prepare(sql).run(...values);
  } finally {
    database.close();
  }
}
