import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { compile, compiled, told } from '../../../test/fixtures/facts/inventory-texts.ts';
import type { SqlOperation } from '../../kernel/inventory.ts';
import { StatementRefusal } from './sql-parameters.ts';
import { compileStatement, type StatementOptions } from './sql-statement.ts';

const ENGINES = ['sqlite', 'postgres'] as const;

const WITHOUT_TEXT = 'argument_without_text';

const OPTIONS: StatementOptions = {
  engine: 'postgres',
  key: ['id'],
  rowsMax: 1,
  preview: 'select',
  lists: new Set(['many']),
};

function textOf(sql: string, lines: readonly string[] = ['kind: data.delete', 'key: id']): string {
  return `version: 1
targets:
  db:
    sqlite: ./shop.db
    operations:
      go:
        args: { n: integer, t: string, maybe: string?, many: 'list(string)', nested: { list: { list: string } } }
        sql: ${sql}
        ${lines.join('\n        ')}
`;
}

function operationOf(sql: string, lines?: readonly string[]): SqlOperation {
  const operation = compiled(textOf(sql, lines)).targets.get('db')?.operations.get('go');
  assert.ok(operation?.binding.kind === 'sql');
  return operation.binding;
}

function problemsOf(sql: string): string {
  return told(compile(textOf(sql))).join();
}

function codesOf(sql: string, kind: string, key: readonly string[] = ['key: id']): string {
  return told(compile(textOf(sql, [`kind: ${kind}`, ...key])))
    .map((line) => line.split(' ', 1).join())
    .join();
}

function problemsAt(line: string): string {
  return told(compile(`version: 1\ntargets:\n  db:\n    ${line}\n    operations: {}\n`)).join();
}

function problemsOfProbe(sql: string): string {
  return problemsAt(`sqlite: ./shop.db\n    probe: { sql: ${sql}, field: /name }`);
}

function keyed(key: string, sql = 'DELETE FROM t'): string {
  return codesOf(sql, sql.startsWith('D') ? 'data.delete' : 'data.write', [`key: ${key}`]);
}

function insertCodes(...lines: string[]): string {
  return codesOf('INSERT INTO t (a) VALUES (:n)', 'data.write', lines);
}

function triedOf(sql: string, ...lines: string[]): SqlOperation {
  return operationOf(sql, ['kind: data.write', 'preview: rollback', 'lockTimeout: 1s', ...lines]);
}

/** A condition as it is written for an engine. */
function conditionFor(engine: StatementOptions['engine'], condition: string): string {
  const options = { ...OPTIONS, engine };
  const { statement } = compileStatement(`DELETE FROM t WHERE ${condition}`, options);
  return statement.replace(/^.* WHERE (.*) RETURNING .*$/u, '$1');
}

/** Code, the text at which it is told, and the statement. */
const HOSTILE: readonly (readonly [string, string, string])[] = [
  ['sql_not_one', 'DROP', 'DELETE FROM t; DROP TABLE t'],
  ['sql_not_one', 'DELETE FROM u', 'DELETE FROM t;DELETE FROM u'],
  ['sql_comment', '--', 'DELETE FROM t -- WHERE id = 1'],
  ['sql_comment', '/*', 'DELETE FROM t /* all */ WHERE id = 1'],
  ['sql_comment', '/*', 'DELETE FROM t WHERE a /*!50000 or 1=1*/ = 1'],
  ['sql_syntax', 'FRO', 'DELETE FRO t'],
  ['sql_parameter', '$1', 'DELETE FROM t WHERE id = $1'],
  ['sql_parameter', '$$x', 'DELETE FROM t WHERE id = $$x$$'],
  ['sql_parameter', '?', 'DELETE FROM t WHERE id = ?'],
  ['sql_with', 'WITH', 'WITH gone AS (DELETE FROM u RETURNING id) DELETE FROM t'],
  ['sql_join', 'u', 'DELETE FROM t USING u WHERE a = b'],
  ['sql_join', 'u', 'UPDATE t SET a = b FROM u'],
  ['sql_subquery', 'IN', 'DELETE FROM t WHERE id IN (SELECT id FROM u)'],
  ['sql_subquery', 'EXISTS', 'DELETE FROM t WHERE EXISTS (SELECT 1)'],
  ['sql_subquery', '(SELECT', 'UPDATE t SET a = (SELECT b FROM u)'],
  ['sql_function', 'pg_sleep', 'DELETE FROM t WHERE pg_sleep(9) IS NULL'],
  ['sql_function', 'nextval', "DELETE FROM t WHERE id = nextval('s')"],
  ['sql_function', 'load_extension', "DELETE FROM t WHERE load_extension('x') = 1"],
  ['sql_function', 'mine.lower', "DELETE FROM t WHERE mine.lower(a) = 'x'"],
  ['sql_function', 'now', 'DELETE FROM t WHERE a < now()'],
  ['sql_function', 'current_date', 'DELETE FROM t WHERE a < current_date'],
  ['sql_function', 'count', 'DELETE FROM t WHERE count(*) > 1'],
  ['sql_cast', 'regclass', "DELETE FROM t WHERE a = 'x'::regclass"],
  ['sql_cast', 'mine', "DELETE FROM t WHERE a = CAST('x' AS mine)"],
  ['sql_cast', 'int', 'DELETE FROM t WHERE a = CAST(b AS int[])'],
  ['sql_returning', 'DELETE', 'DELETE FROM t WHERE id = 1 RETURNING a'],
  ['sql_sort', 'DROP', 'DROP TABLE t'],
  ['sql_sort', 'COPY', "COPY t FROM '/etc/passwd'"],
  ['sql_sort', 'COPY', "COPY t TO PROGRAM 'id'"],
  ['sql_sort', 'TRUNCATE', 'TRUNCATE t'],
  ['sql_sort', 'DO', "DO 'x'"],
  ['sql_key', 'SELECT', 'SELECT a FROM t'],
  ['sql_key', 'DELETE', 'INSERT INTO t (a) VALUES (1)'],
  ['sql_key', 'id', 'UPDATE t SET id = 2 WHERE a = 1'],
  ['sql_unproved', 'sqlite_master', 'DELETE FROM sqlite_master'],
  ['sql_unproved', 'pg_authid', 'DELETE FROM pg_authid'],
  ['sql_unproved', 't.a', 'DELETE FROM t WHERE t.a = 1'],
  ['sql_unproved', "'a", "DELETE FROM t WHERE a = 'a\\'"],
  ['sql_unproved', '@>', 'DELETE FROM t WHERE a @> b'],
  ['sql_unproved', '~', "DELETE FROM t WHERE a ~ 'x'"],
  ['sql_unproved', 't AS', 'DELETE FROM t AS u'],
  ['sql_unproved', 't', 'DELETE FROM ONLY t'],
  ['sql_unproved', 'CASE', 'DELETE FROM t WHERE CASE WHEN a THEN b END'],
];

describe('statements', () => {
  for (const [code, part, sql] of HOSTILE) {
    test(`\`${sql}\` is refused as ${code}, at its place`, () => {
      // A block begins in column 11 of the next line.
      const lines = told(compile(textOf(`|\n          ${sql}`)));
      assert.deepEqual(lines, [`${code} 9:${11 + Math.max(0, sql.lastIndexOf(part))}`]);
    });
  }

  test('a problem is told at the column of its part', () => {
    // `        sql: ` is 13 characters.
    assert.equal(problemsOf('DELETE FROM t WHERE pg_sleep(:n) = 1'), `sql_function 8:${14 + 20}`);
    assert.equal(
      problemsOf("DELETE FROM t WHERE a = 'ä' AND pg_sleep(1) = 1"),
      `sql_function 8:${14 + 32}`,
    );
    assert.equal(
      problemsOf('DELETE FROM t WHERE :t = a AND b IN (SELECT 1)'),
      `sql_subquery 8:${14 + 33}`,
    );
    assert.equal(problemsOf('DELETE FROM t WHERE a = :other'), `unknown_argument 8:${14 + 24}`);
    assert.equal(problemsOf('DELETE FROM t WHERE a = :maybe'), `optional_argument 8:${14 + 24}`);
    assert.equal(problemsOf('DELETE FROM t WHERE a = :many'), `argument_without_text 8:${14 + 24}`);
  });

  test('a statement is of the sort that its kind says', () => {
    assert.equal(codesOf('DELETE FROM t', 'data.write'), 'sql_sort');
    assert.equal(codesOf('DELETE FROM t', 'data.read'), 'sql_sort');
    assert.equal(codesOf('INSERT INTO t (a) VALUES (1)', 'data.delete', []), 'sql_sort');
    assert.equal(codesOf('SELECT a FROM t', 'data.write', []), 'sql_sort');
    assert.equal(codesOf('SELECT a FROM t', 'data.read', []), '');
    assert.equal(codesOf('UPDATE t SET gone = 1', 'data.delete'), '');
    assert.equal(codesOf('DELETE FROM t', 'data.delete', []), 'sql_key');
  });

  test('the SELECT of the keys has the condition of the statement, and one row more than allowed', () => {
    const { statement, preview, parameters } = operationOf('UPDATE t SET a = :t WHERE b < :n', [
      'kind: data.write',
      'key: id',
      'max: { rows: 7 }',
    ]);
    assert.equal(statement, 'UPDATE "t" SET "a" = ?2 WHERE ("b" < ?1) RETURNING "id"');
    assert.ok(preview?.kind === 'select');
    assert.equal(preview.look, 'SELECT "id" FROM "t" WHERE ("b" < ?1) ORDER BY 1 LIMIT 8');
    assert.deepEqual(
      [preview.parametersCount, parameters.map(({ name }) => name)],
      [1, ['n', 't']],
    );
  });

  test('a key of several columns is given, sorted and returned as all of them', () => {
    for (const [engine, cells] of [
      ['sqlite', '"tenant", "id"'],
      ['postgres', 'CAST("tenant" AS pg_catalog.text), CAST("id" AS pg_catalog.text)'],
    ] as const) {
      const key = ['tenant', 'id'];
      const { statement, preview } = compileStatement('DELETE FROM t', { ...OPTIONS, engine, key });
      assert.equal(statement, `DELETE FROM "t" RETURNING ${cells}`);
      assert.ok(preview?.kind === 'select');
      assert.equal(preview.look, `SELECT ${cells} FROM "t" ORDER BY 1, 2 LIMIT 2`);
    }
  });

  test('a key has at most eight columns, each once, and no update changes one of them', () => {
    assert.equal(keyed('[a, b, c, d, e, f, g, h]'), '');
    assert.equal(keyed('[a, b, c, d, e, f, g, h, i]'), 'too_many');
    assert.equal(keyed('[a, b, a]'), 'sql_key');
    assert.equal(keyed('[]'), 'empty');
    assert.equal(keyed('[tenant, id]', 'UPDATE t SET ID = 2'), 'sql_key');
    assert.equal(keyed('[tenant, id]', 'UPDATE t SET b = 2'), '');
  });

  for (const [condition, postgres, sqlite] of [
    ['a IN (:many)', '"a" = ANY ($1)', '"a" IN (SELECT value FROM json_each(?1))'],
    ['a = ANY (:many)', '"a" = ANY ($1)', '"a" IN (SELECT value FROM json_each(?1))'],
    ['a NOT IN (:many)', '"a" <> ALL ($1)', '"a" NOT IN (SELECT value FROM json_each(?1))'],
    ['a <> ALL (:many)', '"a" <> ALL ($1)', '"a" NOT IN (SELECT value FROM json_each(?1))'],
  ] as const) {
    test(`\`${condition}\` binds the whole list as one parameter`, () => {
      assert.equal(conditionFor('postgres', condition), `(${postgres})`);
      assert.equal(conditionFor('sqlite', condition), `(${sqlite})`);
    });
  }

  test('a list stands alone after `IN`, and nothing else stands in `ANY`', () => {
    assert.equal(problemsOf('DELETE FROM t WHERE a IN (1, :many)'), 'argument_without_text 8:43');
    assert.equal(problemsOf('DELETE FROM t WHERE a < :many'), 'argument_without_text 8:38');
    assert.equal(codesOf('DELETE FROM t WHERE a = ANY (:n)', 'data.delete'), 'sql_unproved');
    assert.equal(codesOf('DELETE FROM t WHERE a < ANY (:many)', 'data.delete'), 'sql_unproved');
    assert.equal(codesOf('DELETE FROM t WHERE a <> ANY (:many)', 'data.delete'), 'sql_unproved');
    assert.equal(codesOf('DELETE FROM t WHERE a = ALL (:many)', 'data.delete'), 'sql_unproved');
    assert.equal(codesOf("DELETE FROM t WHERE a = ANY ('{1}')", 'data.delete'), 'sql_unproved');
    assert.equal(codesOf('DELETE FROM t WHERE :many IN (:many)', 'data.delete'), WITHOUT_TEXT);
    assert.equal(codesOf('INSERT INTO t (a) VALUES (:many)', 'data.write', []), WITHOUT_TEXT);
    assert.equal(codesOf('DELETE FROM t WHERE a IN (:nested)', 'data.delete'), WITHOUT_TEXT);
    assert.equal(codesOf('DELETE FROM t WHERE a IN (:n)', 'data.delete'), '');
  });

  test('a preview that writes says how long it may wait for locks, within a bound', () => {
    assert.equal(insertCodes('preview: rollback', 'lockTimeout: 5s'), '');
    assert.equal(insertCodes('preview: rollback'), 'rollback_unbounded');
    assert.equal(insertCodes('preview: rollback', 'lockTimeout: 5001ms'), 'rollback_unbounded');
    assert.equal(insertCodes('lockTimeout: 10m'), '');
    assert.equal(insertCodes('preview: commit', 'lockTimeout: 1s'), 'bad_operation');
    assert.equal(insertCodes('key: a'), 'sql_key');
    assert.equal(insertCodes('key: a', 'preview: rollback', 'lockTimeout: 1s'), '');
    const read = ['preview: rollback', 'lockTimeout: 1s'];
    assert.equal(codesOf('SELECT a FROM t', 'data.read', read), 'sql_key');
  });

  test('a preview that writes is the statement itself, with or without keys', () => {
    const counted = triedOf('UPDATE t SET a = :t WHERE b < :n');
    assert.equal(counted.statement, 'UPDATE "t" SET "a" = ?2 WHERE ("b" < ?1)');
    assert.deepEqual(counted.preview, { kind: 'rollback', key: [] });
    const moved = triedOf('UPDATE t SET a = a + :n', 'key: a');
    assert.equal(moved.statement, 'UPDATE "t" SET "a" = ("a" + ?1) RETURNING "a"');
    const { statement } = compileStatement('UPDATE t SET id = 1', {
      ...OPTIONS,
      preview: 'rollback',
    });
    assert.equal(
      statement,
      'WITH "touched" AS (UPDATE "t" SET "id" = 1 RETURNING CAST("id" AS pg_catalog.text) AS "key1") SELECT * FROM "touched" LIMIT 2',
    );
    const added = triedOf('INSERT INTO t (a) VALUES (:n)', 'key: [a, b]');
    assert.equal(added.statement, 'INSERT INTO "t" ("a") VALUES (?1) RETURNING "a", "b"');
    assert.deepEqual([added.preview?.kind, added.rowsInserted], ['rollback', undefined]);
  });

  test('no text of a constant or a name ends where its author did not end it', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 20 });
    fc.assert(
      fc.property(texts, fc.constantFrom(...ENGINES), (text, engine) => {
        const sql = `DELETE FROM t WHERE a = '${text.replaceAll("'", "''")}'`;
        let statement: string;
        try {
          ({ statement } = compileStatement(sql, { ...OPTIONS, engine }));
        } catch (error) {
          assert.ok(error instanceof StatementRefusal);
          return;
        }
        assert.ok(statement.includes(`= '${text.replaceAll("'", "''")}')`));
      }),
      { numRuns: 200 },
    );
  });

  test('whatever the text, it is compiled or refused', () => {
    const words = fc.constantFrom(
      ...'DELETE FROM t WHERE id = 1 ; -- /* */ ( ) :n $1 \' " UPDATE SET , SELECT UNION a.b :: int NULL ä'.split(
        ' ',
      ),
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (parts) => {
        try {
          compileStatement(parts.join(' '), OPTIONS);
        } catch (error) {
          assert.ok(error instanceof StatementRefusal, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('databases', () => {
  test('a url with a password, an unknown option or no database is refused', () => {
    for (const url of [
      'postgres://a:hunter2@db.internal/shop',
      'postgres://db.internal',
      'postgres://db.internal/shop?sslmode=allow',
      'postgres://db.internal/shop?options=-c%20x',
      'mysql://db.internal/shop',
    ]) {
      const { problems } = compile(
        `version: 1\ntargets:\n  db:\n    postgres: ${url}\n    credentials: { act: env:A, look: env:B }\n    operations: {}\n`,
      );
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['bad_url'],
        url,
      );
      assert.ok(!JSON.stringify(problems).includes('hunter2'));
    }
  });

  test('PostgreSQL needs a credential that acts, and should have one that looks', () => {
    assert.equal(
      problemsAt('postgres: postgres://db.internal/shop'),
      'credential_missing 4:5,look_missing 4:5',
    );
    assert.equal(problemsAt('sqlite: ./shop.db'), '');
  });

  test('only PostgreSQL has a credential for previews that are rolled back', () => {
    const place = 'postgres://db.internal/shop';
    const credentials = 'credentials: { act: env:A, look: env:L, rollback: env:R }';
    assert.equal(problemsAt(`postgres: ${place}\n    ${credentials}`), '');
    assert.match(
      problemsAt('sqlite: ./shop.db\n    credentials: { rollback: env:R }'),
      /^bad_cred/u,
    );
    assert.match(
      problemsAt(`http: { url: https://x.test, auth: bearer }\n    ${credentials}`),
      /^bad_cred/u,
    );
  });

  test('a probe is a SELECT without arguments', () => {
    assert.equal(problemsOfProbe('SELECT name FROM place'), '');
    assert.match(problemsOfProbe('DELETE FROM place'), /^sql_key/u);
    assert.match(problemsOfProbe('INSERT INTO place (a) VALUES (1)'), /^bad_probe/u);
  });
});
