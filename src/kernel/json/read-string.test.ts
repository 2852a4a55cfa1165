import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseJson } from './parse.ts';

function read(text: string): unknown {
  const parsed = parseJson(new TextEncoder().encode(text));
  return parsed.ok ? parsed.value : `${parsed.error.code} at ${String(parsed.error.offset)}`;
}

function escapeOf(point: number): string {
  return String.fromCodePoint(point)
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

const CHARACTERS = [
  0x20, 0x21, 0x7f, 0xd7ff, 0xe000, 0xe001, 0xfdcf, 0xfdf0, 0xfffd, 0x10000, 0x1f600, 0x10fffd,
];
const NONCHARACTERS = [0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x1ffff, 0x10fffe, 0x10ffff];

describe('a string', () => {
  for (const point of CHARACTERS) {
    it(`has U+${point.toString(16)}, as it is and escaped, before and after an escape`, () => {
      const character = String.fromCodePoint(point);
      assert.equal(read(`"${character}"`), character);
      assert.equal(read(`"\\n${character}"`), `\n${character}`);
      assert.equal(read(`"${escapeOf(point)}"`), character);
      assert.equal(read(`"x${character}${character}y"`), `x${character}${character}y`);
    });
  }

  for (const point of NONCHARACTERS) {
    it(`has no U+${point.toString(16)}, as it is or escaped, before or after an escape`, () => {
      const character = String.fromCodePoint(point);
      assert.equal(read(`"${character}"`), 'json_noncharacter at 1');
      assert.equal(read(`"\\n${character}"`), 'json_noncharacter at 3');
      assert.equal(read(`"${escapeOf(point)}"`), 'json_noncharacter at 1');
    });
  }

  it('has no control characters as they are, before or after an escape', () => {
    for (const point of [0, 0x09, 0x0a, 0x1f]) {
      const character = String.fromCodePoint(point);
      assert.equal(read(`"${character}"`), 'json_control_character at 1');
      assert.equal(read(`"\\n${character}"`), 'json_control_character at 3');
    }
  });

  it('has every escape of JSON and no other', () => {
    assert.equal(read(String.raw`"\"\\\/\b\f\n\r\t"`), '"\\/\b\f\n\r\t');
    assert.equal(read(String.raw`"ab\x"`), 'json_bad_escape at 4');
    assert.equal(read(String.raw`"\n\x"`), 'json_bad_escape at 4');
    assert.equal(read('"\\'), 'json_unexpected_end at 2');
  });

  it('has hexadecimal digits in both cases and nothing beside them', () => {
    assert.equal(read(String.raw`"\u0039\u004a\u004A\u004f\u004F"`), '9JJOO');
    for (const digit of ['/', ':', '@', 'G', '`', 'g', ' ', '.']) {
      assert.equal(read(`"\\u00${digit}1"`), 'json_bad_escape at 5', digit);
    }
    assert.equal(read('"\\u00'), 'json_unexpected_end at 5');
  });

  it('has escaped halves of a pair only as a pair', () => {
    assert.equal(read(String.raw`"\ud800\udc00"`), '\u{10000}');
    assert.equal(read(String.raw`"\udbff\udffd"`), '\u{10fffd}');
    for (const halves of [
      String.raw`\ud800`,
      String.raw`\udfff`,
      String.raw`\udc00\udc00`,
      String.raw`\udc01\udc01`,
      String.raw`\ud800\ud800`,
      String.raw`\ud800\udbff`,
      String.raw`\ud800\ue000`,
      String.raw`\ud800x`,
      String.raw`\ud800\n`,
    ]) {
      assert.equal(read(`"${halves}"`), 'json_lone_surrogate at 1', halves);
    }
  });
});
