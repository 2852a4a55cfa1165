import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  formatAddress,
  isSameAddress,
  parseAddress,
  parseAddressRange,
  type Reach,
  reachOf,
} from './address.ts';

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
  ['::ffff:a00:1', 'named', '::ffff:0:0/96'],
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

test('an address is as long as the longest spelling, and no longer', () => {
  const longest = '0000:0000:0000:0000:0000:ffff:255.255.255.255';
  assert.equal(longest.length, 45);
  assert.notEqual(parseAddress(longest), undefined);
  assert.equal(parseAddress(`${longest}0`), undefined);
  assert.equal(parseAddress('0'.repeat(42) + '::1'), undefined);
});

test('what only holds an address is none', () => {
  for (const text of [
    'x1.2.3.4',
    '1.2.3.4x',
    '1.2.3.4.5',
    '[::1]',
    'x::1',
    '::1x',
    '1.2.3.1000',
    // To the URL parser these would be an address and a path.
    '::1]/x',
    '::1]/x::1',
    '[x]/::1',
    '::1\n',
  ]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

test('two spellings of one address are the same, also where one maps it into IPv6', () => {
  assert.ok(isSameAddress('10.0.0.1', '10.0.0.1'));
  assert.ok(isSameAddress('::1', '0:0::0001'));
  assert.ok(isSameAddress('10.0.0.1', '::ffff:a00:1'));
  assert.ok(isSameAddress('::ffff:10.0.0.1', '10.0.0.1'));
  assert.ok(!isSameAddress('10.0.0.1', '10.0.0.2'));
  assert.ok(!isSameAddress('::ffff:10.0.0.1', '::ffff:10.0.0.2'));
  assert.ok(!isSameAddress('::1', '::2'));
  // A translated address leads there, but is another one.
  assert.ok(!isSameAddress('64:ff9b::a00:1', '10.0.0.1'));
  assert.ok(!isSameAddress('example', 'example'));
  assert.ok(!isSameAddress('10.0.0.1', 'example'));
  assert.ok(!isSameAddress('example', '10.0.0.1'));
});

test('a range covers what has its first bits, and nothing else', () => {
  for (const [range, inside, outside] of [
    ['10.16.0.0/12', ['10.16.0.0', '10.31.255.255'], ['10.15.255.255', '10.32.0.0']],
    ['10.0.0.0/31', ['10.0.0.0', '10.0.0.1'], ['10.0.0.2', '10.0.1.1']],
    ['10.0.0.7/32', ['10.0.0.7'], ['10.0.0.6', '10.0.0.8']],
    ['10.0.0.0/0', ['0.0.0.1', '192.168.0.1'], ['::1']],
    ['fd00:0:0:8000::/49', ['fd00:0:0:ffff::1'], ['fd00:0:0:7fff::1', 'fd00:0:1:8000::1']],
    ['::/0', ['::1', 'fd00::1'], ['10.0.0.1']],
    ['::/128', ['::'], ['::1']],
  ] as const) {
    for (const address of inside)
      assert.equal(reach(address, range), 'named', `${address} ${range}`);
    for (const address of outside) {
      assert.equal(reach(address, range), 'refused', `${address} ${range}`);
    }
  }
});

test('a range is a whole range', () => {
  for (const text of [
    '10.0.0.0/8 ',
    '10.0.0.0/x8',
    '10.0.0.0/8x',
    '10.0.0.0/1000',
    '10.0.0.0/0008',
    '10.0.0.0/',
  ]) {
    assert.equal(parseAddressRange(text), undefined, text);
  }
  assert.deepEqual(parseAddressRange('10.0.0.0/32'), { network: [10, 0, 0, 0], bits: 32 });
});

/** Where clouds hand out credentials; not even a range of everything means them. */
const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
];

for (const address of METADATA) {
  test(`\`${address}\` is reached only by its own name`, () => {
    assert.equal(reach(address), 'refused');
    assert.equal(reach(address, '0.0.0.0/0', '::/0'), 'refused');
    const bits = address.includes(':') ? 128 : 32;
    assert.equal(reach(address, `${address}/${String(bits)}`), 'named');
    assert.equal(reach(address, `${address}/${String(bits - 1)}`), 'refused');
    if (bits === 128) return;
    for (const wrapped of [`::ffff:${address}`, `64:ff9b::${address}`]) {
      assert.equal(reach(wrapped, '::/0'), 'refused', wrapped);
      assert.equal(reach(wrapped, `${address}/32`), 'named', wrapped);
    }
  });
}

/** Each range that is not public: its last address before, first, last, and first after, where these are public. */
const EDGES: readonly (readonly [before: string, first: string, last: string, after: string])[] = [
  ['', '0.0.0.0', '0.255.255.255', '1.0.0.0'],
  ['9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0'],
  ['100.63.255.255', '100.64.0.0', '100.127.255.255', '100.128.0.0'],
  ['126.255.255.255', '127.0.0.0', '127.255.255.255', '128.0.0.0'],
  ['168.63.129.15', '168.63.129.16', '168.63.129.16', '168.63.129.17'],
  ['169.253.255.255', '169.254.0.0', '169.254.255.255', '169.255.0.0'],
  ['172.15.255.255', '172.16.0.0', '172.31.255.255', '172.32.0.0'],
  ['191.255.255.255', '192.0.0.0', '192.0.0.255', '192.0.1.0'],
  ['192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'],
  ['192.31.195.255', '192.31.196.0', '192.31.196.255', '192.31.197.0'],
  ['192.52.192.255', '192.52.193.0', '192.52.193.255', '192.52.194.0'],
  ['192.88.98.255', '192.88.99.0', '192.88.99.255', '192.88.100.0'],
  ['192.167.255.255', '192.168.0.0', '192.168.255.255', '192.169.0.0'],
  ['192.175.47.255', '192.175.48.0', '192.175.48.255', '192.175.49.0'],
  ['198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'],
  ['198.51.99.255', '198.51.100.0', '198.51.100.255', '198.51.101.0'],
  ['203.0.112.255', '203.0.113.0', '203.0.113.255', '203.0.114.0'],
  ['223.255.255.255', '224.0.0.0', '255.255.255.255', ''],
  ['', '::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ''],
  ['', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:200::'],
  ['2001:db7:ffff::', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db9::'],
  ['2001:ffff::', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2003::'],
  ['2620:4f:7fff::', '2620:4f:8000::', '2620:4f:8000:ffff:ffff:ffff:ffff:ffff', '2620:4f:8001::'],
  ['3ffe::', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', '3fff:1000::'],
  ['', '4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ''],
];

for (const [before, first, last, after] of EDGES) {
  test(`from \`${first}\` to \`${last}\` nothing is public, and what is beside it is`, () => {
    for (const address of [first, last]) assert.equal(reach(address), 'refused', address);
    for (const address of [before, after]) {
      if (address !== '') assert.equal(reach(address), 'public', address);
    }
  });
}

test('an interface that tunnels to an IPv4 address is not public, whatever its other bits say', () => {
  for (const [address, expected] of [
    ['2606::5efe:808:808', 'refused'],
    ['2606::200:5efe:808:808', 'refused'],
    ['2606::300:5efe:808:808', 'public'],
    ['2606::100:5efe:808:808', 'public'],
    ['2606::1:5efe:808:808', 'public'],
    ['2606::5eff:808:808', 'public'],
    ['2606::5ffe:808:808', 'public'],
    ['2606::0400:5efe:808:808', 'public'],
  ] as const) {
    assert.equal(reach(address), expected, address);
  }
});
