import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Explanation } from '../explain.ts';
import { parseInstant, type Instant } from '../instant.ts';
import { renderExplanation } from './render.ts';

function at(text: string): Instant {
  const instant = parseInstant(text);
  assert.ok(instant !== undefined);
  return instant;
}

const rule = (
  id: string,
  effect: string,
  file: string,
): NonNullable<Explanation['lines'][0]['rule']> => ({
  id,
  effect,
  position: { file, line: 12, column: 3 },
});

const BARE: Explanation = {
  verdict: 'admit',
  now: at('2026-11-22T08:00:00Z'),
  what: 'refund 1.00 EUR',
  target: 'pay',
  agent: 'bot',
  proposedAt: at('2026-11-22T07:59:30Z'),
  deadline: at('2026-11-23T08:00:00Z'),
  lines: [],
  runsWhen: [],
  or: [],
  shadow: [],
};

function linesOf(parts: Partial<Explanation>): readonly string[] {
  return renderExplanation({ ...BARE, ...parts }).split('\n');
}

describe('an explanation as text', () => {
  test('begins with what came of which action, and whose it is until when', () => {
    assert.deepEqual(linesOf({}), [
      'ADMITTED · refund 1.00 EUR · pay',
      'agent bot · proposed 07:59 · expires 2026-11-23 08:00 UTC',
    ]);
    assert.deepEqual(linesOf({ verdict: 'hold', environment: 'production', delegator: 'dana' }), [
      'HELD, not executed · refund 1.00 EUR · pay (production)',
      'agent bot for dana · proposed 07:59 · expires 2026-11-23 08:00 UTC',
    ]);
    assert.equal(linesOf({ verdict: 'deny' })[0], 'DENIED, not executed · refund 1.00 EUR · pay');
  });

  test('says of each rule its place, in columns, and of what is always asked nothing more', () => {
    assert.deepEqual(
      linesOf({
        lines: [
          { mark: 'met', rule: rule('short', 'allow', 'p.yaml'), text: 'one' },
          {
            mark: 'unmet',
            rule: rule('much-longer', 'require', '/etc/layer/rules/q.yaml'),
            text: 'two',
          },
          { mark: 'undetermined', text: 'three' },
        ],
      }).slice(2),
      [
        ' ✓ allow    short        p.yaml:12        one',
        ' ✗ require  much-longer  rules/q.yaml:12  two',
        ' ? three',
      ],
    );
  });

  const later = at('2026-11-22T10:30:00Z');
  const waits: readonly (readonly [string, Explanation['runsWhen'], readonly string[]])[] = [
    ['nothing', [], []],
    [
      'a person by an instant',
      [{ text: 'mei approves', by: later }],
      ['runs when: mei approves by 10:30 (runs at once)'],
    ],
    [
      'an instant',
      [{ text: 'the window opens', from: later }],
      ['runs when: the window opens, at 10:30 (runs at once)'],
    ],
    [
      'something',
      [{ text: 'the halt is lifted' }],
      ['runs when: the halt is lifted (runs at once)'],
    ],
    [
      'several things',
      [{ text: 'a' }, { text: 'b', from: at('2026-11-24T00:00:00Z') }],
      ['runs when all of this is so:', ' - a', ' - b, at 2026-11-24 00:00'],
    ],
  ];
  for (const [what, runsWhen, expected] of waits) {
    test(`says what it waits for: ${what}`, () => {
      assert.deepEqual(linesOf({ runsWhen }).slice(2), expected);
    });
  }

  const change = 'amount <= 20.00';
  const alternatives: readonly (readonly [string, Omit<Explanation['or'][0], 'change'>, string])[] =
    [
      [
        'nobody',
        { stillNeeds: [], unread: [], needsPeople: false },
        'or: amount <= 20.00 needs nobody',
      ],
      [
        'a window',
        { stillNeeds: ['window_closed'], unread: [], needsPeople: false },
        'or: amount <= 20.00 needs nobody, still waits for window_closed',
      ],
      [
        'people and a window',
        { stillNeeds: ['approval_missing', 'window_closed'], unread: [], needsPeople: true },
        'or: amount <= 20.00 still waits for approval_missing, window_closed',
      ],
      [
        'what was not read',
        { stillNeeds: [], unread: ['over_limit', 'fact_missing'], needsPeople: false },
        'or: amount <= 20.00 needs nobody (not read yet: over_limit, fact_missing)',
      ],
    ];
  for (const [what, parts, expected] of alternatives) {
    test(`says what a change would need: ${what}`, () => {
      assert.deepEqual(linesOf({ or: [{ change, ...parts }] }).slice(2), [expected]);
    });
  }

  test('ends with what rules in shadow would have done', () => {
    const shadow = [{ rule: rule('s', 'deny', 'a/b/p.yaml'), would: 'deny' as const }];
    assert.deepEqual(linesOf({ shadow }).slice(2), ['in shadow: s (b/p.yaml:12) would deny']);
  });
});
