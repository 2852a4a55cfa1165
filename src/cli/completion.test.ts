import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';

import { COMMANDS } from './command-table.ts';
import { completionOf, SHELLS } from './completion.ts';
import { optionsOf } from './program.ts';

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;
const scriptOf = (shell: (typeof SHELLS)[number]): string =>
  completionOf(shell, { commands: COMMANDS, optionsOf });

function complete(...words: readonly string[]): readonly string[] {
  const program = `${scriptOf('bash')}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _exequatur; echo "\${COMPREPLY[@]}"`;
  const done = spawnSync('bash', ['-c', program, 'bash', 'exequatur', ...words], {
    encoding: 'utf8',
  });
  assert.equal(done.stderr, '');
  return done.stdout.trim().split(' ');
}

describe('bash', { skip: !has('bash') }, () => {
  test('the script has no fault that bash sees', () => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: scriptOf('bash') });
    assert.equal(status, 0, stderr.toString());
  });

  test('words of one, two and three are completed, and options where a command stands', () => {
    assert.deepEqual(complete('expl'), ['explain']);
    assert.deepEqual(complete('agent', 're'), ['revoke']);
    assert.deepEqual(complete('agent', 'key', 'l'), ['list']);
    assert.deepEqual(complete('agent', 'add', '--own'), ['--owner']);
    assert.deepEqual(complete('agent', 'add', 'bot', '--own'), ['--owner']);
    assert.deepEqual(complete('nothing-like-it'), ['']);
    for (const { name } of COMMANDS) {
      const words = name.split(' ');
      assert.ok(complete(...words).includes(words.at(-1) ?? ''), name);
    }
  });
});

for (const shell of ['zsh', 'fish'] as const) {
  test(`the script has no fault that ${shell} sees`, { skip: !has(shell) }, () => {
    const { status, stderr } = spawnSync(shell, ['-n'], { input: scriptOf(shell) });
    assert.equal(status, 0, stderr.toString());
  });
}

test('every command stands in every script', () => {
  for (const shell of SHELLS) {
    const script = scriptOf(shell);
    for (const { name } of COMMANDS) {
      for (const word of name.split(' ')) assert.ok(script.includes(word), `${shell} ${name}`);
    }
  }
});
