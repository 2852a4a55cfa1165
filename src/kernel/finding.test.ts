import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Finding } from './decision.ts';
import { digestOf } from './digest.ts';
import { compareFindings, compareText, NO_DRAFTS, shown } from './finding.ts';

function finding(parts: Partial<Finding>): Finding {
  return { code: 'halted', status: 'unmet', message: 'm', ...parts };
}

function rule(id: string): Pick<Finding, 'rule'> {
  return { rule: { id } as NonNullable<Finding['rule']> };
}

test('a value is shown as people read it, and cut where it is long', () => {
  assert.equal(shown(12_431), '12,431');
  assert.equal(shown(-1_000_000), '-1,000,000');
  assert.equal(shown(999), '999');
  assert.equal(shown(1234.5), '1234.5');
  assert.equal(shown(0.1234567), '0.1234567');
  assert.equal(shown(null), 'none');
  assert.equal(shown('text'), 'text');
  assert.equal(shown('a\u0000b\u202ec'), 'a�b�c');
  assert.equal(shown([1, 'a']), '[1,"a"]');
  assert.equal(shown('x'.repeat(80)), 'x'.repeat(80));
  assert.equal(shown('x'.repeat(81)), `${'x'.repeat(79)}…`);
});

test('findings are ordered by precedence, then rule, requirement and message', () => {
  const [one, two] = [
    digestOf('exequatur/requirement/v1', 1),
    digestOf('exequatur/requirement/v1', 2),
  ];
  const [first, second] = one < two ? [one, two] : [two, one];
  const ordered = [
    finding({ code: 'payload_mismatch', message: 'z', ...rule('z') }),
    finding({ message: 'z' }),
    finding({ message: 'z', requirement: first }),
    finding({ message: 'a', ...rule('a') }),
    finding({ message: 'b', ...rule('a') }),
    finding({ message: 'b', ...rule('a'), requirement: first }),
    finding({ message: 'a', ...rule('a'), requirement: second }),
    finding({ message: 'a', ...rule('b') }),
  ];
  assert.deepEqual(ordered.toReversed().sort(compareFindings), ordered);
  for (const each of ordered) assert.equal(compareFindings(each, each), 0);
});

test('texts are ordered by their units', () => {
  assert.equal(compareText('a', 'b'), -1);
  assert.equal(compareText('b', 'a'), 1);
  assert.equal(compareText('a', 'a'), 0);
});

test('no drafts are nobody’s to change', () => {
  assert.deepEqual(NO_DRAFTS, []);
  assert.ok(Object.isFrozen(NO_DRAFTS));
});
