/**
 * Text from the wire made safe for a terminal. What an agent or a target wrote may hold escape
 * sequences that move the cursor, and marks that turn reading order round; both could make an action
 * look like another one. Every such character is shown by its name instead.
 */

/**
 * Controls, format characters (all bidirectional marks are among them), what fonts draw as nothing,
 * line and paragraph separators, private use, half surrogates, and every space but the ordinary one.
 */
const UNSAFE =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}|(?<=\p{M}{3})\p{M}/gu;
const UNSAFE_IN_BLOCK = new RegExp(`(?!\\n)(?:${UNSAFE.source})`, 'gu');

/**
 * One line: every character that is not plainly seen becomes `‹U+202E›`, line ends included.
 *
 * @example
 * safeText('pay\u001b[2Jme') // 'pay‹U+001B›[2Jme'
 */
export function safeText(text: string): string {
  return text.replaceAll(UNSAFE, (character) => nameOf(character));
}

/** The same for text of several lines: line feeds stay. */
export function safeBlock(text: string): string {
  return text.replaceAll(UNSAFE_IN_BLOCK, (character) => nameOf(character));
}

/** A document as JSON on one line: the same value, with such characters written as JSON escapes. */
export function safeJson(document: unknown): string {
  return JSON.stringify(document).replaceAll(UNSAFE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function nameOf(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `‹U+${point.toString(16).toUpperCase().padStart(4, '0')}›`;
}
