import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { safeBlock, safeJson, safeText } from './safe-text.ts';

test('ordinary text in any script is left as it is', () => {
  for (const text of ['refund 49.90 EUR to cus_9', 'Grüße', '支払い', 'élan', '🧾', '✓ ✗ → ·']) {
    assert.equal(safeText(text), text);
  }
});

test('every character that could change what a terminal shows is named instead', () => {
  const rows = [
    ['\u001b[2J', '‹U+001B›[2J'],
    ['\u009b31m', '‹U+009B›31m'],
    ['a\rb', 'a‹U+000D›b'],
    ['a\nb', 'a‹U+000A›b'],
    ['a\u0008b', 'a‹U+0008›b'],
    ['\u202Egnp.exe', '‹U+202E›gnp.exe'],
    ['\u2066x\u2069', '‹U+2066›x‹U+2069›'],
    ['pay\u200Bpal', 'pay‹U+200B›pal'],
    ['a\u00A0b', 'a‹U+00A0›b'],
    ['a\u3164b', 'a‹U+3164›b'],
    ['a\u{E0041}b', 'a‹U+E0041›b'],
    ['a\uD800b', 'a‹U+D800›b'],
    ['\u2028', '‹U+2028›'],
  ];
  for (const [text, shown] of rows) assert.equal(safeText(text ?? ''), shown);
});

test('a letter keeps three marks, and the rest of a pile is named', () => {
  assert.equal(safeText(`e${'\u0301'.repeat(5)}`), `e${'\u0301'.repeat(3)}‹U+0301›‹U+0301›`);
});

test('a block keeps its line ends and nothing else of the controls', () => {
  assert.equal(
    safeBlock('one\ntwo\u001b]0;title\u0007\r\n'),
    'one\ntwo‹U+001B›]0;title‹U+0007›‹U+000D›\n',
  );
});

test('no text whatever leaves a control character, and making it safe twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = safeText(text);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert.equal(safeText(shown), shown);
    }),
  );
});

test('JSON for a terminal holds the same value and no such character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = safeJson({ text });
      assert.doesNotMatch(json, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert.deepEqual(JSON.parse(json), { text });
    }),
  );
});
