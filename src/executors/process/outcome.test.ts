import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { programOutcome } from './outcome.ts';
import type { ProgramEnd } from './program.ts';

const ENDED: Extract<ProgramEnd, { readonly kind: 'ended' }> = {
  kind: 'ended',
  exitCode: 0,
  signal: null,
  endedBy: undefined,
  leftBehind: false,
  gone: true,
  stdout: Buffer.from(''),
  stderr: Buffer.from(''),
};

describe('outcomes of programs', () => {
  test('a program that cannot be ended is unknown, whatever it or the operation says', () => {
    const exits = { 0: 'succeeded', timeout: 'failed', still_running: 'failed' } as const;
    for (const endedBy of [undefined, 'timeout'] as const) {
      const { state, code } = programOutcome({ ...ENDED, endedBy, gone: false }, exits);
      assert.deepEqual([state, code], ['unknown', 'still_running']);
    }
  });

  test('a limit of the layer outranks the code with which the program obeyed it', () => {
    const { state, code } = programOutcome({ ...ENDED, endedBy: 'timeout' }, {});
    assert.deepEqual([state, code], ['unknown', 'timeout']);
  });
});
