import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseDigest } from '../../kernel/digest.ts';
import { DocumentReader } from '../../kernel/document-reader.ts';
import { sha256Hex } from '../../kernel/sha256.ts';
import { readYaml } from '../document/yaml.ts';
import { diffLock, type Lock, lockDigest, lockOf, readLock, writeLock } from './lock.ts';

function digest(text: string): NonNullable<ReturnType<typeof parseDigest>> {
  const parsed = parseDigest(sha256Hex(text));
  assert.ok(parsed !== undefined);
  return parsed;
}

function readBack(text: string): Lock {
  const { document, problems } = readYaml(text, 'inventory.lock.yaml');
  assert.deepEqual(problems, []);
  assert.ok(document !== undefined);
  const reader = new DocumentReader();
  const lock = readLock({ reader, baseDirectory: '/' }, document);
  assert.deepEqual(reader.problems, []);
  return lock;
}

const WEB = { target: 'web', identity: 'web-1', files: { '/b': digest('b'), '/a': digest('a') } };
const PAY = { target: 'pay', identity: 'acct_1', environment: 'production', files: {} };

test('a lock is written in one order, with a word on what it is', () => {
  assert.equal(
    writeLock(lockOf([WEB, PAY])),
    `# yaml-language-server: $schema=https://unpkg.com/exequatur/schemas/inventory-lock.json
# Written by \`exequatur inventory probe\`: which systems and programs the inventory means.
# Review every change like code. What differs from this file is not executed.
version: 1
targets:
  "pay":
    identity: "acct_1"
    environment: "production"
  "web":
    identity: "web-1"
    files:
      "/a": "${digest('a')}"
      "/b": "${digest('b')}"
`,
  );
  assert.equal(writeLock(lockOf([PAY, WEB])), writeLock(lockOf([WEB, PAY])));
});

test('an empty lock is a file that can be read', () => {
  assert.equal(readBack(writeLock(new Map())).size, 0);
  assert.deepEqual(
    { ...readBack(writeLock(lockOf([{ target: 'a', files: {} }]))).get('a')?.files },
    {},
  );
});

test('what is written is read back the same', () => {
  const text = fc
    .string({ unit: 'binary', minLength: 1 })
    .filter(
      (value) =>
        value.trim() !== '' &&
        value.isWellFormed() &&
        !/(?![\t\n])\p{Cc}|\p{Noncharacter_Code_Point}/u.test(value),
    );
  const results = fc.array(
    fc.record({
      target: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/u),
      identity: text,
      environment: fc.constantFrom('production', 'staging'),
      files: fc.dictionary(
        text,
        fc.nat().map((seed) => digest(String(seed))),
        { maxKeys: 4 },
      ),
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(results, (found) => {
      const lock = lockOf(found);
      const back = readBack(writeLock(lock));
      assert.equal(lockDigest(back), lockDigest(lock));
      assert.deepEqual(diffLock(lock, back), []);
    }),
    { numRuns: 200 },
  );
});

test('a target that was not probed keeps what is locked of it', () => {
  const before = lockOf([WEB, PAY]);
  const found = lockOf([{ ...PAY, identity: 'acct_2' }], before);
  assert.deepEqual(found.get('web'), before.get('web'));
  assert.equal(found.get('pay')?.identity, 'acct_2');
});

test('a review sees each difference and nothing else', () => {
  const before = lockOf([WEB, PAY]);
  const found = lockOf([
    { ...WEB, files: { '/a': digest('other'), '/c': digest('c') } },
    { target: 'new', identity: 'n', files: {} },
  ]);
  assert.deepEqual(diffLock(before, found), [
    { target: 'new', what: 'identity', before: undefined, found: 'n' },
    { target: 'pay', what: 'identity', before: 'acct_1', found: undefined },
    { target: 'pay', what: 'environment', before: 'production', found: undefined },
    { target: 'web', what: 'file', path: '/a', before: digest('a'), found: digest('other') },
    { target: 'web', what: 'file', path: '/b', before: digest('b'), found: undefined },
    { target: 'web', what: 'file', path: '/c', before: undefined, found: digest('c') },
  ]);
});
