/** Receipts of whole lives, and of sets of entries that make none: both verifiers say the same. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { draftEntry, type LedgerDraft } from '../../src/ledger/entry.ts';
import { readTrustPolicy, verifyReceipt } from '../../src/ledger/verify.ts';
import { canonicalBytes } from '../../src/kernel/json/write.ts';
import { Doubt } from '../../src/ledger/doubt.ts';
import { instantOf } from '../../src/kernel/instant.ts';
import { assertBoth, type Case } from './both.ts';
import { looseReceipt } from './loose-receipt.ts';
import { Life, sampleLife } from './sample-life.ts';
import { policyFile, SampleLog, signingKey } from './sample-log.ts';
import { noSecondVerifier } from './second-verifier.ts';

async function receiptOf(log: SampleLog, drafts: readonly LedgerDraft[]): Promise<Uint8Array> {
  return log.receipt(log.add(...drafts));
}

/** A draft with another body, as a layer that errs would write it. */
function edited(draft: LedgerDraft, change: (body: Record<string, unknown>) => void): LedgerDraft {
  const entry: { readonly body: Record<string, unknown> } = JSON.parse(
    new TextDecoder().decode(draft.bytes),
  );
  change(entry.body);
  return { ...draft, bytes: canonicalBytes(entry) };
}

/** A draft that names the payloads of another one. */
function grafted(draft: LedgerDraft, other: LedgerDraft): LedgerDraft {
  const decoder = new TextDecoder();
  const entry: { readonly payloads: object } = JSON.parse(decoder.decode(draft.bytes));
  const { payloads }: { readonly payloads: object } = JSON.parse(decoder.decode(other.bytes));
  return { ...draft, bytes: canonicalBytes({ ...entry, payloads }), payloads: other.payloads };
}

function usedTwice(body: Record<string, unknown>): void {
  const { consumes } = body;
  if (Array.isArray(consumes)) body['consumes'] = [...consumes, ...consumes];
}

function otherApproval(body: Record<string, unknown>): void {
  body['approval'] = '0193b2a0-0000-7000-8bbb-00000000000f';
}

describe('a receipt', () => {
  test('is checked by the second verifier too', { skip: noSecondVerifier }, () => undefined);

  test('of each life is genuine, and says how it ended', async () => {
    const log = new SampleLog();
    const life = new Life();
    const lives: readonly (readonly [string, readonly LedgerDraft[]])[] = [
      ['succeeded', sampleLife()],
      ['executing', sampleLife({ until: 4 })],
      ['held', sampleLife({ until: 2 })],
      ['proposed', sampleLife({ until: 1 })],
      ['denied', [life.proposed(), life.denied()]],
      ['expired', [life.proposed(), life.held(), life.denied('deadline_passed')]],
      ['unknown', [...sampleLife({ until: 4 }), life.settled('unknown')]],
      ['succeeded', [...sampleLife({ until: 4 }), life.settled('unknown'), life.resolved()]],
      [
        'succeeded',
        [
          ...sampleLife({ until: 4 }),
          life.barred(),
          life.crossed('2'),
          life.settled('succeeded', '2'),
        ],
      ],
    ];
    const policy = policyFile(log.keys);
    const cases: Case[] = [];
    for (const [state, drafts] of lives) {
      const file = await receiptOf(log, drafts);
      const told = await verifyReceipt(file, { policy: readTrustPolicy(policy) });
      assert.equal(told.status, 'genuine');
      assert.match(told.summary, new RegExp(`^${state}: \`refund\``, 'u'));
      cases.push({ name: state, file, expected: 'genuine' });
    }
    await assertBoth(cases, { policy });
  });

  test('says in sentences what it proves, and what it does not', async () => {
    const log = new SampleLog('ledger.example/shop');
    const file = await receiptOf(log, sampleLife({ until: 4 }));
    const told = await verifyReceipt(file, { policy: readTrustPolicy(policyFile(log.keys)) });
    assert.equal(told.status, 'genuine');
    const key = log.keys[0]?.id ?? '';
    assert.deepEqual(told.proved.slice(0, 3), [
      `log \`ledger.example/shop\` at size 4 is signed by its key ${key}`,
      'entries 1, 2, 3 and 4 are in that log',
      `the statement is signed by key ${key}, and says what the entries say`,
    ]);
    assert.match(told.proved[4] ?? '', /^approved by `mei` at 2026-11-22T03:13:00.000Z until /u);
    assert.match(
      told.proved[5] ?? '',
      /^crossed at .* let through by `support-refunds`, execution /u,
    );
    assert.deepEqual(told.unproved.slice(0, 2), [
      'how it ended: it is not settled as of this checkpoint',
      'no witness cosigned: the log could show others another history',
    ]);
  });

  test('carries an in-toto statement about the action’s digest', async () => {
    const log = new SampleLog();
    const file = await receiptOf(log, sampleLife());
    const told = await verifyReceipt(file, { policy: readTrustPolicy(policyFile(log.keys)) });
    assert.equal(told.status, 'genuine');
    const statement: {
      readonly _type: string;
      readonly subject: readonly { readonly digest: { readonly sha256: string } }[];
      readonly predicate: {
        readonly environment: string;
        readonly facts: readonly unknown[];
        readonly approvals: readonly { readonly approver: string; readonly consumed: boolean }[];
        readonly outcome: { readonly state: string };
      };
    } = JSON.parse(JSON.stringify(told.statement));
    assert.equal(statement._type, 'https://in-toto.io/Statement/v1');
    assert.match(statement.subject[0]?.digest.sha256 ?? '', /^[0-9a-f]{64}$/u);
    const { environment, facts, approvals, outcome } = statement.predicate;
    assert.equal(environment, 'production');
    assert.deepEqual(facts, [
      {
        ageMs: 61_000,
        known: true,
        name: 'incident',
        observedAt: 1_795_317_120_000,
        source: 'https://status.example',
        value: false,
      },
      { known: false, name: 'weather' },
    ]);
    assert.deepEqual([approvals[0]?.approver, approvals[0]?.consumed], ['mei', true]);
    assert.equal(outcome.state, 'succeeded');
  });

  test('without what was erased is still genuine, and says what is missing', async () => {
    const log = new SampleLog();
    const indexes = log.add(...sampleLife(), new Life().erased());
    const erased = ['0 action', '0 note', '1 inputs', '2 subject', '3 inputs', '4 outcome'];
    const policy = policyFile(log.keys);
    const files = [
      await log.receipt(indexes, erased),
      await log.receipt(indexes, erased.slice(0, 2)),
    ];
    const told = await verifyReceipt(files[0] ?? new Uint8Array(), {
      policy: readTrustPolicy(policy),
    });
    assert.equal(told.status, 'genuine');
    assert.ok(
      told.proved.includes('what it carried was erased at 2026-11-23T03:12:00.000Z by `operator`'),
    );
    assert.ok(
      told.unproved.includes(
        'what `inputs` of entry 4 said: it was erased, or is not in the receipt',
      ),
    );
    await assertBoth(
      files.map((file) => ({ name: 'erased', file, expected: 'genuine' })),
      { policy },
    );
  });

  test('of entries that were too long for the log is as good, unless what they said was erased', async () => {
    const log = new SampleLog();
    const [proposed, held, approved, crossed] = sampleLife();
    if (proposed === undefined || held === undefined || approved === undefined) return;
    const { body, at }: { readonly body: object; readonly at: number } = JSON.parse(
      new TextDecoder().decode(held.bytes),
    );
    const long = draftEntry({
      kind: 'decided',
      tenant: 'shop',
      action: held.action ?? '',
      at: instantOf(at),
      body: { ...body, matched: Array.from({ length: 9000 }, (_, rule) => `rule-${String(rule)}`) },
      salt: () => new Uint8Array(32).fill(9),
    });
    assert.ok(long.bytes.length < 1000 && crossed !== undefined);
    const indexes = log.add(proposed, long, approved, crossed);
    const policy = policyFile(log.keys);
    const whole = await log.receipt(indexes);
    await assertBoth([{ name: 'long', file: whole, expected: 'genuine' }], { policy });
    await assert.rejects(log.receipt(indexes, ['1 body']), /erased/u);
    const without = JSON.parse(new TextDecoder().decode(whole));
    delete without.entries[1].payloads.body;
    const file = canonicalBytes(without);
    await assertBoth([{ name: 'erased', file, expected: 'erased' }], { policy });
  });

  test('of a life that no layer writes is none, though each entry is proved', async () => {
    const other = new Life({ id: '2' });
    const dearer = new Life({ args: { amount: '4999.00', charge: 'ch_3P' } });
    const whole = sampleLife();
    const at = (...places: readonly number[]): LedgerDraft[] =>
      places.flatMap((place) => whole.slice(place, place + 1));
    const life = new Life();
    const cases: readonly (readonly [string, readonly LedgerDraft[]])[] = [
      ['no proposal', at(1, 2)],
      ['proposed twice', at(0, 0)],
      ['an approval left out', at(0, 1, 3)],
      ['approved before it was held', at(0, 2)],
      ['crossed twice', [...at(0, 1, 2, 3), life.crossed('2')]],
      ['settled without a crossing', at(0, 4)],
      ['settled twice', at(0, 1, 2, 3, 4, 4)],
      ['settled for another execution', [...at(0, 1, 2, 3), life.settled('succeeded', '9')]],
      ['resolved though it was known', [...at(0, 1, 2, 3, 4), life.resolved()]],
      ['barred for another execution', [...at(0, 1, 2, 3), life.barred('9')]],
      ['an approval that had expired', [...at(0, 1), life.approved(60_500), ...at(3)]],
      ['an approval given twice', at(0, 1, 2, 2, 3)],
      ['entries of another action', [...at(0, 1), other.approved(), ...at(3)]],
      ['an approval used twice at once', [...at(0, 1, 2), edited(life.crossed(), usedTwice)]],
      [
        'another action beside the proposal',
        [grafted(life.proposed(), dearer.proposed()), ...at(1)],
      ],
      [
        'another subject beside the approval',
        [...at(0, 1), grafted(life.approved(), dearer.approved())],
      ],
      [
        'other inputs beside the crossing',
        [...at(0, 1, 2), grafted(life.crossed(), dearer.crossed())],
      ],
      [
        'another preview beside the crossing',
        [...at(0, 1, 2), grafted(life.crossed(), new Life({ customer: 'cus_8' }).crossed())],
      ],
      ['decided after it was denied', [life.proposed(), life.denied(), life.held()]],
    ];
    const log = new SampleLog();
    const genuine = await receiptOf(log, sampleLife({ id: '9' }));
    const indexed = cases.map(([name, drafts]) => ({ name, indexes: log.add(...drafts) }));
    const swapped = log.add(...at(0, 1, 2), edited(life.approved(), otherApproval), ...at(3));
    const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = swapped;
    indexed.push({ name: 'in another order', indexes: [first, second, fourth, third, fifth] });
    const told = indexed.map(({ name, indexes }) => ({
      name,
      file: looseReceipt(log, indexes, genuine),
      expected: 'story_mismatch',
    }));
    await assertBoth(told, { policy: policyFile(log.keys) });
    for (const { indexes } of indexed) {
      await assert.rejects(log.receipt(indexes), Doubt);
    }
  });

  test('with the newline of an editor is the same receipt', async () => {
    const log = new SampleLog();
    const file = Buffer.concat([await receiptOf(log, sampleLife()), Buffer.from('\n')]);
    const policy = policyFile(log.keys);
    const twice = new Uint8Array(Buffer.concat([file, Buffer.from('\n')]));
    await assertBoth(
      [
        { name: 'one', file: new Uint8Array(file), expected: 'genuine' },
        { name: 'two', file: twice, expected: 'malformed' },
      ],
      { policy },
    );
  });

  test('signed during a rotation is good for whoever trusts the old key, the new one, or both', async () => {
    const [old, fresh, stranger] = [1, 2, 3].map(() => signingKey('ledger.example/shop'));
    if (old === undefined || fresh === undefined || stranger === undefined) return;
    const log = new SampleLog('ledger.example/shop', [old, fresh]);
    const file = await receiptOf(log, sampleLife());
    for (const [keys, expected] of [
      [[old], 'genuine'],
      [[fresh], 'genuine'],
      [[old, fresh], 'genuine'],
      [[stranger], 'no_key'],
      [[], 'no_key'],
    ] as const) {
      await assertBoth([{ name: 'rotation', file, expected }], { policy: policyFile(keys) });
    }
  });
});
