/** SQL statements: what is written anew is one statement again, and parameters stay parameters. */
import { parseSync } from 'libpg-query';
import { readYaml, YAML_CODES } from '../../../src/facts/document/yaml.ts';
import { compileInventory } from '../../../src/facts/inventory/compile.ts';
import { INVENTORY_CODES } from '../../../src/facts/inventory/limits.ts';
import { DOCUMENT_CODES } from '../../../src/kernel/document-reader.ts';
import { onMutants } from '../mutate.ts';
import { refusedWith, type Subject, type Taken } from '../subject.ts';

const DOCUMENTS = [
  'DELETE FROM customers WHERE closed_at < :closedBefore',
  "UPDATE customers SET note = :note, name = upper(:name) WHERE id = 1 AND (note IS NULL OR note <> 'x''y')",
  'INSERT INTO shop.orders (id, "Name", amount) VALUES (:id, :name, 12.50), (2, NULL, -1)',
  'SELECT id, count(*) FROM customers WHERE id >= :from GROUP BY id ORDER BY id DESC LIMIT 10 OFFSET 2',
  "SELECT name FROM place WHERE name LIKE 'a%' AND stage IN ('live', :stage) AND id BETWEEN 1 AND 9",
  'UPDATE "Items" SET a = coalesce(a, 0) + 1, b = CASE WHEN a > 2 THEN :b ELSE b END WHERE id = :id::integer',
];
const WORDS = [
  ['SELECT', 'DELETE FROM', 'UPDATE', 'INSERT INTO', 'WHERE', 'FROM', 'JOIN', 'UNION', 'WITH a AS'],
  [
    'RETURNING *',
    'ON CONFLICT DO NOTHING',
    ';',
    '--',
    '/*',
    '*/',
    '$1',
    '?',
    ':id',
    '::text',
    '$$x$$',
  ],
  [
    '(SELECT 1)',
    'pg_sleep(9)',
    'now()',
    'customers',
    'id',
    "'x'",
    "E'\\n'",
    'U&"\\0041"',
    'NULL',
    'TRUE',
  ],
  [
    'AND',
    'OR',
    'NOT',
    '=',
    '<>',
    '||',
    '~',
    '->>',
    '@>',
    'IS DISTINCT FROM',
    'ANY(ARRAY[1])',
    'LATERAL',
  ],
  [
    'TRUNCATE t',
    'COPY t FROM PROGRAM',
    'SET ROLE x',
    'COMMIT',
    'FOR UPDATE',
    'ONLY',
    'TABLESAMPLE',
  ],
].flat();

/** Statements for both engines, as operations of each sort. */
export const SQL: Subject = {
  name: 'sql',
  codes: new Set([...YAML_CODES, ...DOCUMENT_CODES, ...INVENTORY_CODES]),
  open: () => Promise.resolve(onMutants({ documents: DOCUMENTS, words: WORDS }, take)),
};

const ENGINES = ['postgres: postgres://shop@db.internal/shop', 'sqlite: /srv/shop.db'];

function take(input: Buffer): Taken {
  const text = input.toString('utf8');
  const results = ENGINES.map((place) => takeAt(place, text));
  return results.find((each) => each !== 'accepted') ?? 'accepted';
}

function takeAt(place: string, text: string): Taken {
  const kind = /^\s*delete/iu.test(text) ? 'data.delete' : kindOf(text);
  const { document, problems } = readYaml(inventoryOf(place, kind, text), 'inventory.yaml');
  if (document === undefined) return refusedWith(problems);
  const compiled = compileInventory({ document, baseDirectory: '/srv' });
  const errors = compiled.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return refusedWith(errors);
  const binding = compiled.inventory?.targets.get('shop-db')?.operations.get('run')?.binding;
  if (binding?.kind !== 'sql') throw new Error('a statement without an operation');
  const { statement, preview } = binding;
  const written =
    preview?.kind === 'select' ? [statement, preview.look, preview.lock] : [statement];
  for (const each of written) {
    const { stmts } = parseSync(each.replaceAll(/\?(\d+)/gu, '$$$1')) as { stmts: unknown[] };
    if (stmts.length !== 1) throw new Error(`${String(stmts.length)} statements were written`);
  }
  return 'accepted';
}

function kindOf(text: string): string {
  return /^\s*select/iu.test(text) ? 'data.read' : 'data.write';
}

function inventoryOf(place: string, kind: string, text: string): string {
  const key = kind === 'data.read' || /^\s*insert/iu.test(text) ? '' : '        key: id\n';
  return `version: 1
targets:
  shop-db:
    ${place}
    ${place.startsWith('postgres') ? 'credentials: { act: env:ACT, look: env:LOOK }' : 'owner: shop'}
    operations:
      run:
        kind: ${kind}
        args: { id: integer, name: string, note: string, from: integer, stage: string, b: integer, closedBefore: date }
        sql: ${JSON.stringify(text)}
${key}`;
}
