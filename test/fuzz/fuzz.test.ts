/** A short run over every parser, and the checker’s own test: it finds what parsers must not do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSubjects } from './run.ts';
import { SUBJECTS } from './subjects.ts';

test('every parser accepts or refuses with a known code, in time and in bounds', async () => {
  const subjects = SUBJECTS.map(({ name }) => name);
  const tallies = await runSubjects({ subjects, seed: 1, cases: 60 });
  assert.deepEqual(
    tallies.map(({ subject }) => subject),
    subjects,
  );
  for (const tally of tallies) {
    assert.equal(tally.failure, undefined, JSON.stringify(tally, undefined, 2));
    assert.equal(tally.cases, 60);
    // None would mean that the mutants no longer reach both answers.
    assert.ok(tally.accepted > 0 && tally.refused > 0, JSON.stringify(tally));
  }
});

test('the checker finds each flaw that a parser may have, and none in a sound one', async () => {
  const flaws = {
    sound: undefined,
    throws: /^RangeError: no such index/u,
    slow: /^Error: took \d+ ms/u,
    'unknown-code': /unknown code `novel`/u,
    'without-code': /refused without a code/u,
    hangs: /^hangs: no end after 4000 ms/u,
    grows: /memory limit/u,
  };
  const module = new URL('flawed-subjects.ts', import.meta.url).href;
  const limits = { heapMibMax: 24, caseMsMax: 100, standstillMsMax: 4000 };
  const subjects = Object.keys(flaws);
  const tallies = await runSubjects({ subjects, seed: 1, cases: 200, module, limits });
  for (const [index, [flaw, message]] of Object.entries(flaws).entries()) {
    const { subject, failure } = tallies[index] ?? {};
    assert.equal(subject, flaw);
    if (message === undefined) assert.equal(failure, undefined);
    else assert.match(failure?.message ?? 'nothing was found', message, flaw);
  }
  const thrown = tallies[1]?.failure;
  assert.equal(thrown?.input, '[[', 'the input was not made small');
  const again = { subjects: ['throws'], seed: 1, from: thrown.case, cases: 1, module };
  assert.equal((await runSubjects(again))[0]?.failure?.input, '[[');
});
