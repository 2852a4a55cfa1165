import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { guarded, painterFor, table } from './terminal.ts';

function output(isTTY: boolean): Writable & { readonly isTTY: boolean } {
  return Object.assign(new Writable(), { isTTY });
}

test('colours are for terminals, and NO_COLOR turns them off', () => {
  const painted = '\u001B[32mgood\u001B[39m';
  assert.equal(painterFor(output(true), {})('good', 'good'), painted);
  assert.equal(painterFor(output(true), { NO_COLOR: '' })('good', 'good'), painted);
  assert.equal(painterFor(output(true), { NO_COLOR: '1' })('good', 'good'), 'good');
  assert.equal(painterFor(output(true), { TERM: 'dumb' })('good', 'good'), 'good');
  assert.equal(painterFor(output(false), {})('good', 'good'), 'good');
});

test('columns line up whatever is coloured and however wide its characters are', () => {
  const paint = painterFor(output(true), {});
  const lines = table([
    ['NAME', 'STATE', 'NOTE'],
    ['支払い', paint('bad', 'denied'), 'x'],
    ['a', 'held', ''],
  ]);
  assert.deepEqual(lines, [
    'NAME    STATE   NOTE',
    '支払い  \u001B[31mdenied\u001B[39m  x',
    'a       held',
  ]);
  assert.deepEqual(table([]), []);
});

test('whatever a command forgot to make safe, only its own colours reach the terminal', () => {
  const paint = painterFor(output(true), {});
  assert.equal(guarded(`${paint('bad', 'no\u001B[2J')}\n`), '\u001B[31mno‹U+001B›[2J\u001B[39m\n');
});
