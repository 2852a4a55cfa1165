import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { isSameAddress } from '../../kernel/address.ts';
import { checkAddress, parseRanges } from './address.ts';

/** Every address here leads, or may lead, somewhere that is not the public internet. */
const REFUSED: readonly string[] = `
127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254 0.0.0.0 0.0.0.1 0.255.255.255
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255
169.254.0.1 169.254.169.254 169.254.170.2 169.254.170.23 168.63.129.16 192.0.0.192
100.64.0.1 100.100.100.200 100.127.255.255 192.0.0.1 192.0.2.1 198.18.0.1 198.19.255.255
198.51.100.1 203.0.113.1 192.88.99.1 192.31.196.1 192.175.48.1 192.52.193.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 0:0:0:0:0:0:0:1 0000:0000:0000:0000:0000:0000:0000:0001 ::0.0.0.1
::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::7f00:1
::ffff:127.0.0.1 ::ffff:7f00:1 ::FFFF:7F00:0001 0:0:0:0:0:ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:100.100.100.200 ::ffff:0.0.0.0 ::ffff:0:127.0.0.1
64:ff9b::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::7f00:1 64:ff9b:1::8.8.8.8
2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808:: 2001::1 2001:0:7f00:1:: 2001:10::1 2001:20::1 2001:2::1
2001:db8::1 3fff::1 100::1 5f00::1 4000::1
fc00::1 fd00::1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 ff02::1 ff0e::1
2607:f8b0::5efe:7f00:1 2607:f8b0::200:5efe:10.0.0.1 fe80::1%eth0 fe80::1%25eth0 2607:f8b0::1%lo
`
  .trim()
  .split(/\s+/u);

/** What is not the one plain spelling of an address is none. */
const NO_ADDRESS: readonly string[] = [
  ...'0177.0.0.1 0x7f.0.0.1 0x7f000001 2130706433 017700000001 127.1 127.0.1 1 0 127.0.0.01'.split(
    ' ',
  ),
  ...'127.0.0.1. 127.0.0.256 127.0.0.1:80 [::1] ::1::1 1:2:3 ::ffff:127.1 ::ffff:0x7f.0.0.1'.split(
    ' ',
  ),
  ...'localhost １２７.0.0.1 127。0。0。1 127.0.0.1%0a 127.0.0.1/8 ::ffff:127.0.0.1/96'.split(' '),
  '',
  ' 127.0.0.1',
  '127.0.0.1\n',
  '127.0.0.1\0',
];

const ALLOWED: readonly string[] = `
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 192.167.255.255 192.169.0.1 223.255.255.255
2001:4860:4860::8888 2606:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 ::ffff:808:808 64:ff9b::8.8.8.8
`
  .trim()
  .split(/\s+/u);

describe('addresses', () => {
  test(`${String(REFUSED.length + NO_ADDRESS.length)} spellings that lead away from the internet are refused`, () => {
    assert.ok(REFUSED.length + NO_ADDRESS.length >= 60);
    for (const text of [...REFUSED, ...NO_ADDRESS]) {
      assert.equal(checkAddress(text, []), undefined, text);
    }
  });

  test('public addresses are allowed, up to the edges of the ranges that are not', () => {
    for (const text of ALLOWED) assert.notEqual(checkAddress(text, []), undefined, text);
  });

  test('an IPv4 address is judged alike however IPv6 wraps it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        const direct = checkAddress(text, []) !== undefined;
        assert.equal(checkAddress(`::ffff:${text}`, []) !== undefined, direct);
        assert.equal(checkAddress(`64:ff9b::${text}`, []) !== undefined, direct);
      }),
      { numRuns: 2000 },
    );
  });

  test('a target reaches the ranges that it names, and says that it does', () => {
    const ranges = parseRanges(['127.0.0.0/8', '10.1.0.0/16', 'fd00:1::/32', '::1/128']);
    for (const text of ['127.0.0.1', '::ffff:127.0.0.1', '10.1.2.3', 'fd00:1::5', '::1']) {
      assert.equal(checkAddress(text, ranges)?.allowedByName, true, text);
    }
    assert.equal(checkAddress('8.8.8.8', ranges)?.allowedByName, false);
    for (const text of ['10.2.0.1', 'fd00:2::1', '192.168.0.1', '169.254.169.254']) {
      assert.equal(checkAddress(text, ranges), undefined, text);
    }
  });

  test('a wide range does not mean the addresses that hand out credentials', () => {
    const wide = parseRanges(['169.254.0.0/16', 'fd00::/8', '0.0.0.0/0', '::/0']);
    for (const text of [
      '169.254.169.254',
      'fd00:ec2::254',
      '168.63.129.16',
      '::ffff:169.254.169.254',
    ]) {
      assert.equal(checkAddress(text, wide), undefined, text);
    }
    assert.notEqual(checkAddress('169.254.1.1', wide), undefined);
    const exact = parseRanges(['169.254.169.254/32']);
    assert.equal(checkAddress('169.254.169.254', exact)?.allowedByName, true);
  });

  test('a range that is not one is refused', () => {
    for (const text of [
      '127.0.0.1',
      '127.0.0.0/33',
      '::/129',
      '/8',
      '127.1/8',
      '1.2.3.4/8/8',
      'x/8',
      '1.2.3.4/',
      '1.2.3.4/-1',
    ]) {
      assert.throws(() => parseRanges([text]), { code: 'addresses_allowed_invalid' }, text);
    }
    assert.equal(parseRanges(['0.0.0.0/0', '::/0', '1.2.3.4/32']).length, 3);
  });

  test('spellings of one address are the same, others are not', () => {
    assert.ok(isSameAddress('::ffff:127.0.0.1', '127.0.0.1'));
    assert.ok(isSameAddress('::1', '0:0:0:0:0:0:0:1'));
    assert.ok(!isSameAddress('127.0.0.1', '127.0.0.2'));
    assert.ok(!isSameAddress('127.0.0.1', 'localhost'));
  });
});
