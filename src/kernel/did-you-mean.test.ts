import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { didYouMean, nearest } from './did-you-mean.ts';

type Case = readonly [string, string, readonly string[], string | undefined];

const NEAREST: readonly Case[] = [
  ['the name itself', 'rows', ['rows'], 'rows'],
  ['one that differs in case', 'ROWS', ['rows'], 'rows'],
  ['one that is written in capitals', 'rows', ['ROWS'], 'ROWS'],
  ['one letter more', 'rows', ['rowss'], 'rowss'],
  ['one letter more in front', 'rows', ['arows'], 'arows'],
  ['one letter less', 'rows', ['ows'], 'ows'],
  ['another letter', 'rows', ['rowx'], 'rowx'],
  ['two neighbours swapped at the beginning', 'rows', ['orws'], 'orws'],
  ['two neighbours swapped at the end', 'rows', ['rosw'], 'rosw'],
  ['two neighbours swapped in between', 'rows', ['rwos'], 'rwos'],
  ['no two that are swapped across another', 'rows', ['swor'], undefined],
  ['two steps of four letters', 'rows', ['rosx'], undefined],
  ['two steps of five letters', 'count', ['coxxt'], undefined],
  ['two steps of six letters', 'amount', ['amoxxt'], 'amoxxt'],
  ['three steps of six letters', 'amount', ['amxxxt'], undefined],
  ['three steps of nine letters', 'recipient', ['recipixxx'], 'recipixxx'],
  ['four steps of nine letters', 'recipient', ['recipxxxx'], undefined],
  ['four steps of twelve letters', 'counterparty', ['counterpxxxx'], undefined],
  ['three letters more of nine', 'recipient', ['recipientxxx'], 'recipientxxx'],
  ['four letters more of twelve', 'counterparty', ['counterpartyxxxx'], undefined],
  ['two swaps of six letters', 'amount', ['maoutn'], 'maoutn'],
  ['a swap and a letter of six', 'amount', ['maounx'], 'maounx'],
  ['one step of two letters', 'ab', ['ax'], 'ax'],
  ['two steps of two letters', 'ab', ['xy'], undefined],
  ['a letter itself', 'A', ['a'], 'a'],
  ['another letter alone', 'x', ['y'], undefined],
  ['nothing for nothing', '', ['y'], undefined],
  ['the nearest of several', 'amount', ['amoxxt', 'amounx', 'axoxnt'], 'amounx'],
  ['of equals the first', 'rows', ['rowx', 'rowy'], 'rowx'],
  ['one of 64 letters', 'x'.repeat(64), ['x'.repeat(64)], 'x'.repeat(64)],
  ['none of 65 letters', 'x'.repeat(64), ['x'.repeat(65)], undefined],
  ['none for a name of 65', 'x'.repeat(65), ['x'.repeat(64)], undefined],
];

describe('near to a name is', () => {
  for (const [title, name, known, expected] of NEAREST) {
    test(title, () => assert.equal(nearest(name, known), expected));
  }
});

/** Steps from one text to the other, by the definition. */
function steps(from: string, to: string): number {
  if (from === '' || to === '') return from.length + to.length;
  const [a = '', b = ''] = from;
  const [c = '', d = ''] = to;
  const swap =
    a === d && b === c && from.length > 1 && to.length > 1
      ? 1 + steps(from.slice(2), to.slice(2))
      : Infinity;
  if (a === c) return Math.min(swap, steps(from.slice(1), to.slice(1)));
  return Math.min(
    swap,
    1 + steps(from.slice(1), to.slice(1)),
    1 + steps(from.slice(1), to),
    1 + steps(from, to.slice(1)),
  );
}

test('near is what few steps lead to: one of up to 5 letters, two of up to 8, else three', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 2, maxLength: 9 });
  const edit = fc.record({ at: fc.nat(9), letter: fc.constantFrom('', 'a', 'b', 'ba', 'cab') });
  const near = fc.tuple(word, fc.array(edit, { maxLength: 3 })).map(([name, edits]) => {
    const letters = Array.from(name);
    for (const { at, letter } of edits) letters[at % letters.length] = letter;
    return [name, letters.join('')] as const;
  });
  fc.assert(
    fc.property(fc.oneof(near, fc.tuple(word, word)), ([name, other]) => {
      const most = name.length < 6 ? 1 : name.length < 9 ? 2 : 3;
      assert.equal(nearest(name, [other]), steps(name, other) <= most ? other : undefined);
    }),
    { numRuns: 600 },
  );
});

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `name-${String(index)}`);
}

describe('the hint for a name', () => {
  test('is the nearest one', () => {
    assert.equal(didYouMean('amuont', ['rows', 'amount']), 'did you mean `amount`?');
  });

  test('is all there are, up to twelve, where none is near', () => {
    assert.equal(didYouMean('zzz', new Set(['a', 'b'])), 'known: `a`, `b`');
    assert.match(didYouMean('zzz', names(12)) ?? '', /^known: .*`name-11`$/u);
  });

  test('is none where there are more, or none at all', () => {
    assert.equal(didYouMean('zzz', names(13)), undefined);
    assert.equal(didYouMean('zzz', []), undefined);
  });
});
