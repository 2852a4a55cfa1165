import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signingKey } from '../../test/ledger/sample-log.ts';
import { writeVerifierKey } from './note.ts';
import {
  isQuorum,
  readTrustPolicy,
  TRUST_POLICY_BYTES_MAX,
  TrustPolicyError,
  type TrustPolicy,
} from './trust-policy.ts';

const LOG = writeVerifierKey(signingKey('ledger.example/shop'));
const OTHER = writeVerifierKey(signingKey('ledger.example/shop'));
const WITNESSES = Array.from({ length: 260 }, (_, index) =>
  writeVerifierKey(signingKey(`w${String(index)}`, 'cosignature')),
);
const [W0 = '', W1 = '', W2 = ''] = WITNESSES;

function read(...lines: readonly string[]): TrustPolicy {
  return readTrustPolicy(new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')));
}

function blanks(bytes: number): Uint8Array {
  const text = 'quorum none\n';
  return new TextEncoder().encode(text + '\n'.repeat(bytes - text.length));
}

describe('the key policy', () => {
  test('is read with comments, blanks, urls and keys in rotation', () => {
    const policy = read(
      '# whom we trust',
      '',
      `  log\t${LOG}   https://ledger.example/shop`,
      `log ${OTHER}`,
      ' \t# a witness',
      `witness west ${W0} https://w.example`,
      'quorum west',
    );
    assert.deepEqual(
      policy.logs.map(({ name }) => name),
      ['ledger.example/shop', 'ledger.example/shop'],
    );
    assert.deepEqual(policy.quorum, { kind: 'witness', name: 'west' });
  });

  test('counts groups of groups', () => {
    const { quorum } = read(
      `witness a ${W0}`,
      `witness b ${W1}`,
      `witness c ${W2}`,
      'group two any a b',
      'group all-of-it 2 two c',
      'quorum all-of-it',
    );
    for (const [names, enough] of [
      [[], false],
      [['a', 'b'], false],
      [['c'], false],
      [['a', 'c'], true],
      [['b', 'c'], true],
    ] as const) {
      assert.equal(isQuorum(quorum, new Set(names)), enough, names.join(' '));
    }
  });

  test('asks nobody only where it says so', () => {
    assert.equal(isQuorum(read('quorum none').quorum, new Set()), true);
    assert.throws(() => read(`log ${LOG}`), /there is no quorum line/u);
  });

  for (const [lines, message] of [
    [['logs x'], 'line 1: `logs` is not log, witness, group or quorum'],
    [['log'], 'line 1: a log line is `log VKEY [URL]`'],
    [[`log ${LOG} url more`], 'line 1: a log line is `log VKEY [URL]`'],
    [[`log ${LOG}`, `log ${LOG}`], 'line 2: the key stands twice'],
    [[`log ${W0}`], 'line 1: the key is of the wrong type for a log'],
    [[`witness a ${LOG}`], 'line 1: the key is of the wrong type for a cosignature'],
    [[`witness a ${W0}`, `witness b ${W0}`], 'line 2: the key stands twice'],
    [[`witness a ${W0}`, `witness a ${W1}`], 'line 2: `a` is defined twice'],
    [[`witness none ${W0}`], 'line 1: `none` is no name of a witness or group'],
    [['witness a x+00000000+AAAA'], 'line 1: no ed25519 verifier key'],
    [['group g all a'], 'line 1: `a` is not defined above'],
    [['group g all none'], 'line 1: `none` is not defined above'],
    [['group g all'], 'line 1: a group line is `group NAME all|any|K NAME...`'],
    [[`witness a ${W0}`, 'group g 2 a'], 'line 2: a group asks for more than its members'],
    [[`witness a ${W0}`, 'group g 0 a'], 'line 2: a group asks for `all`, `any` or a number'],
    [
      [`witness a ${W0}`, 'group g constructor a'],
      'line 2: a group asks for `all`, `any` or a number',
    ],
    [[`witness a ${W0}`, 'group g 01 a'], 'line 2: a group asks for `all`, `any` or a number'],
    [[`witness a ${W0}`, 'group g 1 a a'], 'line 2: `a` is a member already'],
    [[`witness a ${W0}`, 'group g any a', 'group h any a'], 'line 3: `a` is a member already'],
    [['quorum a'], 'line 1: `a` is not defined above'],
    [['quorum none', 'quorum none'], 'line 2: there are two quorum lines'],
    [['quorum none more'], 'line 1: a quorum line is `quorum NAME`'],
    [['quorum none\r'], 'line 1: a control character'],
    [['\ufeffquorum none'], 'line 1: `\ufeffquorum` is not log, witness, group or quorum'],
  ] as const) {
    test(`is refused: ${message}`, () => {
      assert.throws(
        () => read(...lines),
        (error) => error instanceof TrustPolicyError && error.message === message,
      );
    });
  }

  test('has limits: 256 witnesses are read with their groups, and bytes as they say', () => {
    const many = WITNESSES.slice(0, 256).map((key, index) => `witness w${String(index)} ${key}`);
    const group = `group g 200 ${many.map((_, index) => `w${String(index)}`).join(' ')}`;
    assert.equal(read(...many, group, 'quorum g').witnesses.length, 256);
    const more = WITNESSES.map((key, index) => `witness w${String(index)} ${key}`);
    assert.throws(() => read(...more, 'quorum none'), TrustPolicyError);
    readTrustPolicy(blanks(TRUST_POLICY_BYTES_MAX));
    assert.throws(() => readTrustPolicy(blanks(TRUST_POLICY_BYTES_MAX + 1)), TrustPolicyError);
    assert.throws(() => readTrustPolicy(Uint8Array.of(0xff, 0x0a)), /not utf-8/u);
    assert.throws(() => readTrustPolicy(new TextEncoder().encode('quorum none')), /line 1/u);
  });
});
