/**
 * The tamper matrix of receipts. Each change is caught by both verifiers with the same code, or stands at
 * the end, under what is not caught.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalBytes } from '../../src/kernel/json/write.ts';
import { readBase64, writeBase64 } from '../../src/ledger/base64.ts';
import { envelopeBytes } from '../../src/ledger/dsse.ts';
import type { LedgerDraft } from '../../src/ledger/entry.ts';
import { assertBoth, firstWord, type Case } from './both.ts';
import { fastened, loosened, looseReceipt, type LooseReceipt } from './loose-receipt.ts';
import { Life, sampleLife } from './sample-life.ts';
import { policyFile, SampleLog, signingKey, signWith } from './sample-log.ts';

/** A generator that gives the same numbers on every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function flipped(file: Uint8Array, place: number, mask: number): Uint8Array {
  const copy = Uint8Array.from(file);
  copy[place] = (copy[place] ?? 0) ^ mask;
  return copy;
}

/** The base64 text with one byte of what it spells changed. */
function flippedText(text: string, place: number): string {
  const bytes = Buffer.from(text, 'base64');
  const at = place % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('base64');
}

/** A copy with one change. */
function changed(file: Uint8Array, change: (receipt: LooseReceipt) => void): Uint8Array {
  const receipt = loosened(file);
  change(receipt);
  return fastened(receipt);
}

async function setting(): Promise<{
  readonly log: SampleLog;
  readonly file: Uint8Array;
  readonly other: Uint8Array;
  readonly policy: Uint8Array;
}> {
  const log = new SampleLog();
  log.witnesses = [signingKey('witness.example/1', 'cosignature')];
  const others = log.add(...sampleLife({ id: '2', args: { amount: '9000.00', charge: 'ch_0' } }));
  const indexes = log.add(...sampleLife());
  return {
    log,
    file: await log.receipt(indexes),
    other: await log.receipt(others),
    policy: policyFile(log.keys, log.witnesses),
  };
}

/** An entry that no layer writes. */
function foreign(parts: object): LedgerDraft {
  const entry = { action: 'a', at: 1, body: {}, kind: 'proposed', payloads: {}, tenant: 'shop' };
  const bytes = canonicalBytes({ ...entry, v: 1, ...parts });
  return { kind: 'proposed', action: undefined, bytes, payloads: [] };
}

/** The witness's lines with another text in their place. */
function withWitness(receipt: LooseReceipt, to: string): void {
  for (const each of receipt.entries) {
    each.proof = each.proof.replace(/— witness\S+ [^\n]*\n/u, to);
  }
}

describe('a receipt that was tampered with', () => {
  test('is caught whichever byte of it was flipped', async () => {
    const log = new SampleLog();
    log.witnesses = [signingKey('witness.example/1', 'cosignature')];
    const life = new Life();
    const file = await log.receipt(log.add(life.proposed(), life.denied()));
    const given = { policy: policyFile(log.keys, log.witnesses) };
    assert.equal(await firstWord(file, given), 'genuine');
    const missed: number[] = [];
    for (let place = 0; place < file.length; place += 1) {
      if ((await firstWord(flipped(file, place, 1), given)) === 'genuine') missed.push(place);
    }
    assert.deepEqual(missed, []);
  });

  test('is caught by both verifiers whichever bits of a larger one were flipped', async () => {
    const { file, policy } = await setting();
    const random = seeded(5);
    const missed: number[] = [];
    const cases: Case[] = [];
    for (let run = 0; run < 400; run += 1) {
      const place = random(file.length);
      const bad = flipped(file, place, 1 + random(255));
      const expected = await firstWord(bad, { policy });
      if (expected === 'genuine') missed.push(place);
      if (run % 8 === 0) cases.push({ name: `byte ${String(place)}`, file: bad, expected });
    }
    assert.deepEqual(missed, []);
    await assertBoth(cases, { policy });
  });

  test('is caught in every field, by its code', async () => {
    const { file, policy } = await setting();
    const random = seeded(7);
    const cases: Case[] = [];
    const add = (name: string, expected: string, change: (receipt: LooseReceipt) => void): void => {
      cases.push({ name, expected, file: changed(file, change) });
    };
    for (const [index, entry] of loosened(file).entries.entries()) {
      const at = <Part>(parts: readonly Part[]): Part => {
        const part = parts[index];
        if (part === undefined) throw new Error('no such entry');
        return part;
      };
      add(`entry ${String(index)}`, 'not_in_log', ({ entries }) => {
        at(entries).entry = flippedText(at(entries).entry, random(9999));
      });
      for (const line of entry.proof.split('\n\n')[0]?.split('\n').slice(2) ?? []) {
        add(`a hash of proof ${String(index)}`, 'not_in_log', ({ entries }) => {
          at(entries).proof = at(entries).proof.replace(line, flippedText(line, random(32)));
        });
      }
      add(`the index of proof ${String(index)}`, 'not_in_log', ({ entries }) => {
        at(entries).proof = at(entries).proof.replace(/index \d+/u, `index ${String(index)}`);
      });
      for (const name of Object.keys(entry.payloads)) {
        for (const field of ['salt', 'bytes'] as const) {
          add(`the ${field} of ${name} ${String(index)}`, 'payload_mismatch', ({ entries }) => {
            const payload = at(entries).payloads[name];
            if (payload !== undefined) payload[field] = flippedText(payload[field], random(9999));
          });
        }
        add(`without ${name} ${String(index)}`, 'statement_mismatch', ({ entries }) => {
          delete at(entries).payloads[name];
        });
      }
    }
    add('the statement', 'forged_signature', ({ statement }) => {
      statement.payload = flippedText(statement.payload, random(9999));
    });
    add('the statement’s type', 'forged_signature', ({ statement }) => {
      statement.payloadType = 'application/json';
    });
    add('the statement’s signature', 'forged_signature', ({ statement: { signatures } }) => {
      for (const each of signatures) each.sig = flippedText(each.sig, random(64));
    });
    add('the statement’s key id', 'no_key', ({ statement: { signatures } }) => {
      for (const each of signatures) each.keyid = '00000000';
    });
    add('no signature of the statement', 'no_key', ({ statement }) => {
      statement.signatures = [];
    });
    for (const [name, pattern, replacement, expected] of [
      ['the size', /\n10\n/u, '\n11\n', 'forged_signature'],
      ['the root', /\n10\n./u, '\n10\n_', 'malformed'],
      ['the origin', /\n\nledger\.example\/shop\n/u, '\n\nledger.example/shoq\n', 'no_key'],
      ['the log’s signature', /(— ledger\S+ \S{20})./u, '$1!', 'malformed'],
      ['the witness’s time', /(— witness\S+ \S{12})./u, '$1Z', 'forged_signature'],
      ['the witness’s signature, away', /— witness[^\n]*\n/u, '', 'no_quorum'],
      ['the log’s signature, away', /— ledger[^\n]*\n/u, '', 'no_key'],
      ['both signatures, away', /— [^]*$/u, '', 'malformed'],
    ] as const) {
      add(name, expected, ({ entries }) => {
        for (const each of entries) each.proof = each.proof.replace(pattern, replacement);
      });
    }
    add('one checkpoint of several', 'not_in_log', ({ entries: [first] }) => {
      if (first !== undefined) first.proof = first.proof.replace('\n10\n', '\n11\n');
    });
    assert.ok(cases.length > 40);
    await assertBoth(cases, { policy });
  });

  test('is caught when entries are deleted, reordered, repeated or mixed with another action’s', async () => {
    const { file, other, policy } = await setting();
    const strange = loosened(other);
    const cases: Case[] = [];
    const add = (name: string, expected: string, change: (receipt: LooseReceipt) => void): void => {
      cases.push({ name, expected, file: changed(file, change) });
    };
    for (const [place, expected] of [
      [0, 'story_mismatch'],
      [1, 'story_mismatch'],
      [2, 'story_mismatch'],
      [3, 'story_mismatch'],
      [4, 'statement_mismatch'],
    ] as const) {
      add(`without entry ${String(place)}`, expected, ({ entries }) => entries.splice(place, 1));
    }
    add('without any entry', 'malformed', ({ entries }) => entries.splice(0));
    add('reversed', 'story_mismatch', (receipt) => {
      receipt.entries = receipt.entries.toReversed();
    });
    add('two swapped', 'story_mismatch', ({ entries }) => {
      entries.push(...entries.splice(3, 1));
    });
    add('one twice', 'story_mismatch', ({ entries }) => entries.push(...entries.slice(-1)));
    add('one of another action put in', 'story_mismatch', ({ entries }) => {
      entries.push(...strange.entries.slice(-1));
    });
    add('the approval of another action', 'story_mismatch', ({ entries }) => {
      entries.splice(2, 1, ...strange.entries.slice(2, 3));
    });
    add('all entries of another action', 'statement_mismatch', (receipt) => {
      receipt.entries = strange.entries;
    });
    add('the statement of another action', 'statement_mismatch', (receipt) => {
      receipt.statement = strange.statement;
    });
    add('payloads of another entry', 'payload_mismatch', ({ entries }) => {
      const [first, second] = entries;
      if (first !== undefined && second !== undefined) first.payloads = second.payloads;
    });
    add('a payload that the entry does not name', 'payload_mismatch', ({ entries: [first] }) => {
      const note = first?.payloads['note'];
      if (first !== undefined && note !== undefined) first.payloads['more'] = note;
    });
    await assertBoth(cases, { policy });
  });

  test('is caught when it is cut off, lax, doubled or of an unknown version', async () => {
    const { file, policy } = await setting();
    const text = new TextDecoder().decode(file);
    const cases: Case[] = [];
    const add = (name: string, expected: string, changedText: string): void => {
      assert.ok(changedText !== text, name);
      cases.push({ name, expected, file: new TextEncoder().encode(changedText) });
    };
    for (const length of [1, 2, 50, 5000, text.length - 1]) {
      add(`cut after ${String(length)}`, 'malformed', text.slice(0, length));
    }
    add('a space', 'malformed', text.replace(':', ': '));
    add('a key twice', 'malformed', text.replace('{', '{"entries":[],'));
    add('the same key twice', 'malformed', text.replace(/("format":"[^"]*")/u, '$1,$1'));
    add(
      'keys in another order',
      'malformed',
      text.replace(/\{"bytes":("[^"]*"),"salt":("[^"]*")\}/u, '{"salt":$2,"bytes":$1}'),
    );
    add('an escape', 'malformed', text.replace('"format"', '"\\u0066ormat"'));
    add('a member more', 'malformed', text.replace('"format"', '"eyes":1,"format"'));
    add('a constructor', 'malformed', text.replace('{', '{"constructor":1,'));
    add('a prototype', 'malformed', text.replace('{', '{"__proto__":1,'));
    add('base64url', 'malformed', text.replace(/"sig":"[^"]{4}/u, '"sig":"-_-_'));
    add('base64 without padding', 'malformed', text.replace('=="', '"'));
    add('base64 with a bit left over', 'malformed', text.replace('E="', 'F="'));
    add(
      'another format',
      'unknown_version',
      text.replace('exequatur-receipt/v1', 'exequatur-receipt/v2'),
    );
    add('no format', 'unknown_version', text.replace(/"format":"[^"]*",/u, ''));
    add('another proof format', 'malformed', text.replaceAll('tlog-proof@v1', 'tlog-proof@v2'));
    add('extra data in a proof', 'malformed', text.replace('\\nindex', '\\nextra AAAA\\nindex'));
    add(
      'signatures that are no list',
      'malformed',
      text.replace(/"signatures":\[[^\]]*\]/u, '"signatures":{}'),
    );
    add('a byte-order mark', 'unknown_version', `\ufeff${text}`);
    await assertBoth(cases, { policy });
  });

  test('is caught when its entries are of a version or kind that nobody knows', async () => {
    const { log, file } = await setting();
    const life = new Life();
    const { action = '' } = life.proposed();
    const drafts: readonly (readonly [string, string, readonly LedgerDraft[]])[] = [
      ['version 2', 'unknown_version', [foreign({ v: 2 })]],
      ['version true', 'unknown_version', [foreign({ v: true })]],
      ['no version', 'unknown_version', [foreign({ v: null })]],
      ['a member more', 'malformed', [foreign({ more: 1 })]],
      ['an instant that is none', 'malformed', [foreign({ at: 0.5 })]],
      ['a body that is none', 'malformed', [foreign({ body: [] })]],
      ['a proposal of nothing', 'malformed', [foreign({})]],
      ['another kind', 'unknown_kind', [life.proposed(), foreign({ kind: 'judged', action })]],
      [
        'about the layer',
        'story_mismatch',
        [life.proposed(), foreign({ kind: 'halted', action: 'b' })],
      ],
    ];
    const indexed = drafts.map(([name, expected, each]) => ({
      name,
      expected,
      indexes: log.add(...each),
    }));
    const cases = indexed.map(({ name, expected, indexes }) => ({
      name,
      expected,
      file: looseReceipt(log, indexes, file),
    }));
    await assertBoth(cases, { policy: policyFile(log.keys, log.witnesses) });
  });

  test('is caught when it is signed by keys that are not trusted', async () => {
    const { log, file } = await setting();
    const [witness] = log.witnesses;
    const stranger = signingKey(log.origin);
    assert.ok(witness !== undefined);
    for (const [policy, expected] of [
      [policyFile([stranger], log.witnesses), 'no_key'],
      [policyFile([signingKey('ledger.example/other')], log.witnesses), 'no_key'],
      [policyFile(log.keys, [signingKey('witness.example/2', 'cosignature')]), 'no_quorum'],
      [
        policyFile(log.keys, [witness, signingKey('witness.example/2', 'cosignature')]),
        'no_quorum',
      ],
      [
        policyFile(log.keys, [witness, signingKey('witness.example/2', 'cosignature')], 'w1'),
        'genuine',
      ],
    ] as const) {
      await assertBoth([{ name: 'keys', file, expected }], { policy });
    }
    const self = await log.receipt([5, 6, 7, 8, 9], [], [stranger]);
    await assertBoth([{ name: 'a statement by a stranger', file: self, expected: 'no_key' }], {
      policy: policyFile(log.keys, log.witnesses),
    });
  });

  test('is caught when the log’s own key signed its statement as something else', async () => {
    const { log, file, policy } = await setting();
    const [key] = log.keys;
    const bad = changed(file, ({ statement }) => {
      statement.payloadType = 'application/json';
      const bytes = readBase64(statement.payload);
      if (bytes === undefined || key === undefined) return;
      const signed = envelopeBytes({ type: statement.payloadType, bytes });
      statement.signatures = [{ keyid: key.id, sig: writeBase64(signWith(key, signed)) }];
    });
    await assertBoth([{ name: 'type', file: bad, expected: 'statement_mismatch' }], { policy });
  });

  test('is not believed on the word of a witness of the future', async () => {
    const log = new SampleLog();
    log.witnesses = [signingKey('witness.example/1', 'cosignature')];
    const indexes = log.add(...sampleLife());
    const policy = policyFile(log.keys, log.witnesses);
    for (const [aheadSeconds, expected] of [
      [60, 'genuine'],
      [3600, 'no_quorum'],
    ] as const) {
      log.cosignedSecond = BigInt(Math.floor(Date.now() / 1000) + aheadSeconds);
      const file = await log.receipt(indexes);
      await assertBoth([{ name: String(aheadSeconds), file, expected }], { policy });
    }
  });

  test('is caught when people consented to something else than what crossed', async () => {
    const { log, file } = await setting();
    const life = new Life({ id: '6' });
    const dearer = new Life({ id: '6', args: { amount: '4999.00', charge: 'ch_3P' } });
    const cases: Case[] = [];
    for (const [name, drafts] of [
      ['another crossing', [life.proposed(), life.held(), life.approved(), dearer.crossed()]],
      ['another approval', [life.proposed(), life.held(), dearer.approved(), life.crossed()]],
      ['another proposal', [dearer.proposed(), life.held(), life.approved(), life.crossed()]],
    ] as const) {
      const indexes = log.add(...drafts);
      // With what was consented to at hand, and by the digests alone.
      const erased = indexes.flatMap((index) =>
        ['action', 'inputs', 'subject'].map((payload) => `${String(index)} ${payload}`),
      );
      cases.push({ name, file: looseReceipt(log, indexes, file), expected: 'story_mismatch' });
      cases.push({
        name: `${name}, erased`,
        file: looseReceipt(log, indexes, file, erased),
        expected: name === 'another proposal' ? 'statement_mismatch' : 'story_mismatch',
      });
    }
    await assertBoth(cases, { policy: policyFile(log.keys, log.witnesses) });
  });
});

describe('what the verification of a receipt does not catch', () => {
  test('a signature by a key that the policy does not name can be changed, or taken away', async () => {
    const { log, file } = await setting();
    const policy = policyFile(log.keys);
    await assertBoth(
      [
        {
          name: 'changed',
          file: changed(file, (receipt) => withWitness(receipt, '— witness.example/1 AAAAAAAA\n')),
          expected: 'genuine',
        },
        {
          name: 'away',
          file: changed(file, (receipt) => withWitness(receipt, '')),
          expected: 'genuine',
        },
      ],
      { policy },
    );
  });

  test('a fork that the log’s own key signed, where no witness is asked for', async () => {
    const { log } = await setting();
    const fork = new SampleLog(log.origin, log.keys);
    const life = new Life({ id: '3' });
    const file = await fork.receipt(fork.add(life.proposed(), life.denied()));
    const without = { policy: policyFile(log.keys) };
    await assertBoth([{ name: 'fork', file, expected: 'genuine' }], without);
    const asked = { policy: policyFile(log.keys, log.witnesses) };
    await assertBoth([{ name: 'fork', file, expected: 'no_quorum' }], asked);
  });

  test('an older receipt, which says how things stood then', async () => {
    const log = new SampleLog();
    const drafts = sampleLife();
    const file = await log.receipt(log.add(...drafts.slice(0, 2)));
    log.add(...drafts.slice(2));
    const policy = policyFile(log.keys);
    await assertBoth([{ name: 'older', file, expected: 'genuine' }], { policy });
  });
});
