import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SHOP } from '../../../test/fixtures/shop-inventory.ts';
import { readYaml } from '../../facts/document/yaml.ts';
import type { DocumentNode } from '../document.ts';
import { documentOf } from '../document-reader.ts';
import { compilePolicy } from './compile.ts';
import { POLICY_LIMITS } from './limits.ts';
import { POLICY_CODES } from './reading.ts';

function yaml(text: string, file = 'p.yaml'): DocumentNode {
  const { document, problems } = readYaml(text, file);
  if (document === undefined) throw new Error(JSON.stringify(problems));
  return document;
}

function problemsOf(...texts: readonly string[]): readonly string[] {
  const documents = texts.map((text, index) => yaml(text, `${'pqr'[index] ?? 'x'}.yaml`));
  return compilePolicy({ documents, inventory: SHOP }).problems.map(
    ({ code, position, message }) =>
      `${position.file === 'p.yaml' ? '' : `${position.file}:`}${String(position.line)}:${String(position.column)} ${code}: ${message}`,
  );
}

/** A document whose line 5 is a rule's first line. */
const HEAD = `version: 1
roles: [lead]
facts: { frozen: { type: boolean, source: { file: /f.json } }, state: { type: string, source: { http: "https://x.example/s", allow: [10.0.0.0/8] } } }
calendars: { nights: { zone: Europe/Berlin, open: [ { weekly: "Mon-Fri 22:00-02:00" } ] } }
rules:
`;

function ruleProblems(rule: string): readonly string[] {
  return problemsOf(`${HEAD}${rule}`);
}

/** The problems of a rule whose condition, on line 9, is this YAML. */
function whenProblems(when: string): readonly string[] {
  return ruleProblems(
    `  - id: a\n    match: { operation: list }\n    allow: true\n    when: ${when}`,
  );
}

/** Patterns of a calendar, one a line. */
function weeklyLines(count: number): string {
  return '      - { weekly: "daily 08:00-09:00" }\n'.repeat(count);
}

const ALLOW_LIST = '  - { id: a, match: { operation: list }, allow: true }\n';

/** Rule text, then the problems it gives; lines of a rule begin at 6. */
const RULE_PROBLEMS: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'an unknown key',
    '  - id: a\n    mtach: {}\n    allow: true',
    ['7:5 unknown_key: unknown key `mtach` in rule'],
  ],
  ['no id', '  - allow: true', ['6:5 missing_key: rule has no `id`']],
  [
    'an id that is no name',
    '  - id: A b\n    allow: true',
    ['6:9 bad_name: id `A b` is not a name'],
  ],
  ['no effect', '  - id: a', ['6:5 no_effect: the rule does nothing']],
  [
    'two effects',
    '  - id: a\n    deny: no way\n    allow: true',
    ['8:5 two_effects: a rule has one of `deny` and `allow`'],
  ],
  ['a deny without a sentence', '  - id: a\n    deny: ""', ['7:11 empty: deny is empty']],
  [
    'a require without requirements',
    '  - id: a\n    require: []',
    ['7:14 empty: require is an empty list'],
  ],
  [
    'a match that is no mapping',
    '  - id: a\n    match: all\n    allow: true',
    ['7:12 wrong_type: match must be a mapping, not `all`'],
  ],
  [
    'an empty set',
    '  - id: a\n    match: { kind: [] }\n    allow: true',
    ['7:20 empty: kind is an empty list'],
  ],
  [
    'an unknown kind',
    '  - id: a\n    match: { kind: money.tranfser }\n    allow: true',
    ['7:20 unknown_kind: there is no kind `money.tranfser`'],
  ],
  [
    'an unknown target',
    '  - id: a\n    match: { target: payment }\n    allow: true',
    ['7:22 unknown_target: there is no target `payment`'],
  ],
  [
    'an unknown target in a negated list',
    '  - id: a\n    match: { target: { not: [db, payment] } }\n    allow: true',
    ['7:34 unknown_target: there is no target `payment`'],
  ],
  [
    'an unknown environment',
    '  - id: a\n    match: { target: { environment: prod } }\n    allow: true',
    ['7:37 unknown_environment: there is no environment `prod`'],
  ],
  [
    'an unknown owner',
    '  - id: a\n    match: { target: { owner: nobody } }\n    allow: true',
    ['7:31 unknown_owner: there is no owner `nobody`'],
  ],
  [
    'an unknown operation',
    '  - id: a\n    match: { operation: refnd }\n    allow: true',
    ['7:25 unknown_operation: there is no operation `refnd`'],
  ],
  [
    'an unknown class',
    '  - id: a\n    match: { class: sure }\n    allow: true',
    ['7:21 unknown_class: there is no class `sure`'],
  ],
  [
    'an unknown label',
    '  - id: a\n    match: { target: { labels: { taem: pay } } }\n    allow: true',
    ['7:34 unknown_label: there is no label `taem`'],
  ],
  [
    'an unknown value of a label',
    '  - id: a\n    match: { target: { labels: { team: pya } } }\n    allow: true',
    ['7:40 unknown_label: there is no value of the label `team` `pya`'],
  ],
  [
    'an undeclared role',
    '  - id: a\n    match: { principal: { role: boss } }\n    allow: true',
    ['7:33 unknown_role: there is no role `boss`'],
  ],
  [
    'an agent that is no name',
    '  - id: a\n    match: { principal: { agent: "a b" } }\n    allow: true',
    ['7:34 bad_name: agent `a b` is not a name'],
  ],
  [
    'a match that nothing can be',
    '  - id: a\n    match: { target: db, kind: money.transfer }\n    allow: true',
    ['7:5 never_matches: the rule can never match: no operation of the inventory is all of this'],
  ],
  [
    'an environment the target cannot have',
    '  - id: a\n    match: { target: { name: db, environment: production } }\n    allow: true',
    ['7:5 never_matches: the rule can never match: no operation of the inventory is all of this'],
  ],
  [
    'a kind that no operation has yet',
    '  - id: a\n    match: { kind: access.grant }\n    allow: true',
    ['7:5 kind_unused: no operation of the inventory is of kind `access.grant` yet'],
  ],
  [
    'a condition that is never true',
    '  - id: a\n    match: { target: db }\n    when: now == now && 1 > 2\n    allow: true',
    ['8:25 never_matches: the rule can never match: `1 > 2` is never true'],
  ],
  [
    'an unknown name in an expression',
    '  - id: a\n    when: targt.name == "db"\n    allow: true',
    ['7:11 expression_unknown: `targt` is not known here'],
  ],
  [
    'an unknown argument',
    '  - id: a\n    match: { target: payments }\n    when: args.amunt > 1\n    allow: true',
    ['8:16 expression_unknown: `args` has no `amunt`'],
  ],
  [
    'an argument that one operation lacks',
    '  - id: a\n    when: args.amount > 1\n    allow: true',
    ['7:16 expression_unknown: `purge` of `db` can match and has no argument `amount`'],
  ],
  [
    'an argument with two types',
    '  - id: a\n    match: { operation: [refund, purge] }\n    when: args.charge == "x"\n    allow: true',
    ['8:16 expression_unknown: `purge` of `db` can match and has `charge` of another type'],
  ],
  [
    'a measure that one kind lacks',
    '  - id: a\n    when: measures.rows > 1\n    allow: true',
    ['7:20 expression_unknown: `money.transfer` can match and has no measure `rows`'],
  ],
  [
    'a measure that one operation does not map',
    '  - id: a\n    match: { kind: data.read }\n    when: measures.rows > 1\n    allow: true',
    ['8:11 measure_unmapped: `list` of `db` can match and does not say `measures.rows`'],
  ],
  [
    'an amount compared with a text',
    '  - id: a\n    match: { target: payments }\n    when: measures.amount > "500.00"\n    allow: true',
    ['8:11 expression_type: `>` does not take a decimal and a text'],
  ],
  [
    'a decimal that is none',
    '  - id: a\n    match: { target: payments }\n    when: measures.amount > decimal("5e2")\n    allow: true',
    ['8:37 expression_literal: the text is not what `decimal` reads'],
  ],
  [
    'a word an argument never is',
    '  - id: a\n    match: { target: payments }\n    when: args.reason == "frod"\n    allow: true',
    ['8:26 expression_literal: the value is never `frod`'],
  ],
  [
    'a condition that is no condition',
    '  - id: a\n    when: target.name\n    allow: true',
    ['7:11 expression_type: the expression must give true or false, not a text'],
  ],
  [
    'an expression that cannot be read',
    '  - id: a\n    when: target.name ==\n    allow: true',
    ['7:25 expression_syntax: the expression cannot be read: unexpected token: EOF'],
  ],
  [
    'an expression that costs too much',
    '  - id: a\n    when: preview.a.all(x, preview.b.all(y, x == y))\n    allow: true',
    ['7:11 expression_costly: the expression can take 24003002 steps, at most 100000 are allowed'],
  ],
  [
    'an unknown requirement',
    '  - id: a\n    require: [ { aproval: {} } ]',
    ['7:18 bad_requirement: there is no requirement `aproval`'],
  ],
  [
    'two requirements in one',
    '  - id: a\n    require: [ { confirmation: true, window: nights } ]',
    ['7:38 bad_requirement: a requirement has exactly one key, such as `approval`'],
  ],
  [
    'an approval from nobody',
    '  - id: a\n    require: [ { approval: {} } ]',
    ['7:28 missing_key: approval has no `from`'],
  ],
  [
    'an approval from something else',
    '  - id: a\n    require: [ { approval: { from: lead } } ]',
    ['7:36 bad_approver: `lead` does not say who approves'],
  ],
  [
    'an approval from an undeclared role',
    '  - id: a\n    require: [ { approval: { from: "role:boss" } } ]',
    ['7:36 unknown_role: there is no role `boss`'],
  ],
  [
    'one person twice',
    '  - id: a\n    require: [ { approval: { from: "person:mei", count: 2 } } ]',
    ['7:28 bad_approver: one person cannot approve 2 times'],
  ],
  [
    'no approvers',
    '  - id: a\n    require: [ { approval: { from: "role:lead", count: 0 } } ]',
    ['7:56 out_of_range: count is 0, not between 1 and 20'],
  ],
  [
    'a bad duration',
    '  - id: a\n    require: [ { approval: { from: "role:lead", validFor: 1 hour } } ]',
    ['7:59 bad_duration: validFor `1 hour` is not a duration'],
  ],
  [
    'a flag that is none',
    '  - id: a\n    allow: true\n    shadow: yes',
    ['8:13 wrong_type: shadow must be true or false, not `yes`'],
  ],
  [
    'an undeclared calendar',
    '  - id: a\n    require: [ { window: days } ]',
    ['7:26 unknown_calendar: there is no calendar `days`'],
  ],
  [
    'an undeclared fact',
    '  - id: a\n    require: [ { fact: { name: frzen } } ]',
    ['7:32 unknown_fact: there is no fact `frzen`'],
  ],
  [
    'a fact that is no answer by itself',
    '  - id: a\n    require: [ { fact: { name: state } } ]',
    ['7:24 bad_requirement: the fact `state` is not true or false by itself'],
  ],
  [
    'a fact held against another type',
    '  - id: a\n    require: [ { fact: { name: state, is: fact > 1 } } ]',
    ['7:43 expression_type: `>` does not take a text and an integer'],
  ],
  [
    'a limit by a number',
    '  - id: a\n    match: { target: payments }\n    require: [ { limit: { name: l, by: measures.amount, count: 1, per: 1h } } ]',
    ['8:40 expression_type: the expression must give a text, not a decimal'],
  ],
  [
    'a limit of a text',
    '  - id: a\n    require: [ { limit: { name: l, sum: target.name, max: 1.00, per: 1h } } ]',
    ['7:41 expression_type: the expression must give a number, not a text'],
  ],
  [
    'a limit without a bound',
    '  - id: a\n    require: [ { limit: { name: l, per: 1h } } ]',
    ['7:25 bad_requirement: a limit has either `count`, or `sum` and `max`'],
  ],
  [
    'a maximum that is no amount',
    '  - id: a\n    match: { target: payments }\n    require: [ { limit: { name: l, sum: measures.amount, max: 1e3, per: 1h } } ]',
    ['8:63 bad_amount: max must be an amount such as 500.00'],
  ],
  [
    'an unknown operation before',
    '  - id: a\n    require: [ { after: { operation: backup } } ]',
    ['7:38 unknown_operation: there is no operation `backup`'],
  ],
  [
    'an operation of another target before',
    '  - id: a\n    require: [ { after: { operation: purge, target: payments } } ]',
    ['7:38 unknown_operation: there is no operation `purge`'],
  ],
  [
    'a time that never comes',
    '  - id: a\n    require: [ { after: { operation: purge, within: 1h, atLeast: 1h } } ]',
    ['7:66 never_matches: `atLeast` must be less than `within`, or it can never be met'],
  ],
  [
    'a rule given twice',
    `${ALLOW_LIST}${ALLOW_LIST}`,
    ['7:11 duplicate_rule: the rule `a` is given twice, first at p.yaml:6'],
  ],
];

/** A document without rules, and the problems it gives. */
const DOCUMENT_PROBLEMS: readonly (readonly [string, string, readonly string[]])[] = [
  ['no version', 'roles: []', ['1:1 missing_key: policy has no `version`']],
  ['another version', 'version: 2', ['1:10 bad_version: the version of a policy is 1']],
  ['a version in quotes', 'version: "1"', ['1:10 bad_version: the version of a policy is 1']],
  [
    'roles that are no list',
    'version: 1\nroles: lead',
    ['2:8 wrong_type: roles must be a list, not `lead`'],
  ],
  [
    'a zone that does not exist',
    'version: 1\ncalendars:\n  n: { zone: Europe/Berln, open: [] }',
    ['3:14 bad_zone: `Europe/Berln` is not a time zone'],
  ],
  [
    'a weekly pattern that is none',
    'version: 1\ncalendars:\n  n: { zone: UTC, open: [ { weekly: "Mo 9-17" } ] }',
    ['3:37 bad_pattern: `Mo 9-17` is not a weekly pattern'],
  ],
  [
    'a pattern of no sort',
    'version: 1\ncalendars:\n  n: { zone: UTC, open: [ { daily: 1 } ] }',
    ['3:27 bad_pattern: a pattern has `weekly`, `rrule` or `from`'],
  ],
  [
    'a recurrence that is none',
    'version: 1\ncalendars:\n  n: { zone: UTC, open: [ { rrule: monthly, start: 2026-11-01T22:00, duration: 4h } ] }',
    ['3:36 bad_pattern: `monthly` is not a recurrence rule'],
  ],
  [
    'an occurrence that is too long',
    'version: 1\ncalendars:\n  n: { zone: UTC, open: [ { rrule: FREQ=YEARLY, start: 2026-11-01T22:00, duration: 32d } ] }',
    ['3:84 out_of_range: duration is 32d, not between 1m and 31d'],
  ],
  [
    'a day that does not exist',
    'version: 1\ncalendars:\n  n: { zone: UTC, open: [ { from: 2026-02-30, until: 2026-03-01 } ] }',
    ['3:35 bad_pattern: from `2026-02-30` is not a local date and time'],
  ],
  [
    'a span that ends first',
    'version: 1\ncalendars:\n  n: { zone: UTC, open: [], closed: [ { from: 2026-03-02, until: 2026-03-01 } ] }',
    ['3:66 bad_pattern: the span ends before it begins'],
  ],
  [
    'a fact with a hyphen',
    'version: 1\nfacts:\n  is-frozen: { type: boolean, source: { file: /f } }',
    ['3:3 bad_name: fact `is-frozen` is not a name that expressions can use'],
  ],
  [
    'a fact of no type',
    'version: 1\nfacts:\n  a: { type: bool, source: { file: /f } }',
    ['3:14 bad_choice: type `bool` is not known'],
  ],
  [
    'a source that is no URL',
    'version: 1\nfacts:\n  a: { type: boolean, source: { http: "ftp://x" } }',
    ['3:39 bad_fact_source: `ftp://x` is not an http or https URL without credentials'],
  ],
  [
    'a pointer that is none',
    'version: 1\nfacts:\n  a: { type: boolean, source: { file: /f, pointer: x } }',
    ['3:52 bad_fact_source: `x` is not a JSON pointer'],
  ],
  [
    'a range that is none',
    'version: 1\nfacts:\n  a: { type: boolean, source: { http: "http://x", allow: [10.0.0.1] } }',
    ['3:59 bad_fact_source: `10.0.0.1` is not an address range'],
  ],
  [
    'a range longer than an address',
    'version: 1\nfacts:\n  a: { type: boolean, source: { http: "http://x", allow: [10.0.0.1/33, "::ffff:10.0.0.1/96"] } }',
    ['3:59 bad_fact_source: `10.0.0.1/33` is not an address range'],
  ],
];

describe('a policy that cannot be used is refused with file, line and column', () => {
  for (const [title, rule, expected] of RULE_PROBLEMS) {
    test(title, () => assert.deepEqual(ruleProblems(rule), expected));
  }
  for (const [title, text, expected] of DOCUMENT_PROBLEMS) {
    test(title, () => assert.deepEqual(problemsOf(text), expected));
  }

  test('a name that two documents declare', () => {
    const text =
      'version: 1\ncalendars: { n: { zone: UTC, open: [] } }\nfacts: { f: { type: string, source: { file: /f } } }';
    assert.deepEqual(problemsOf(text, text), [
      'q.yaml:2:14 duplicate_name: the calendar `n` is declared twice',
      'q.yaml:3:10 duplicate_name: the fact `f` is declared twice',
    ]);
  });

  test('everything wrong at once, in the order of the file, and hints that name what was meant', () => {
    const { problems, policy } = compilePolicy({
      documents: [
        yaml(
          `${HEAD}  - id: a\n    match: { target: paymens }\n    when: targt.name == "x" && principal.agnt == "y"\n    alow: true`,
        ),
      ],
      inventory: SHOP,
    });
    assert.equal(policy, undefined);
    assert.deepEqual(
      problems.map(
        ({ position, hint }) => `${String(position.line)}:${String(position.column)} ${hint ?? ''}`,
      ),
      [
        '6:5 add `deny:`, `require:` or `allow:`',
        '7:22 did you mean `payments`?',
        '8:11 did you mean `target`?',
        '8:42 did you mean `agent`?',
        '9:5 did you mean `allow`?',
      ],
    );
  });

  test('every code of the list is given by a case here', () => {
    const given = new Set(
      [...RULE_PROBLEMS, ...DOCUMENT_PROBLEMS].flatMap(([, , problems]) =>
        problems.map((problem) => problem.split(' ')[1]?.replace(':', '')),
      ),
    );
    const elsewhere = new Set<string>(['duplicate_name', 'too_many_rules']);
    assert.deepEqual(
      POLICY_CODES.filter((code) => !given.has(code) && !elsewhere.has(code)),
      [],
    );
  });

  test('patterns of both sides count together, and the first one too many is named', () => {
    const half = POLICY_LIMITS.patternsMax / 2;
    const policy = (closed: number): string =>
      `version: 1\ncalendars:\n  n:\n    zone: UTC\n    open:\n${weeklyLines(half)}    closed:\n${weeklyLines(closed)}`;
    assert.deepEqual(problemsOf(policy(half)), []);
    assert.deepEqual(problemsOf(policy(half + 1)), [
      `${String(POLICY_LIMITS.patternsMax + 7)}:9 out_of_range: calendar \`n\` has 501 patterns, at most 500 are allowed`,
    ]);
  });

  test('a problem inside an expression stands at its column, however the text is written', () => {
    const message = 'expression_unknown: `targt` is not known here';
    assert.deepEqual(whenProblems('true && targt == "x"'), [`9:19 ${message}`]);
    assert.deepEqual(whenProblems(`'true && targt == "x"'`), [`9:20 ${message}`]);
    assert.deepEqual(whenProblems('>-\n      true && targt == "x"'), [`10:15 ${message}`]);
    assert.deepEqual(whenProblems('|\n      true &&\n      targt == "x"'), [
      `11:7 ${message} (at \`targt == "x"\`)`,
    ]);
    assert.deepEqual(whenProblems('"true && targt == \\"x\\""'), [
      `9:12 ${message} (at \`targt == "x"\`)`,
    ]);
  });

  test('one rule more than the limit, and not the limit itself', () => {
    const rules = Array.from({ length: POLICY_LIMITS.rulesMax }, (_, index) => ({
      id: `r${String(index)}`,
      allow: true,
    }));
    const compiled = (more: readonly unknown[]): ReturnType<typeof compilePolicy> =>
      compilePolicy({
        documents: [documentOf({ version: 1, rules: [...rules, ...more] }, 'p')],
        inventory: SHOP,
      });
    assert.equal(compiled([]).policy?.rules.length, POLICY_LIMITS.rulesMax);
    assert.deepEqual(
      // It is not even read, else its id would be told as well.
      compiled([{ id: 'r0', allow: true }]).problems.map(({ code }) => code),
      ['too_many_rules'],
    );
  });
});
