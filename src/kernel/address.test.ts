import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { formatAddress, parseAddress, parseAddressRange, type Reach, reachOf } from './address.ts';

function reach(text: string, ...allowed: readonly string[]): Reach | 'no address' {
  const address = parseAddress(text);
  const ranges = allowed.flatMap((range) => parseAddressRange(range) ?? []);
  assert.equal(ranges.length, allowed.length);
  return address === undefined ? 'no address' : reachOf(address, ranges);
}

const CASES: readonly (readonly [
  address: string,
  reach: Reach | 'no address',
  allowed?: string,
])[] = [
  ['93.184.216.34', 'public'],
  ['2606:2800:220:1::1', 'public'],
  ['0.0.0.0', 'refused'],
  ['10.1.2.3', 'refused'],
  ['10.1.2.3', 'named', '10.0.0.0/8'],
  ['11.0.0.0', 'public', '10.0.0.0/8'],
  ['100.64.0.1', 'refused'],
  ['127.0.0.1', 'refused'],
  ['127.0.0.1', 'named', '127.0.0.0/8'],
  ['172.16.0.1', 'refused'],
  ['172.32.0.1', 'public'],
  ['192.168.1.1', 'refused'],
  ['224.0.0.1', 'refused'],
  ['255.255.255.255', 'refused'],
  ['169.254.169.254', 'refused'],
  ['169.254.169.254', 'refused', '0.0.0.0/0'],
  ['169.254.169.254', 'named', '169.254.169.254/32'],
  ['::', 'refused'],
  ['::1', 'refused'],
  ['::1', 'named', '::1/128'],
  ['::ffff:10.0.0.1', 'refused'],
  ['::ffff:a00:1', 'named', '10.0.0.0/8'],
  ['::ffff:93.184.216.34', 'public'],
  ['64:ff9b::169.254.169.254', 'refused'],
  ['64:ff9b::169.254.169.254', 'refused', '::/0'],
  ['fe80::1', 'refused'],
  ['fd00::1', 'refused'],
  ['fd00:ec2::254', 'refused', 'fd00::/8'],
  ['2002:a00:1::1', 'refused'],
  ['2001:db8::1', 'refused'],
  ['2606:2800:220:1:0:5efe:a00:1', 'refused'],
  ['192.31.196.1', 'refused'],
  ['192.175.48.1', 'refused'],
  ['2620:4f:8000::1', 'refused'],
  ['ff02::1', 'refused'],
  ['010.0.0.1', 'no address'],
  ['10.1', 'no address'],
  ['0x7f.0.0.1', 'no address'],
  ['256.0.0.1', 'no address'],
  ['fe80::1%eth0', 'no address'],
  ['1::2::3', 'no address'],
  ['example.com', 'no address'],
  ['', 'no address'],
];

for (const [address, expected, allowed] of CASES) {
  test(`\`${address}\`${allowed === undefined ? '' : ` with ${allowed}`} is ${expected}`, () => {
    assert.equal(reach(address, ...(allowed === undefined ? [] : [allowed])), expected);
  });
}

test('a range needs an address and a length that fits', () => {
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'x/8',
    '/8',
  ]) {
    assert.equal(parseAddressRange(text), undefined, text);
  }
});

test('bytes are those of another library, in every spelling that it writes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const other = ipaddr.parse(text.includes('.') && text.includes(':') ? '::' : text);
      if (text.includes('.') && text.includes(':')) return;
      assert.deepEqual(parseAddress(text), other.toByteArray());
      assert.deepEqual(parseAddress(other.toString()), other.toByteArray());
      assert.equal(formatAddress(other.toByteArray()), other.toString());
    }),
    { numRuns: 1000 },
  );
});
