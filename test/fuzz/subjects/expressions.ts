/** CEL: expressions that compile are evaluated where everything is known, and where nothing is. */
import { compileExpression } from '../../../src/kernel/expression.ts';
import { ruleEnvironment, withFact } from '../../../src/kernel/expression/roots.ts';
import { jsonOfValue, Timestamp } from '../../../src/kernel/expression/value.ts';
import {
  DECIMAL,
  INT,
  objectOf,
  STRING,
  TIMESTAMP,
} from '../../../src/kernel/expression/value-type.ts';
import { parseDecimal } from '../../../src/kernel/decimal.ts';
import type { Readable } from '../../../src/kernel/policy/compiled.ts';
import { onMutants } from '../mutate.ts';
import { refusedWith, type Subject, type Taken } from '../subject.ts';

/** Every code of an expression's problems. */
export const EXPRESSION_CODES: readonly string[] = [
  'expression_syntax',
  'expression_unknown',
  'expression_type',
  'expression_literal',
  'expression_costly',
];

const ENVIRONMENT = withFact(
  ruleEnvironment({
    args: objectOf('args', { n: INT, s: STRING, d: DECIMAL, t: TIMESTAMP }),
    measures: objectOf('measures', { amount: DECIMAL, rows: INT, payee: STRING }),
    facts: objectOf('facts', { level: DECIMAL, since: TIMESTAMP, state: STRING }),
    labels: objectOf('target.labels', { team: STRING }),
  }),
  INT,
);

const DOCUMENTS = [
  'measures.amount <= 500.00 && args.n in [1, 2, 3]',
  'args.s.startsWith("ab") || args.s.matches("^(a|b)+c{1,3}$")',
  'preview.rows > 10 ? target.environment == "production" : context.list.exists(x, x == 1)',
  'facts.since + duration("1h30m") < now && facts.level > 0.5',
  'principal.roles.all(r, r != "lead") && size(args.s) < 20',
  '"k" in preview && preview["k"] == context.o.a',
  'context.list.map(x, x).filter(y, y != 2).size() == 2 && args.t < timestamp("2026-11-22T00:00:00Z")',
  'decimal("12.50") * 3 == measures.amount && has(context.gone)',
  'args.s.lowerAscii() + string(args.n) != "x" && !(fact > 3)',
];
const WORDS = [
  ['args', 'measures', 'preview', 'context', 'target', 'operation', 'principal', 'facts', 'now'],
  ['&&', '||', '!', '==', '<=', '+', '-', '*', '/', '%', '?', ':', 'in', '.', '(', ')', '[', ']'],
  ['exists(x, x)', 'all(x, true)', 'map(x, x)', 'has(a.b)', 'size()', 'matches("(a+)+$")'],
  [
    'b"x"',
    'r"\\d"',
    "'''",
    '1u',
    '1e99',
    '9223372036854775808',
    'null',
    '{}',
    '{"a": 1}',
    'dyn(1)',
  ],
  ['string(', 'int(', 'duration("', 'timestamp("', 'decimal("', '.startsWith(', '.contains('],
].flat();

const KNOWN: Readonly<Record<string, unknown>> = {
  'args.n': 5n,
  'args.s': `${'a'.repeat(1000)}c`,
  'args.d': parseDecimal('1.50'),
  'args.t': new Timestamp(0),
  'measures.amount': parseDecimal('500.00'),
  'measures.rows': 12n,
  'measures.payee': 'x',
  'target.environment': 'production',
  'facts.level': 0.75,
  'facts.since': '2026-11-22T04:00:00Z',
  preview: { rows: 12, k: null },
  context: { list: [1, 2.5, 'x'], o: { a: null } },
  'principal.roles': ['lead', 'worker'],
  now: new Timestamp(1000),
  fact: 7,
};

const everything: Readable = {
  read: (reference) =>
    Object.hasOwn(KNOWN, reference)
      ? { kind: 'value', value: KNOWN[reference] }
      : { kind: 'missing', reference, message: 'not known', absent: true },
};
const nothing: Readable = {
  read: (reference) => ({ kind: 'missing', reference, message: 'not known' }),
};

/** Expressions. */
export const CEL: Subject = {
  name: 'cel',
  codes: new Set(EXPRESSION_CODES),
  open: () => Promise.resolve(onMutants({ documents: DOCUMENTS, words: WORDS }, take)),
};

function take(input: Buffer): Taken {
  const source = input.toString('utf8');
  const compiled = compileExpression(source, { environment: ENVIRONMENT, result: 'any' });
  if ('problems' in compiled) {
    for (const { start } of compiled.problems) {
      if (start < 0 || start > source.length)
        throw new Error(`a problem stands at ${String(start)}`);
    }
    return refusedWith(compiled.problems);
  }
  for (const scope of [everything, nothing]) {
    const answer = compiled.expression.evaluate(scope);
    if (answer.kind === 'value') jsonOfValue(answer.value);
    else if (/[\n\r]/u.test(answer.message)) throw new Error('a message has several lines');
    for (const clause of compiled.expression.clauses) clause.evaluate(scope);
  }
  return 'accepted';
}
