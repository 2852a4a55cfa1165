import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exampleOf, local } from '../../test/laws/examples.ts';
import { ACTION_DIGEST, EARLIER_ID, must, person } from '../../test/laws/world.ts';
import { consentDigest, type ConsentSubject } from './action.ts';
import { consentOf, hear, isKnown, sameOf, type KnownInput } from './hearing.ts';
import { digestOf } from './digest.ts';

function calm(): { readonly input: KnownInput; readonly subject: ConsentSubject } {
  const { input } = exampleOf({});
  return { input, subject: must(input.consent) };
}

function digestFor(consent: ConsentSubject | undefined): unknown {
  return consentOf(hear({ ...calm().input, consent }));
}

test('a yes must be to the digest of what would happen', () => {
  const { input, subject } = calm();
  const hearing = hear(input);
  assert.equal(consentOf(hearing), consentDigest(subject));
  assert.equal(consentOf(hearing), consentDigest(subject));
});

test('no yes counts to what is not known, or is about another action or other bytes', () => {
  const { subject } = calm();
  assert.equal(digestFor(undefined), undefined);
  assert.equal(digestFor({ ...subject, action: EARLIER_ID }), undefined);
  assert.equal(
    digestFor({ ...subject, actionDigest: digestOf('exequatur/action/v1', 'x') }),
    undefined,
  );
  assert.notEqual(ACTION_DIGEST, digestOf('exequatur/action/v1', 'x'));
});

test('an input is known by its target and its operation', () => {
  const { input } = calm();
  assert.equal(isKnown(input), true);
  assert.equal(isKnown({ ...input, target: undefined }), false);
  assert.equal(isKnown({ ...input, operation: undefined }), false);
});

test('who is who is worked out once, from the accounts', () => {
  const { input } = calm();
  const people = {
    mei: { live: true, roles: [], aliases: [person('dana')] },
    dana: { live: true, roles: [], aliases: [] },
  };
  const hearing = hear({
    ...input,
    ...local({ people })(input),
    target: input.target,
    operation: input.operation,
  });
  assert.equal(sameOf(hearing)('mei'), sameOf(hearing)('dana'));
  assert.equal(sameOf(hearing), sameOf(hearing));
});
