import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  add,
  canonicalDecimal,
  compare,
  Decimal,
  DECIMAL_DIGITS_MAX,
  decimalOf,
  decimalOfNumber,
  formatDecimal,
  isDecimal,
  multiply,
  negate,
  parseDecimal,
  subtract,
} from './decimal.ts';

function read(text: string): Decimal {
  const decimal = parseDecimal(text);
  assert.ok(decimal !== undefined, text);
  return decimal;
}

const decimals: fc.Arbitrary<Decimal> = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: 0, max: 18 }))
  .map(([unscaled, scale]) => new Decimal(unscaled, scale));

describe('a decimal', () => {
  test('has at most 38 digits, with and without a sign and a point', () => {
    assert.equal(DECIMAL_DIGITS_MAX, 38);
    for (const sign of ['', '-']) {
      assert.notEqual(parseDecimal(`${sign}${'9'.repeat(38)}`), undefined);
      assert.notEqual(parseDecimal(`${sign}0.${'9'.repeat(37)}`), undefined);
      assert.equal(parseDecimal(`${sign}${'9'.repeat(39)}`), undefined);
      assert.equal(parseDecimal(`${sign}0.${'9'.repeat(38)}`), undefined);
    }
  });

  test('of a whole number has no decimals', () => {
    assert.deepEqual(decimalOf(-5n), read('-5'));
  });

  test('is written back as it was read', () => {
    fc.assert(
      fc.property(decimals, (decimal) => {
        const text = formatDecimal(decimal);
        assert.equal(formatDecimal(read(text)), text);
      }),
    );
  });

  test('has one canonical text for equal values', () => {
    fc.assert(
      fc.property(decimals, decimals, (left, right) => {
        assert.equal(
          compare(left, right) === 0,
          canonicalDecimal(left) === canonicalDecimal(right),
        );
      }),
    );
    assert.equal(canonicalDecimal(read('500.00')), canonicalDecimal(read('500')));
    assert.equal(canonicalDecimal(read('100')), '100');
  });

  const refused = [
    '',
    '-',
    '.',
    '1.',
    '.5',
    '+1',
    '01',
    '-0',
    '-0.00',
    '1e3',
    '1_0',
    ' 1',
    '1 ',
    '0x1',
    'NaN',
    '١',
  ];
  for (const text of refused) {
    test(`is not \`${text}\``, () => assert.equal(parseDecimal(text), undefined));
  }

  test('has at most the digits of the limit', () => {
    assert.ok(parseDecimal('9'.repeat(DECIMAL_DIGITS_MAX)) !== undefined);
    assert.ok(parseDecimal(`-${'9'.repeat(DECIMAL_DIGITS_MAX - 1)}.9`) !== undefined);
    assert.equal(parseDecimal('9'.repeat(DECIMAL_DIGITS_MAX + 1)), undefined);
    assert.equal(parseDecimal(`0.${'9'.repeat(DECIMAL_DIGITS_MAX)}`), undefined);
  });

  test('adds, subtracts and multiplies exactly', () => {
    assert.equal(formatDecimal(add(read('0.1'), read('0.2'))), '0.3');
    assert.equal(formatDecimal(subtract(read('1'), read('0.01'))), '0.99');
    assert.equal(formatDecimal(multiply(read('-1.1'), read('1.1'))), '-1.21');
    fc.assert(
      fc.property(decimals, decimals, decimals, (a, b, c) => {
        assert.equal(compare(subtract(add(a, b), b), a), 0);
        assert.equal(compare(multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c))), 0);
        assert.equal(compare(add(a, negate(a)), read('0')), 0);
      }),
    );
  });

  test('is ordered as the numbers are', () => {
    assert.equal(compare(read('0.1'), read('0.10')), 0);
    assert.equal(compare(read('-2'), read('-1.5')), -1);
    fc.assert(
      fc.property(decimals, decimals, (left, right) => {
        const sign = subtract(left, right).unscaled;
        assert.equal(compare(left, right), sign === 0n ? 0 : sign < 0n ? -1 : 1);
      }),
    );
  });

  test('of a JSON number is what its shortest text says', () => {
    assert.equal(formatDecimal(decimalOfNumber(0.1) ?? read('0')), '0.1');
    assert.equal(formatDecimal(decimalOfNumber(1e-7) ?? read('0')), '0.0000001');
    assert.equal(formatDecimal(decimalOfNumber(-1.5e21) ?? read('0')), '-1500000000000000000000');
    assert.equal(decimalOfNumber(Infinity), undefined);
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
        (value) => {
          const decimal = decimalOfNumber(value);
          assert.equal(Number(formatDecimal(decimal ?? read('0'))), value === 0 ? 0 : value);
        },
      ),
    );
  });

  test('is told from everything that looks like one', () => {
    assert.ok(isDecimal(read('1')));
    assert.ok(!isDecimal({ unscaled: 1n, scale: 0 }));
    assert.ok(Object.isFrozen(read('1')));
  });
});
