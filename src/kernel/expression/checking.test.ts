import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { invalid, failureOf, localOf, pathOf, type Checking } from './checking.ts';
import type { Term } from './term.ts';
import { Failure, failed } from './value.ts';
import { INT, STRING } from './value-type.ts';

const outer = { name: 'x', slot: 0, type: INT, outer: undefined };
const inner = { name: 'y', slot: 1, type: STRING, outer };

function checking(parts: Partial<Checking> = {}): Checking {
  return {
    environment: new Map(),
    locals: inner,
    references: new Set(),
    problems: [],
    pattern: () => () => true,
    ...parts,
  };
}

const name = (text: string): Term & { kind: 'name' } => ({
  kind: 'name',
  name: text,
  start: 0,
  end: 1,
});
const member = (of: Term, text: string): Term & { kind: 'member' } => ({
  kind: 'member',
  of,
  name: text,
  start: 0,
  end: 1,
});

describe('what the checker carries', () => {
  test('a problem is noted at its term, with a hint only where there is one', () => {
    const state = checking();
    invalid(state, { start: 3 }, { code: 'expression_type', message: 'm' });
    invalid(state, { start: 4 }, { code: 'expression_unknown', message: 'n', hint: 'h' });
    assert.deepEqual(state.problems, [
      { code: 'expression_type', message: 'm', start: 3 },
      { code: 'expression_unknown', message: 'n', start: 4, hint: 'h' },
    ]);
  });

  test('a variable is found from the innermost outwards', () => {
    assert.equal(localOf(checking(), 'y'), inner);
    assert.equal(localOf(checking(), 'x'), outer);
    assert.equal(localOf(checking(), 'z'), undefined);
    assert.equal(localOf(checking({ locals: undefined }), 'x'), undefined);
    const shadowing = { ...inner, name: 'x' };
    assert.equal(localOf(checking({ locals: shadowing }), 'x'), shadowing);
  });

  test('a path begins with a name that is no variable', () => {
    const root = name('args');
    const first = member(root, 'a');
    const second = member(first, 'b');
    assert.deepEqual(pathOf(checking(), root), { root, members: [] });
    assert.deepEqual(pathOf(checking(), second), { root, members: [first, second] });
    assert.equal(pathOf(checking(), member(name('x'), 'a')), undefined);
    const literal: Term = { kind: 'literal', value: 1n, start: 0, end: 1 };
    assert.equal(pathOf(checking(), member(literal, 'a')), undefined);
  });

  test('a value that is not true or false fails, and a failure stays what it is', () => {
    const failure = failed('x');
    assert.equal(failureOf(failure), failure);
    const other = failureOf(1n);
    assert.ok(other instanceof Failure);
    assert.equal(other.message, 'the value is not true or false');
  });
});
