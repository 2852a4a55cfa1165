import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { createMasker, SECRETS_MAX } from './mask.ts';

const SECRET = 'sk_live_4eC39HqLyjWDarjtT1zdp7dc+/=&"ü';
const KEY = new Uint8Array(32);

/** What is left of a secret by a naive search in every encoding that the masker promises to know. */
function traces(output: string, secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  const core = (lead: number): string => {
    const encoded = Buffer.concat([Buffer.alloc(lead), bytes]).toString('base64');
    return encoded.slice(lead === 0 ? 0 : lead + 1, Math.floor(((lead + bytes.length) * 8) / 6));
  };
  const cores = [core(0), core(1), core(2)];
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ a: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...cores,
    ...cores.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ].filter((text) => output.includes(text));
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function spelled(secret: string): readonly (readonly [string, string])[] {
  const ascii = JSON.stringify(secret).replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [
    ['as it is', secret],
    ['percent-encoded', encodeURIComponent(secret)],
    [
      'percent-encoded in lower case',
      encodeURIComponent(secret).replaceAll(/%../gu, (hex) => hex.toLowerCase()),
    ],
    ['as a form field', new URLSearchParams({ token: secret }).toString()],
    ['as JSON', JSON.stringify({ token: secret })],
    ['as JSON in ASCII', ascii],
    ['as JSON within JSON', JSON.stringify({ log: JSON.stringify({ token: secret }) })],
    ['in the path of a URL', encodeURI(secret)],
    ['as HTML', secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
    ['in hexadecimal', Buffer.from(secret).toString('hex')],
    ['in upper-case hexadecimal', Buffer.from(secret).toString('hex').toUpperCase()],
    ['in base64', base64(secret)],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['in base64 of a bearer header', base64(`Bearer ${secret}`)],
    ['in base64 of a user and it', base64(`u:${secret}`)],
    ['in base64 of another user and it', base64(`us:${secret}`)],
    ['in base64 of it and more', base64(`${secret}:x`)],
    ['in percent-encoded base64', encodeURIComponent(base64(secret))],
    ['in base64 of UTF-16', Buffer.from(secret, 'utf16le').toString('base64')],
  ];
}

describe('masker', () => {
  for (const [name, text] of spelled(SECRET)) {
    test(`a secret ${name} is masked`, () => {
      const masker = createMasker();
      masker.register(SECRET);
      const masked = masker.text(`before ${text} after`);
      assert.deepEqual(traces(masked, SECRET), []);
      assert.match(masked, /^before .*‹secret:[0-9a-f]{8}›.* after$/u);
      assert.notEqual(masked, `before ${text} after`);
    });
  }

  test('law 14: any secret in any known encoding leaves no trace, wherever it stands', () => {
    const secrets = fc.string({ minLength: 6, maxLength: 60, unit: 'grapheme' });
    fc.assert(
      fc.property(secrets, fc.string({ maxLength: 8 }), fc.nat(), (secret, around, pick) => {
        // Grapheme strings are well-formed, and only such values can be leased.
        if (new Set(secret).size < 4) return;
        const masker = createMasker({ fingerprintKey: KEY });
        masker.register(secret);
        const all = spelled(secret);
        const [, text = ''] = all[pick % all.length] ?? [];
        const masked = masker.text(`${around}${text}${around}`);
        assert.ok(!masked.includes(text), `${text} is still in ${masked}`);
      }),
      { numRuns: 400 },
    );
  });

  test('text without a secret comes back as the same string', () => {
    const masker = createMasker();
    masker.register(SECRET);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        assert.equal(masker.text(text), text);
      }),
      { numRuns: 200 },
    );
  });

  test('the characters at the borders of a base64 spelling go with it', () => {
    const masker = createMasker({ fingerprintKey: KEY });
    masker.register('abcd');
    const whole = Buffer.from('x:abcd').toString('base64');
    assert.equal(whole, 'eDphYmNk');
    assert.match(masker.text(` ${whole} `), /^ eDp?‹secret:[0-9a-f]{8}› $/u);
  });

  test('JSON is masked in keys and values at every depth, and no member hides another', () => {
    const masker = createMasker({ fingerprintKey: KEY });
    masker.register('hunter22');
    const masked = masker.json({ a: [{ hunter22: 'x hunter22 y' }], 'b-hunter22': 1, n: 5 });
    assert.ok(!JSON.stringify(masked).includes('hunter22'));
    assert.ok(JSON.stringify(masked).includes('"n":5'));
    masker.register('letmein99');
    const both = createMasker({ fingerprintKey: KEY });
    both.register('samesame');
    const collided = both.json({ samesame: 1, [Buffer.from('samesame').toString('hex')]: 2 });
    assert.deepEqual(Object.values(Object(collided)), [1, 2]);
  });

  test('a secret of digits is masked where it comes back as a number', () => {
    const masker = createMasker();
    masker.register('98765432');
    assert.match(JSON.stringify(masker.json({ pin: 98765432 })), /‹secret:/u);
  });

  test('a secret cut over the chunks of a stream is masked, at every place and size of cut', () => {
    const text = spelled(SECRET)
      .map(([name, spelling]) => `${name}: ${spelling}\n`)
      .join('');
    const bytes = Buffer.from(text, 'utf8');
    for (const size of [1, 2, 3, 7, 16, 61, 256]) {
      const masker = createMasker({ fingerprintKey: KEY });
      masker.register(SECRET);
      const stream = masker.stream();
      const parts: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        parts.push(stream.push(bytes.subarray(at, at + size)));
      }
      parts.push(stream.end());
      assert.equal(
        Buffer.concat(parts).toString('utf8'),
        masker.text(text),
        `size ${String(size)}`,
      );
    }
  });

  test('a stream that was cut off within a secret gives no part of it', () => {
    const masker = createMasker();
    masker.register(SECRET);
    const given = masker.stream().push(Buffer.from(`x${SECRET.slice(0, -2)}`));
    assert.ok(!given.toString().includes('sk_live'));
  });

  test('the longer of two secrets that begin alike is masked whole', () => {
    const masker = createMasker({ fingerprintKey: KEY });
    masker.register('prefix-1');
    masker.register('prefix-1-and-more');
    assert.match(masker.text('=prefix-1-and-more='), /^=‹secret:[0-9a-f]{8}›=$/u);
  });

  test('of many secrets that begin with each other the longest is masked, as a plain search finds it', () => {
    const words = fc.array(
      fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 4, maxLength: 9 }),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 40 });
    fc.assert(
      fc.property(words, text, (secrets, input) => {
        const masker = createMasker({ fingerprintKey: KEY });
        for (const secret of secrets) masker.register(secret);
        const longestFirst = secrets.toSorted((a, b) => b.length - a.length);
        const expected = input.replaceAll(new RegExp(longestFirst.join('|'), 'gu'), (secret) =>
          masker.text(secret),
        );
        assert.equal(masker.text(input), expected);
      }),
      { numRuns: 500 },
    );
  });

  test('the lines of a key are masked one by one, its frame is not', () => {
    const line = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC';
    const masker = createMasker();
    masker.register(`-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----`);
    const masked = masker.text(`  ${line}\n-----BEGIN PRIVATE KEY-----`);
    assert.match(masked, /^ {2}‹secret:[0-9a-f]{8}›\n-----BEGIN PRIVATE KEY-----$/u);
  });

  test('a value too short to mask is not taken', () => {
    assert.throws(() => {
      createMasker().register('abc');
    }, RangeError);
  });

  test('the value leased longest ago is the one that is forgotten', () => {
    const masker = createMasker();
    masker.register('first-secret');
    masker.register('second-secret');
    for (let count = 2; count < SECRETS_MAX; count += 1) masker.register(`filler-${String(count)}`);
    masker.register('first-secret');
    masker.register('one-too-many');
    assert.match(masker.text('first-secret'), /‹secret/u);
    assert.equal(masker.text('second-secret'), 'second-secret');
  });

  test('fingerprints under one key are equal, under another they say nothing', () => {
    const [one, same, other] = [KEY, KEY, new Uint8Array(32).fill(1)].map((fingerprintKey) => {
      const masker = createMasker({ fingerprintKey });
      masker.register('the-secret');
      return masker.text('the-secret');
    });
    assert.equal(one, same);
    assert.notEqual(one, other);
  });

  test('masking takes time in proportion to the text, however many secrets there are', () => {
    const masker = createMasker();
    for (let count = 0; count < 200; count += 1) masker.register(`secret-number-${String(count)}`);
    const measure = (length: number): number => {
      const text = 'secret-numbe-'.repeat(length / 13);
      const start = process.hrtime.bigint();
      masker.text(text);
      return Number(process.hrtime.bigint() - start);
    };
    measure(130_000);
    const small = Math.min(measure(130_000), measure(130_000));
    const large = Math.min(measure(1_300_000), measure(1_300_000));
    assert.ok(large < small * 40, `${String(small)} ns, then ${String(large)} ns`);
  });
});
