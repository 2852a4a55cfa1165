import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { readCredentialCommand } from './credential-command.ts';

test('words are split at spaces, and single quotes keep a word together', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['exec:/bin/get', ['/bin/get']],
    ['exec:/bin/.../get', ['/bin/.../get']],
    [`exec:/${'x'.repeat(4090)}`, [`/${'x'.repeat(4090)}`]],
    ['exec:/bin/get  a   b ', ['/bin/get', 'a', 'b']],
    ["exec:/bin/get 'a b' c'd e'f ''", ['/bin/get', 'a b', 'cd ef', '']],
    ["exec:/bin/get '$HOME' '`id`' '\"'", ['/bin/get', '$HOME', '`id`', '"']],
    ["exec:'/opt/my tools/get' -field=token", ['/opt/my tools/get', '-field=token']],
  ];
  for (const [reference, argv] of table) {
    const read = readCredentialCommand(reference);
    assert.ok(read.ok, reference);
    assert.deepEqual(read.command, { argv, environment: {} });
  }
});

test('only PATH and HOME are set, before the program, and behind it they are words', () => {
  const read = readCredentialCommand(
    'exec:PATH=/usr/bin:/bin HOME=/var/lib/x /bin/get HOME=/other',
  );
  assert.deepEqual(read, {
    ok: true,
    command: {
      argv: ['/bin/get', 'HOME=/other'],
      environment: { PATH: '/usr/bin:/bin', HOME: '/var/lib/x' },
    },
  });
});

test('what a shell would read as more than words is refused where it stands', () => {
  const table: readonly (readonly [string, number])[] = [
    ['env:X', 0],
    ['exec:', 5],
    ['exec:   ', 8],
    ['exec:get', 5],
    ['exec:./get', 5],
    ['exec:/bin/../get', 5],
    ['exec:/bin//get', 5],
    ['exec:/bin/', 5],
    ['exec:HOME=/x', 12],
    ['exec:HOME=x /bin/get', 5],
    ['exec:xHOME=/x /bin/get', 5],
    [`exec:/${'x'.repeat(4091)}`, 4096],
    ['exec:HOME=/x HOME=/y /bin/get', 13],
    ['exec:LD_PRELOAD=/x /bin/get', 5],
    ['exec:/bin/get $HOME', 14],
    ['exec:/bin/get `id`', 14],
    ['exec:/bin/get "a"', 14],
    ['exec:/bin/get a;b', 15],
    ['exec:/bin/get a|b', 15],
    ['exec:/bin/get a>b', 15],
    ['exec:/bin/get a&', 15],
    ['exec:/bin/get a\\ b', 15],
    ['exec:/bin/get *', 14],
    ['exec:/bin/get ~', 14],
    ['exec:/bin/get #', 14],
    ['exec:/bin/get\tb', 13],
    ['exec:/bin/get\nb', 13],
    ["exec:/bin/get 'a", 14],
    ["exec:/bin/get 'a\0b'", 16],
    [`exec:/bin/get ${'x'.repeat(4096)}`, 4096],
  ];
  for (const [reference, offset] of table) {
    const read = readCredentialCommand(reference);
    assert.ok(!read.ok, reference);
    assert.equal(read.offset, offset, reference);
  }
});

test('any words come back whole once each is quoted', () => {
  const word = fc.string({ unit: 'grapheme' }).filter((text) => !/['\p{Cc}]/u.test(text));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const read = readCredentialCommand(`exec:/x ${words.map((each) => `'${each}'`).join(' ')}`);
      assert.ok(read.ok);
      assert.deepEqual(read.command.argv, ['/x', ...words]);
    }),
  );
});
