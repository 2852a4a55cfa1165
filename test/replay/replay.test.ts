/** Replay: recorded decisions made again from the file alone, and what another policy would have said. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after as afterAll, before as beforeAll, describe, test } from 'node:test';
import type {
  Reconsidered,
  ReconsideredRow,
  Refused,
  Replayed,
  ReplayOptions,
} from '../../src/cli/server-door.ts';
import { reconsiderAll } from '../../src/server/reconsider.ts';
import { replay } from '../../src/server/replay.ts';
import { openSqliteStore } from '../../src/stores/sqlite/open.ts';
import { systemClock } from '../fixtures/clock.ts';
import { change, playHistory, POLICY, type Story } from './history.ts';

let story: Story;
beforeAll(async () => {
  story = await playHistory();
});
afterAll(() => story.remove());

function asked(of: Story, action?: string): ReplayOptions {
  return { from: of.folder, backup: undefined, data: of.data, action, progress: () => undefined };
}

async function replayed(of: Story, action?: string): Promise<Replayed> {
  const done = await replay(asked(of, action));
  assert.ok(done.kind === 'replayed', JSON.stringify(done));
  return done;
}

/** The history in a folder of its own, to be spoilt. */
async function onCopy(run: (copy: Story) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-replayed-'));
  try {
    copyFileSync(join(story.data, 'exequatur.db'), join(folder, 'exequatur.db'));
    await run({ ...story, folder, data: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('replay', () => {
  test('every decision of a mixed history comes out as the ledger says, over three epochs', async () => {
    const done = await replayed(story);
    assert.equal(done.first, undefined, JSON.stringify(done.first));
    assert.deepEqual(
      [done.same, done.erased, done.different, done.broken],
      [done.decisions, 0, 0, 0],
    );
    assert.ok(done.decisions > Object.keys(story.ids).length, JSON.stringify(done));
  });

  test('one action is found by the beginning of its id, in a backup as in a store', async () => {
    await onCopy(async (copy) => {
      const id = story.ids['signed'] ?? '';
      const options = { ...asked(copy, id.slice(0, 23)), data: undefined, backup: 'exequatur.db' };
      const done = await replay(options);
      assert.ok(done.kind === 'replayed', JSON.stringify(done));
      assert.deepEqual([done.decisions, done.same], [2, 2]);
    });
    const [digits = ''] = (story.ids['signed'] ?? '').split('-');
    await assertRefused(asked(story, digits), 'action_ambiguous');
    await assertRefused(asked(story, '01234567-89ab'), 'action_unknown');
    await assertRefused(asked(story, 'no id'), 'action_unknown');
  });

  test('an input that somebody changed is found, and so is one that they put beside it', async () => {
    const entry = entryOf('paid', 'crossed');
    await onCopy(async (copy) => {
      change(
        copy,
        `UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), '"used":"0', '"used":"1') AS BLOB)
         WHERE id / 64 = ${entry}`,
      );
      await assertBroken(copy, 'paid', 'payload_mismatch');
    });
    await onCopy(async (copy) => {
      change(
        copy,
        `INSERT INTO payload (id, digest, salt, bytes)
         SELECT id + 1, zeroblob(32), salt, bytes FROM payload WHERE id / 64 = ${entry}`,
      );
      await assertBroken(copy, 'paid', 'payload_mismatch');
    });
  });

  test('what an entry says and deciding does not is found, with both values', async () => {
    const wrong: readonly (readonly [string, string, string, string])[] = [
      ['denied', '"verdict":"deny"', '"verdict":"hold"', 'verdict'],
      ['signed', '"consumes":["0', '"consumes":["1', 'consumes'],
      ['paid', '"amount":"20', '"amount":"10', 'reserves'],
      ['paid', '"matched":["a-budget",', '"matched":[', 'matched'],
    ];
    for (const [name, written, forged, part] of wrong) {
      await onCopy(async (copy) => {
        const newest = `(SELECT max(id) FROM ledger WHERE action = ${uuidOf(name)} AND kind IN ('decided', 'crossed'))`;
        change(
          copy,
          `UPDATE ledger SET bytes = CAST(replace(CAST(bytes AS TEXT), ?, ?) AS BLOB) WHERE id = ${newest}`,
          written,
          forged,
        );
        const done = await replayed(copy);
        assert.deepEqual([done.different, done.broken], [1, 0], `${name}: ${part}`);
        const { first } = done;
        assert.ok(first !== undefined);
        assert.equal(first.code, 'decision_differs');
        assert.deepEqual([first.id, first.message], [story.ids[name], `\`${part}\` is another`]);
        assert.notEqual(first.was, first.is);
      });
    }
  });

  test('a document of an epoch that is another, or gone, is found, and nothing is decided by it', async () => {
    const spoilt = [
      'DELETE FROM source',
      "UPDATE source SET bytes = CAST(replace(CAST(bytes AS TEXT), '50.00', '60.00') AS BLOB)",
    ];
    for (const sql of spoilt) {
      await onCopy(async (copy) => {
        change(copy, sql);
        const done = await replayed(copy);
        assert.equal(done.first?.code, 'epoch_unknown');
        assert.equal(done.different, 0);
      });
    }
  });

  test('a layer that decides otherwise is found', () => {
    const planted = ['matched.sort()', 'matched.sort().reverse()'].map((text) =>
      JSON.stringify(text),
    );
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) {
        const loaded = next(url, context);
        if (!url.endsWith('/src/kernel/verdict.ts')) return loaded;
        return { ...loaded, source: String(loaded.source).replace(${planted.join(', ')}) };
      } });
      const { replay } = await import(${JSON.stringify(REPLAY)});
      const done = await replay({ ...${JSON.stringify({ from: story.folder, data: 'data' })}, progress() {} });
      console.log(JSON.stringify(done));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    const done: Replayed = JSON.parse(stdout);
    assert.ok(done.different > 0);
    assert.equal(done.first?.message, '`matched` is another');
  });

  test('a store that a layer runs on is refused, with the way out', async () => {
    const layer = await openSqliteStore({ directory: story.data, clock: systemClock });
    try {
      const { hint } = await assertRefused(asked(story), 'store_locked');
      assert.match(hint ?? '', /--backup/u);
    } finally {
      await layer.close();
    }
  });

  test('a file that is not there, no store, or of another version is refused and left alone', async () => {
    await onCopy(async (copy) => {
      await assertRefused({ ...asked(copy), backup: 'none.db' }, 'store_missing');
      writeFileSync(join(copy.folder, 'text.db'), 'no database');
      await assertRefused({ ...asked(copy), backup: 'text.db' }, 'file_unreadable');
      for (const [version, code] of [
        [1, 'store_older'],
        [9999, 'store_newer'],
      ] as const) {
        change(copy, `PRAGMA user_version = ${String(version)}`);
        const before = readFileSync(join(copy.data, 'exequatur.db'));
        await assertRefused(asked(copy), code);
        assert.deepEqual(readFileSync(join(copy.data, 'exequatur.db')), before);
      }
    });
  });
});

describe('another policy', () => {
  test('that says the same changes nothing', async () => {
    const done = await under(POLICY);
    const moved = done.rows.map(({ id, was, would }) => [nameOf(id), was, would]);
    // Decided under the second epoch, which denied it; what it would have reserved was not read then.
    assert.deepEqual(moved, [
      ['over-the-budget', 'deny', 'untold'],
      ['denied-by-the-second', 'deny', 'untold'],
    ]);
  });

  test('that is stricter names the actions, what they would be, and the rule responsible', async () => {
    const done = await under(POLICY.replace('"50.00"', '"25.00"'));
    const row = rowOf(done, 'paid-again');
    assert.deepEqual(
      [row?.target, row?.operation, row?.was, row?.would, row?.because],
      ['bank', 'pay', 'admit', 'deny', ['not-too-much']],
    );
    assert.equal(done.changes['admit → deny'], 2);
    const [rule] = done.because;
    assert.equal(rule?.name, 'not-too-much');
    assert.match(rule.place ?? '', /^other\.yaml:\d+$/u);
    assert.equal(done.actions, Object.keys(story.ids).length);
  });

  test('that asks what was not recorded then cannot be told, and says what it is', async () => {
    const asks = `  - id: not-during-an-incident
    match: { operation: pay-once }
    require: [{ fact: { name: incident, is: "!fact.open", maxAge: 0s } }]
  - id: after-an-audit
    match: { operation: backup }
    require: [{ after: { operation: audit, within: 1h } }]
  - id: seldom
    match: { operation: restore }
    require: [{ limit: { name: restores, count: 1, per: 1h } }]
`;
    const done = await under(`${POLICY}${asks}`);
    assert.deepEqual(rowOf(done, 'once')?.because, ['facts.incident']);
    assert.deepEqual(rowOf(done, 'backed-up')?.because, ['after:bank/audit']);
    assert.deepEqual(rowOf(done, 'restored')?.would, 'untold');
  });

  test('that has other calendars asks them about the instant of then', async () => {
    const done = await under(POLICY.replaceAll('window: always', 'window: never'));
    assert.deepEqual(
      [rowOf(done, 'waits-for-fact')?.was, rowOf(done, 'waits-for-fact')?.would],
      ['admit', 'deny'],
    );
  });

  test('that lets go of a rule would have admitted what was denied for it', async () => {
    const done = await under(
      POLICY.replace('require: [{ window: never }]', 'require: [{ window: always }]'),
    );
    const row = rowOf(done, 'waits-for-window');
    assert.deepEqual([row?.was, row?.would, row?.because], ['deny', 'admit', ['anyone']]);
  });

  test('that does not fit the inventory of then is refused with every problem', async () => {
    const file = join(story.folder, 'other.yaml');
    writeFileSync(file, POLICY.replaceAll('operation: audit', 'operation: audits'));
    const done = await reconsiderAll({ ...asked(story), policies: [file], inventory: undefined });
    assert.ok(done.kind === 'problems', JSON.stringify(done));
    assert.equal(done.problems[0]?.file, 'other.yaml');
  });
});

async function under(policy: string): Promise<Reconsidered> {
  const file = join(story.folder, 'other.yaml');
  writeFileSync(file, policy);
  const done = await reconsiderAll({
    ...asked(story),
    policies: [file],
    inventory: undefined,
  });
  assert.ok(done.kind === 'reconsidered', JSON.stringify(done));
  return done;
}

function rowOf(done: Reconsidered, name: string): ReconsideredRow | undefined {
  return done.rows.find(({ id }) => id === story.ids[name]);
}

const REPLAY = new URL('../../src/server/replay.ts', import.meta.url).href;

function nameOf(id: string): string | undefined {
  return Object.entries(story.ids).find(([, known]) => known === id)?.[0];
}

function uuidOf(name: string): string {
  return `x'${(story.ids[name] ?? '').replaceAll('-', '')}'`;
}

/** The row of an entry about an action. */
function entryOf(name: string, kind: string): string {
  return `(SELECT id FROM ledger WHERE action = ${uuidOf(name)} AND kind = '${kind}')`;
}

async function assertRefused(options: ReplayOptions, code: string): Promise<Refused> {
  const refused = await replay(options);
  assert.ok(refused.kind === 'refused', JSON.stringify(refused));
  assert.equal(refused.code, code, refused.message);
  return refused;
}

async function assertBroken(of: Story, name: string, code: string): Promise<void> {
  const done = await replayed(of);
  assert.deepEqual([done.different, done.broken], [0, 1]);
  assert.deepEqual([done.first?.id, done.first?.code], [story.ids[name], code]);
  assert.equal(done.same, done.decisions - 1);
}
