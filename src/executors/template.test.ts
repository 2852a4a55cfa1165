import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import type { ArgumentFields, ArgumentType, Template } from '../kernel/inventory.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { ExecutorRefusal } from './refusal.ts';
import {
  EXECUTION_PLACEHOLDER,
  renderBody,
  renderFields,
  renderHeader,
  renderPath,
  renderWord,
  type TemplateValues,
} from './template.ts';

const EXECUTION = '0193b2a0-0000-7000-8000-000000000000';
const TEXT: ArgumentType = { kind: 'string', lengthMax: 1000 };
const EUR: ArgumentType = { kind: 'money', currency: 'EUR', minorDigits: 2 };
const JPY: ArgumentType = { kind: 'money', currency: 'JPY', minorDigits: 0 };

function values(
  args: JsonObject,
  types: Readonly<Record<string, ArgumentType>> = {},
): TemplateValues {
  const fields: ArgumentFields = Object.fromEntries(
    ['text', 'other', ...Object.keys(args), ...Object.keys(types)].map((name) => [
      name,
      { type: types[name] ?? TEXT, optional: true },
    ]),
  );
  return { args, fields, execution: EXECUTION };
}

/** `$name.part` for an argument, `$$` for the execution, anything else as it is. */
function template(...parts: readonly string[]): Template {
  return parts.map((part) => {
    if (part === '$$') return { kind: 'execution' };
    return part.startsWith('$')
      ? { kind: 'argument', path: part.slice(1).split('.') }
      : { kind: 'literal', text: part };
  });
}

function codeOf(work: () => unknown): string {
  try {
    return `rendered ${JSON.stringify(work())}`;
  } catch (error) {
    if (error instanceof ExecutorRefusal) return error.code;
    throw error;
  }
}

function wordCode(text: JsonValue): string {
  return codeOf(() => renderWord(template('x', '$text'), values({ text })));
}

function headerCode(text: string): string {
  return codeOf(() => renderHeader(template('v=', '$text'), values({ text })));
}

describe('words of a program', () => {
  test('an argument is one word, whatever it holds', () => {
    const texts = fc.string({ unit: 'binary' }).filter((text) => !/^-|\0/u.test(text));
    fc.assert(
      fc.property(texts, (text) => {
        assert.equal(renderWord(template('$text'), values({ text })), text);
        assert.equal(renderWord(template('--note=', '$text'), values({ text })), `--note=${text}`);
      }),
    );
  });

  test('no argument becomes an option', () => {
    const table: readonly (readonly [Template, JsonObject, string])[] = [
      [template('$text'), { text: '-rf' }, 'argument_looks_like_option'],
      [template('$text'), { text: '--upload-pack=evil' }, 'argument_looks_like_option'],
      [template('$text'), { text: '-' }, 'argument_looks_like_option'],
      [template('$text', '$other'), { text: '', other: '-x' }, 'argument_looks_like_option'],
      [template('', '$text'), { text: '-x' }, 'argument_looks_like_option'],
      [template('$text', 'x'), { text: '-' }, 'argument_looks_like_option'],
      [template('--file=', '$text'), { text: '-x' }, 'rendered "--file=-x"'],
      [template('./', '$text'), { text: '-x' }, 'rendered "./-x"'],
    ];
    for (const [word, args, code] of table) {
      assert.equal(
        codeOf(() => renderWord(word, values(args))),
        code,
        JSON.stringify(args),
      );
    }
  });

  test('a word that is an absent argument is refused, one that only names it is left out', () => {
    assert.equal(
      codeOf(() => renderWord(template('$text'), values({}))),
      'argument_missing',
    );
    assert.equal(renderWord(template('--note=', '$text'), values({})), undefined);
  });

  test('zero characters, lists and words beyond the limit are refused', () => {
    assert.equal(wordCode('a\0b'), 'argument_has_control_character');
    assert.equal(wordCode(['a']), 'argument_not_text');
    assert.equal(wordCode('x'.repeat(131_071)), 'argument_too_large');
    assert.match(wordCode('x'.repeat(131_070)), /^rendered/u);
  });

  test('numbers, booleans and the id of the execution have their plain form', () => {
    const word = template('n=', '$n', ' b=', '$b', ' e=', '$$');
    const types: Record<string, ArgumentType> = { n: { kind: 'integer' }, b: { kind: 'boolean' } };
    assert.equal(renderWord(word, values({ n: 7, b: false }, types)), `n=7 b=false e=${EXECUTION}`);
  });

  test('no argument can stand for the id of the execution', () => {
    const text = `a${EXECUTION_PLACEHOLDER}b`;
    assert.equal(
      codeOf(() => renderWord(template('$text'), values({ text }))),
      'argument_holds_placeholder',
    );
    const body = { kind: 'template', template: template('$text') } as const;
    assert.equal(
      codeOf(() => renderBody(body, values({ text: { deep: [text] } }))),
      'argument_holds_placeholder',
    );
  });
});

describe('amounts', () => {
  test('minor units are exact, and what is no whole number of them is refused', () => {
    const table: readonly (readonly [string, ArgumentType, string])[] = [
      ['49.90', EUR, '4990'],
      ['49.9', EUR, '4990'],
      ['49', EUR, '4900'],
      ['0.05', EUR, '5'],
      ['0.00', EUR, '0'],
      ['49.900', EUR, '4990'],
      ['-5.00', EUR, '-500'],
      ['90071992547409.93', EUR, '9007199254740993'],
      ['500', JPY, '500'],
      ['500.0', JPY, '500'],
      ['500.5', JPY, 'argument_not_minor_units'],
      ['49.905', EUR, 'argument_not_minor_units'],
      ['1e3', EUR, 'argument_not_minor_units'],
      ['', EUR, 'argument_not_minor_units'],
      ['.5', EUR, 'argument_not_minor_units'],
    ];
    for (const [amount, type, expected] of table) {
      const render = (): unknown =>
        renderFields(
          { a: template('$amount.minor') },
          values({ amount }, { amount: type }),
        )[0]?.[1];
      const result = codeOf(render);
      assert.equal(result.replace(/^rendered "(.*)"$/u, '$1'), expected, amount);
    }
  });

  test('the currency comes from the type, and other parts do not exist', () => {
    const given = values({ amount: '1.00', text: 'x' }, { amount: EUR });
    const fields = { c: template('$amount.currency'), a: template('$amount') };
    assert.deepEqual(renderFields(fields, given), [
      ['c', 'EUR'],
      ['a', '1.00'],
    ]);
    for (const path of ['$amount.cents', '$text.minor', '$text.minor.x', '$nothing']) {
      assert.equal(
        codeOf(() => renderFields({ a: template(path) }, given)),
        'argument_part_unknown',
      );
    }
  });
});

describe('path segments', () => {
  test('an argument is one segment, encoded', () => {
    const path = template('/v1/charges/', '$text', '/refunds');
    const render = (text: string): string => codeOf(() => renderPath(path, values({ text })));
    assert.equal(render('ch 3/x?y#z'), 'rendered "/v1/charges/ch%203%2Fx%3Fy%23z/refunds"');
    assert.equal(render('%2e%2e'), 'rendered "/v1/charges/%252e%252e/refunds"');
    for (const text of [
      '',
      '.',
      '..',
      '../x',
      'x/../y',
      'x/.',
      String.raw`..\x`,
      String.raw`x\..`,
    ]) {
      assert.equal(render(text), 'argument_not_a_segment', text);
    }
    for (const text of ['a\nb', 'a\0', '\u007f', '\u0085']) {
      assert.equal(render(text), 'argument_has_control_character', JSON.stringify(text));
    }
  });
});

describe('headers', () => {
  test('nothing but plain text gets into a header', () => {
    assert.equal(headerCode('plain text, with: marks'), 'rendered "v=plain text, with: marks"');
    for (const text of ['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0', 'a\tb', '\u0085', '\u007f']) {
      assert.equal(headerCode(text), 'argument_has_control_character', JSON.stringify(text));
    }
    for (const text of ['ü', '\u2028', '嘊嘍', 'trailing ', '\u{1f600}']) {
      assert.equal(headerCode(text), 'argument_not_header_text', JSON.stringify(text));
    }
  });
});

describe('JSON bodies', () => {
  test('a leaf that is one argument keeps its type, and amounts in minor units are integers', () => {
    const types = { amount: EUR } satisfies Record<string, ArgumentType>;
    const args = { n: 5, b: true, list: [1, 'x'], amount: '49.90' };
    const rendered = renderBody(
      {
        kind: 'object',
        members: {
          n: { kind: 'template', template: template('$n') },
          b: { kind: 'template', template: template('$b') },
          list: { kind: 'template', template: template('$list') },
          minor: { kind: 'template', template: template('$amount.minor') },
          currency: { kind: 'template', template: template('$amount.currency') },
          text: { kind: 'template', template: template('n is ', '$n') },
          absent: { kind: 'template', template: template('$other') },
          inner: { kind: 'array', items: [{ kind: 'constant', value: null }] },
        },
      },
      values(args, types),
    );
    assert.deepEqual(JSON.parse(JSON.stringify(rendered)), {
      n: 5,
      b: true,
      list: [1, 'x'],
      minor: 4990,
      currency: 'EUR',
      text: 'n is 5',
      inner: [null],
    });
  });

  test('an amount beyond the integers of JSON is refused, and an absent element of a list is', () => {
    const minor = { kind: 'template', template: template('$amount.minor') } as const;
    const given = values({ amount: '90071992547409.92' }, { amount: EUR });
    assert.equal(
      codeOf(() => renderBody(minor, given)),
      'argument_too_large',
    );
    const list = { kind: 'array', items: [minor] } as const;
    assert.equal(
      codeOf(() => renderBody(list, values({}, { amount: EUR }))),
      'argument_missing',
    );
  });

  test('members of an object argument are reached by their path', () => {
    const type: ArgumentType = {
      kind: 'object',
      fields: { city: { type: TEXT, optional: false } },
    };
    const given = values({ to: { city: 'Bern' } }, { to: type });
    assert.equal(renderBody({ kind: 'template', template: template('$to.city') }, given), 'Bern');
    assert.deepEqual(renderFields({ a: template('$to.city') }, values({}, { to: type })), []);
  });
});
