/** Claims against Wycheproof's vectors for signed tokens, and against tokens of every other sort. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { assert as assertProperty, asyncProperty, constantFrom, nat, string } from 'fast-check';
import { compactVerify, createLocalJWKSet, importJWK, type JWK } from 'jose';

import {
  permitKey,
  readCompact,
  verifyPermitClaim,
  writePermit,
  type PermitClaim,
  type PermitTrust,
} from './permit-claim.ts';

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  /** Some are in the JSON serialization, which no permit is. */
  readonly jws: string | object;
  readonly result: 'valid' | 'invalid';
  readonly flags: readonly string[];
}
interface Group {
  readonly public?: JWK;
  readonly private: JWK;
  readonly tests: readonly Vector[];
}

const VECTORS: { readonly testGroups: readonly Group[] } = JSON.parse(
  readFileSync(
    new URL('../../test/vectors/jose/json_web_signature_test.json', import.meta.url),
    'utf8',
  ),
);

/** Vectors that are valid by their key and refused here; each with the reason. */
const EMPTY = 'a claim is never empty';
const OTHER_ALGORITHM = 'the key says that it is for another algorithm';
const NO_BASE64 = 'a character that base64url does not have';
const REFUSED_THOUGH_VALID: Readonly<Record<number, string>> = {
  259: EMPTY,
  264: EMPTY,
  268: EMPTY,
  272: EMPTY,
  320: EMPTY,
  325: EMPTY,
  346: OTHER_ALGORITHM,
  347: OTHER_ALGORITHM,
  350: OTHER_ALGORITHM,
  351: OTHER_ALGORITHM,
  372: NO_BASE64,
  373: NO_BASE64,
};
/** Called invalid, and the same text to the letter as one that is called valid. */
const ACCEPTED_THOUGH_INVALID: ReadonlySet<number> = new Set([367, 370]);

const NOW_MS = 1_800_000_000_000;
const CLAIM: PermitClaim = {
  issuer: 'https://layer.example',
  audience: 'cell',
  subject: 'person:dana',
  actor: 'agent:bot',
  id: '0193b2a0-0000-7000-8000-000000000001',
  issuedAtSeconds: NOW_MS / 1000,
  expiresAtSeconds: NOW_MS / 1000 + 60,
  kind: 'device.control',
  environment: 'production',
  target: 'cell-7',
  operation: 'move',
  action: { args: { to: 'a' } },
  digests: { action: 'a'.repeat(64), operation: 'b'.repeat(64), effect: 'c'.repeat(64) },
};

function pair(): { readonly raw: Uint8Array; readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
  return { raw, privateKey };
}

const OURS = pair();

async function trustOf(changes: Partial<PermitTrust> = {}): Promise<PermitTrust> {
  const keys = createLocalJWKSet({ keys: [await permitKey(OURS.raw)] });
  return { keys, issuer: CLAIM.issuer, audience: CLAIM.audience, nowMs: NOW_MS, ...changes };
}

async function written(claim: PermitClaim = CLAIM, by = OURS): Promise<string> {
  const { kid } = await permitKey(by.raw);
  return writePermit(claim, { kid, sign: (bytes) => sign(null, bytes, by.privateKey) });
}

async function refusalOf(text: string, changes: Partial<PermitTrust> = {}): Promise<string> {
  const verified = await verifyPermitClaim(text, await trustOf(changes));
  return verified.kind === 'refused' ? verified.code : 'genuine';
}

describe('Wycheproof’s signed tokens', () => {
  const all = VECTORS.testGroups.flatMap((group) =>
    group.tests.map((vector) => ({ ...vector, key: group.public ?? group.private })),
  );

  test('are refused by form or signature where they are invalid, and only then', async () => {
    assert.ok(all.length > 400);
    const wrong: string[] = [];
    let lax = 0;
    for (const { tcId, comment, jws, result, key } of all) {
      const text = typeof jws === 'string' ? jws : JSON.stringify(jws);
      const isRead = readCompact(text) !== undefined;
      const isSigned = await signs(text, key);
      if (!isRead && isSigned) lax += 1;
      const accepted = isRead && isSigned;
      if (accepted === (result === 'valid')) continue;
      if (accepted ? ACCEPTED_THOUGH_INVALID.has(tcId) : tcId in REFUSED_THOUGH_VALID) continue;
      wrong.push(`${String(tcId)} ${comment}: ${result}`);
    }
    assert.deepEqual(wrong, []);
    // What the library alone would take: padding, blanks, several texts for one token.
    assert.ok(lax > 0, String(lax));
  });

  test('are no permits, whichever key is trusted', async () => {
    for (const { tcId, jws, key } of all) {
      const text = typeof jws === 'string' ? jws : JSON.stringify(jws);
      const { kty, ...rest } = key;
      const keys = createLocalJWKSet({ keys: kty === 'oct' ? [] : [{ ...rest, kty: kty ?? '' }] });
      assert.notEqual(await refusalOf(text, { keys }), 'genuine', String(tcId));
    }
  });
});

/** Whether the library alone takes it, by a set of this one key, or by the key where it is a secret. */
async function signs(text: string, key: JWK): Promise<boolean> {
  const { alg, kty } = key;
  const options = alg === undefined ? {} : { algorithms: [alg] };
  try {
    if (kty === 'oct') await compactVerify(text, await importJWK(key, alg), options);
    else
      await compactVerify(text, createLocalJWKSet({ keys: [{ ...key, kty: kty ?? '' }] }), options);
    return true;
  } catch {
    return false;
  }
}

function unreachable(): Promise<never> {
  return Promise.reject(new TypeError('fetch failed'));
}

describe('a claim', () => {
  test('is read back as it was written', async () => {
    const bound = { ...CLAIM, keyThumbprint: 'A'.repeat(43) };
    for (const claim of [CLAIM, bound]) {
      const verified = await verifyPermitClaim(await written(claim), await trustOf());
      assert.equal(verified.kind, 'genuine');
      assert.equal(
        JSON.stringify(verified.kind === 'genuine' ? sorted(verified.claim) : {}),
        JSON.stringify(sorted(claim)),
      );
    }
  });

  test('is good from before its first to before its last second', async () => {
    const text = await written();
    const endMs = CLAIM.expiresAtSeconds * 1000;
    assert.equal(await refusalOf(text, { nowMs: endMs - 1 }), 'genuine');
    assert.equal(await refusalOf(text, { nowMs: endMs }), 'permit_expired');
    // The executor's clock may be a little behind.
    assert.equal(await refusalOf(text, { nowMs: NOW_MS - 1000 }), 'genuine');
  });

  test('is not good for another issuer, audience or key', async () => {
    const text = await written();
    assert.equal(await refusalOf(text, { issuer: 'https://a.example' }), 'permit_not_genuine');
    assert.equal(await refusalOf(text, { audience: 'press' }), 'permit_for_another');
    assert.equal(await refusalOf(await written(CLAIM, pair())), 'permit_not_genuine');
  });

  test('is good by any key that the layer shows, and no more once it does not', async () => {
    const next = pair();
    const both = { keys: [await permitKey(next.raw), await permitKey(OURS.raw)] };
    const text = await written();
    assert.equal(await refusalOf(text, { keys: createLocalJWKSet(both) }), 'genuine');
    const gone = { keys: [await permitKey(next.raw)] };
    assert.equal(await refusalOf(text, { keys: createLocalJWKSet(gone) }), 'permit_not_genuine');
  });

  test('is by EdDSA alone, even where the key set holds keys for more', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ours = await permitKey(OURS.raw);
    const theirs = { ...publicKey.export({ format: 'jwk' }), kid: 'theirs', kty: 'EC' };
    const keys = createLocalJWKSet({ keys: [ours, theirs] });
    const [, payload] = (await written()).split('.');
    const header = { alg: 'ES256', kid: 'theirs', typ: 'exequatur-permit+jwt' };
    const signed = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload ?? ''}`;
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
    const text = `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
    // The library takes it by itself: it is a good signature by a key of the set.
    await compactVerify(text, keys);
    assert.equal(await refusalOf(text, { keys }), 'permit_not_genuine');
  });

  test('is not good before its time has come', async () => {
    const [header = '', payload = ''] = (await written()).split('.');
    const said = Buffer.from(payload, 'base64url').toString();
    const later = said.replace(',"sub"', `,"nbf":${String(NOW_MS / 1000 + 30)},"sub"`);
    const signed = `${header}.${Buffer.from(later).toString('base64url')}`;
    const text = `${signed}.${sign(null, Buffer.from(signed), OURS.privateKey).toString('base64url')}`;
    assert.equal(await refusalOf(text), 'permit_expired');
    assert.equal(await refusalOf(text, { nowMs: NOW_MS + 30_000 }), 'genuine');
  });

  test('says that keys could not be had, and nothing about the claim', async () => {
    assert.equal(await refusalOf(await written(), { keys: unreachable }), 'keys_unavailable');
  });

  test('is none with any one character changed, left out or added', async () => {
    const text = await written();
    const trust = await trustOf();
    await assertProperty(
      asyncProperty(
        nat(text.length - 1),
        constantFrom('change', 'remove', 'insert'),
        string({ minLength: 1, maxLength: 1 }),
        async (at, how, other) => {
          const rest = text.slice(how === 'insert' ? at : at + 1);
          const changed = text.slice(0, at) + (how === 'remove' ? '' : other) + rest;
          if (changed === text) return;
          assert.equal((await verifyPermitClaim(changed, trust)).kind, 'refused', changed);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('takes no longer than its length allows', async () => {
    const startedMs = performance.now();
    for (const text of ['.'.repeat(2_000_000), 'A'.repeat(2_000_000), `${'A.'.repeat(60_000)}A`]) {
      assert.equal(await refusalOf(text), 'permit_malformed');
    }
    assert.ok(performance.now() - startedMs < 1000);
  });
});

function sorted(value: object): object {
  return Object.fromEntries(
    Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}
