/** What each refusal of the strict JSON parser means to a caller, by the parser's own codes. */
import type { JsonErrorCode } from '../kernel/json/parse.ts';
import type { ErrorSpec } from './errors.ts';

/** Codes of bodies that are not acceptable JSON. One that is too large has the code `body_too_large`. */
export type BodyErrorCode = Exclude<JsonErrorCode, 'json_too_large'>;

/** The words for each code. */
export const BODY_ERRORS: Readonly<Record<BodyErrorCode, ErrorSpec>> = {
  json_byte_order_mark: unacceptable('The body starts with a byte-order mark.'),
  json_invalid_utf8: unacceptable('The body is not valid UTF-8.'),
  json_too_deep: unacceptable('Arrays and objects are nested deeper than 64.'),
  json_too_many_keys: unacceptable('The body has more than 10,000 members over all its objects.'),
  json_too_many_items: unacceptable('The body has more than 100,000 elements over all its arrays.'),
  json_unexpected_end: unacceptable('The body ends inside a value, or is empty.'),
  json_trailing_content: unacceptable('Something follows the value.'),
  json_unexpected_token: unacceptable('A character stands where JSON has no place for it.'),
  json_control_character: unacceptable('A string holds a control character that is not escaped.'),
  json_bad_escape: unacceptable('A string holds an escape that JSON does not know.'),
  json_lone_surrogate: unacceptable('A string holds half of a surrogate pair.'),
  json_noncharacter: unacceptable('A string holds a code point that is not a character.'),
  json_string_too_long: unacceptable('A string has more than 262,144 UTF-16 code units.'),
  json_key_too_long: unacceptable('A key has more than 1,024 UTF-16 code units.'),
  json_forbidden_key: unacceptable('The key `__proto__` is not allowed.'),
  json_duplicate_key: unacceptable('An object has the same key twice, compared after unescaping.'),
  json_bad_number: unacceptable('A number is not written as JSON writes numbers.'),
  json_integer_too_large: unacceptable(
    'An integer is beyond ±(2^53 − 1); such integers travel as strings.',
  ),
  json_too_many_digits: unacceptable(
    'A number has more than 17 significant digits; such numbers travel as strings.',
  ),
  json_number_overflow: unacceptable('A number is too large for a double.'),
  json_number_underflow: unacceptable('A number that is not zero would become zero as a double.'),
  json_negative_zero: unacceptable('Zero has no sign.'),
};

function unacceptable(doc: string): ErrorSpec {
  return { status: 400, title: 'Unacceptable JSON', doc };
}
