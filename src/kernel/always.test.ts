import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { exampleOf, local, operation, plain, type Example } from '../../test/laws/examples.ts';
import { ACTION_ID, EARLIER_ID, hours, LATER_ID, NOW, REFUND } from '../../test/laws/world.ts';
import type { Action, Resolution } from './action.ts';
import { standingDrafts } from './always.ts';
import type { DecisionInput, Redemption } from './decision.ts';
import { digestOf, type Digest } from './digest.ts';
import { effectKeyOf } from './effect.ts';
import { instantOf } from './instant.ts';
import type { Target } from './inventory.ts';

type Change = (input: DecisionInput) => DecisionInput;

const impossible = (code: string): unknown => ({ code, status: 'impossible' });

function action(changes: Partial<Action>): Change {
  return (input) => ({ ...input, action: { ...input.action, ...changes } });
}

function together(...changes: readonly Change[]): Change {
  return (input) => changes.reduce((so, change) => change(so), input);
}

// ---------------------------------------------------------------- what stands in the way

function resolved(changes: Partial<Resolution>): Change {
  return (input) =>
    input.resolution.kind === 'known'
      ? {
          ...input,
          resolution: { kind: 'known', value: { ...input.resolution.value, ...changes } },
        }
      : input;
}

function target(changes: Partial<Target>): Change {
  return (input) =>
    input.target === undefined ? input : { ...input, target: { ...input.target, ...changes } };
}

const FILE: Digest = digestOf('exequatur/effect/v1', 'a file');
const OTHER: Digest = digestOf('exequatur/effect/v1', 'another file');

const undetermined = (code: string): unknown => ({
  code,
  status: 'undetermined',
  waitsFor: 'fact',
});
const moved = (actual: string | null, needed: string): unknown => ({
  code: 'identity_mismatch',
  status: 'unmet',
  actual,
  needed,
  waitsFor: 'fact',
});
const CHANGED = { code: 'pinned_file_changed', status: 'unmet', waitsFor: 'fact' };
const busyEffect = (waitsFor: string): unknown => ({
  code: 'effect_busy',
  status: 'unmet',
  actual: EARLIER_ID,
  waitsFor,
});
const WAITS_FOR_EFFECT = `effect:${FILE}`;
const BUSY = { code: 'target_busy', status: 'unmet', waitsFor: 'conflict:pay' };
const STALE = {
  code: 'target_busy',
  status: 'undetermined',
  at: NOW + 1,
  waitsFor: 'conflict:pay',
};
const NOT_REDEEMED = { code: 'permit_not_redeemed', status: 'unmet', waitsFor: 'redemption' };

const CELL: Target['executor'] = {
  kind: 'permit',
  audience: 'cell',
  validForMs: 60_000,
  settleWithinMs: 60_000,
};
const LIVE = { executor: { name: 'cell', live: true } };

function redeemed(
  changes: Partial<Redemption>,
  account: Parameters<typeof local>[0] = LIVE,
): Change {
  return together(target({ executor: CELL }), local(account), (input) => ({
    ...input,
    redemption: {
      by: 'cell',
      effect: input.resolution.kind === 'known' ? input.resolution.value.effect : FILE,
      expiresAt: hours(1),
      ...changes,
    },
  }));
}

type Standing = readonly [string, Example, readonly unknown[]];

const SYSTEM: readonly Standing[] = [
  ['a system that is the locked one is fine', {}, []],
  [
    'a system that was not asked yet is not known',
    { sample: { resolution: 'absent' } },
    [undetermined('resolution_failed')],
  ],
  [
    'what another definition of the operation resolved is not known',
    { change: resolved({ operation: FILE }) },
    [undetermined('resolution_failed')],
  ],
  [
    'another system than the locked one is',
    { change: resolved({ identity: 'acct_2' }) },
    [moved('acct_2', 'acct_1')],
  ],
  [
    'a system that does not say who it is where the lock file does',
    { change: resolved({ identity: null }) },
    [moved(null, 'acct_1')],
  ],
  [
    'another environment than the locked one is',
    { change: target({ locked: { environment: 'staging', files: {} } }) },
    [moved('production', 'staging')],
  ],
  [
    'the locked environment is not',
    { change: target({ locked: { environment: 'production', files: {} } }) },
    [],
  ],
  [
    'without a lock no system is another one',
    {
      change: (input) => {
        if (input.target === undefined) return input;
        const { locked: _locked, ...open } = input.target;
        return resolved({ identity: 'acct_2', files: { '/srv/tool': OTHER } })({
          ...input,
          target: open,
        });
      },
    },
    [],
  ],
  [
    'each file that is not the locked one is',
    {
      change: together(
        target({ locked: { files: { '/a': FILE, '/b': FILE, '/c': FILE } } }),
        resolved({ files: { '/c': OTHER, '/b': FILE, '/a': OTHER, '/new': OTHER } }),
      ),
    },
    [CHANGED, CHANGED],
  ],
  [
    'a file with the name of what every object has is not locked',
    { change: resolved({ files: { constructor: OTHER } }) },
    [],
  ],
];

const PREVIEW: readonly Standing[] = [
  ['a preview that failed is', { sample: { preview: 'failed' } }, [undetermined('preview_failed')]],
  [
    'a preview that was not read yet is',
    { sample: { preview: 'absent' } },
    [undetermined('preview_failed')],
  ],
  [
    'a system that gave no preview is',
    { sample: { preview: 'none' } },
    [undetermined('preview_failed')],
  ],
  [
    'no preview is fine where the operation has none',
    {
      sample: { operation: 'stop' },
      change: (input) => ({ ...input, preview: { kind: 'absent' } }),
    },
    [],
  ],
];

const TIME: readonly Standing[] = [
  [
    'too early is, until then',
    { change: action({ notBefore: instantOf(NOW + 1) }) },
    [{ code: 'not_before', status: 'unmet', at: NOW + 1, waitsFor: 'time' }],
  ],
  ['the first instant is not', { change: action({ notBefore: NOW }) }, []],
  [
    'a first instant at the deadline will never come',
    { change: action({ notBefore: hours(4) }) },
    [impossible('not_before')],
  ],
  [
    'a first instant just before the deadline will',
    { change: action({ notBefore: instantOf(hours(4) - 1) }) },
    [{ code: 'not_before', status: 'unmet', at: hours(4) - 1, waitsFor: 'time' }],
  ],
];

function effectKey(input: DecisionInput): DecisionInput {
  return { ...input, effectKey: FILE };
}

const EFFECTS: readonly Standing[] = [
  [
    'that it was done already is for good',
    { sample: { effect: { action: EARLIER_ID, state: 'succeeded' } } },
    [{ code: 'already_done', status: 'impossible', actual: EARLIER_ID }],
  ],
  [
    'an earlier held action with the same effect goes first',
    { sample: { effect: { action: EARLIER_ID, state: 'held' } }, change: effectKey },
    [busyEffect(WAITS_FOR_EFFECT)],
  ],
  ['a later held one does not', { sample: { effect: { action: LATER_ID, state: 'held' } } }, []],
  [
    'an action is not in its own way',
    { sample: { effect: { action: ACTION_ID, state: 'held' } } },
    [],
  ],
  [
    'whoever executes the same effect is in the way, however late it came',
    { sample: { effect: { action: LATER_ID, state: 'executing' } }, change: effectKey },
    [{ code: 'effect_busy', status: 'unmet', actual: LATER_ID, waitsFor: WAITS_FOR_EFFECT }],
  ],
  [
    'what only reads has no effect to name',
    {
      sample: { effect: { action: EARLIER_ID, state: 'unknown' } },
      change: operation({ kind: 'data.read' }),
    },
    [busyEffect('effect:')],
  ],
];

const CONFLICTS: readonly Standing[] = [
  ['another action that executes there is', { sample: { executing: true } }, [BUSY]],
  ['the action itself is not', { change: local({ conflict: { executing: ACTION_ID } }) }, []],
  [
    'of one that executes, what settled before is not said as well',
    { change: local({ conflict: { executing: EARLIER_ID, settledAt: NOW } }) },
    [BUSY],
  ],
  [
    'what settled at the instant of the preview makes it stale',
    { change: local({ conflict: { settledAt: hours(-0.001) } }) },
    [STALE],
  ],
  [
    'what settled before the preview does not',
    { change: local({ conflict: { settledAt: instantOf(hours(-0.001) - 1) } }) },
    [],
  ],
  [
    'what was not previewed cannot be stale',
    { sample: { preview: 'none' }, change: local({ conflict: { settledAt: NOW } }) },
    [undetermined('preview_failed')],
  ],
  [
    'what could not be previewed neither',
    { sample: { preview: 'failed' }, change: local({ conflict: { settledAt: NOW } }) },
    [undetermined('preview_failed')],
  ],
  [
    'a target that checks the previewed state itself is not serialised',
    { sample: { operation: 'purge', executing: true } },
    [],
  ],
  [
    'an operation without a preview neither',
    { sample: { operation: 'stop', executing: true }, change: operation({ safing: false }) },
    [],
  ],
  [
    'a safing operation neither',
    { sample: { executing: true }, change: operation({ safing: true }) },
    [],
  ],
];

const PERMITS: readonly Standing[] = [
  ['a permit redeemed in time by whom it is for is fine', { change: redeemed({}) }, []],
  ['only an executor elsewhere redeems', { change: local(LIVE) }, []],
  [
    'a permit that nobody redeems is',
    { change: together(target({ executor: CELL }), local(LIVE)) },
    [NOT_REDEEMED],
  ],
  ['an executor without an account is', { change: redeemed({}, {}) }, [NOT_REDEEMED]],
  [
    'the account of another executor is',
    { change: redeemed({}, { executor: { name: 'other', live: true } }) },
    [NOT_REDEEMED],
  ],
  [
    'a revoked executor is',
    { change: redeemed({}, { executor: { name: 'cell', live: false } }) },
    [NOT_REDEEMED],
  ],
  ['another redeemer is', { change: redeemed({ by: 'other' }) }, [NOT_REDEEMED]],
  ['a permit at its end is', { change: redeemed({ expiresAt: NOW }) }, [NOT_REDEEMED]],
  [
    'a permit just before its end is not',
    { change: redeemed({ expiresAt: instantOf(NOW + 1) }) },
    [],
  ],
  ['a permit for another effect is', { change: redeemed({ effect: FILE }) }, [NOT_REDEEMED]],
  [
    'where the effect is not known, only that is said',
    { sample: { resolution: 'absent' }, change: redeemed({ effect: OTHER }) },
    [undetermined('resolution_failed')],
  ],
];

for (const [what, cases] of Object.entries({
  SYSTEM,
  PREVIEW,
  TIME,
  EFFECTS,
  CONFLICTS,
  PERMITS,
})) {
  describe(`what stands in the way (${what.toLowerCase()})`, () => {
    for (const [title, example, expected] of cases) {
      test(title, () =>
        assert.deepEqual(plain(standingDrafts(exampleOf(example).input)), expected),
      );
    }
  });
}

function whyUnresolved(resolution: 'absent' | 'failed'): string {
  return standingDrafts(exampleOf({ sample: { resolution } }).input)[0]?.message ?? '';
}

test('what stands in the way is said with what a system answered, or that it was not asked', () => {
  assert.match(whyUnresolved('failed'), /: no route$/u);
  assert.match(whyUnresolved('absent'), /: was not asked yet$/u);
});

test('another system and another environment are told apart', () => {
  const change = together(
    target({ locked: { identity: 'acct_1', environment: 'staging', files: {} } }),
    resolved({ identity: 'acct_2' }),
  );
  assert.deepEqual(
    standingDrafts(exampleOf({ change }).input).map(({ message }) => message),
    [
      'system is `acct_2`, the lock file says `acct_1`',
      'environment is `production`, the lock file says `staging`',
    ],
  );
});

test('of several changed files the one that sorts first is said first', () => {
  const change = together(
    target({ locked: { files: { '/a': FILE, '/b': FILE } } }),
    resolved({ files: { '/b': OTHER, '/a': OTHER } }),
  );
  const messages = standingDrafts(exampleOf({ change }).input).map(({ message }) => message);
  assert.match(messages.join('\n'), /\/a .*\n.*\/b /u);
});

test('the effect that is waited for is worked out where the input does not name it', () => {
  const sample = { effect: { action: EARLIER_ID, state: 'held' } } as const;
  const [draft] = standingDrafts(exampleOf({ sample }).input);
  const key = effectKeyOf(REFUND, { amount: '10.00', charge: 'ch_3P' });
  assert.equal(draft?.waitsFor, `effect:${key ?? ''}`);
});
