/** What an inventory can be drafted from: curl lines and OpenAPI documents. A draft is an inventory. */
import { readYaml } from '../../../src/facts/document/yaml.ts';
import { compileInventory } from '../../../src/facts/inventory/compile.ts';
import { importCurl } from '../../../src/facts/inventory/import/curl.ts';
import { IMPORT_CODES, type Imported } from '../../../src/facts/inventory/import/draft.ts';
import { importOpenApi } from '../../../src/facts/inventory/import/openapi.ts';
import { onMutants } from '../mutate.ts';
import { refusedWith, type Subject, type Taken } from '../subject.ts';

const LINES = [
  `curl -X POST https://api.pay.example/v1/refunds -H 'Content-Type: application/json' -H "X-Api-Key: abc123" -d '{"charge":"ch_1","amount":12.5,"tags":["a"],"deep":{"x":null}}'`,
  "curl -u user:pass 'https://api.example.com/v1/charges/42?limit=10&q=a%20b' --compressed -sS",
  'curl --request DELETE "https://api.example.com/v1/orders/0193b2a0-0000-7000-8000-000000000001" --header "Authorization: Bearer t" --max-time 5',
  "curl https://api.example.com/form --data-urlencode 'name=J D' --data 'a=1&b=2' -G",
  "curl 'http://127.0.0.1:8080/x' --data-raw $'line\\nbreak' \\\n  -H 'Accept: */*' -o out.json",
];
const LINE_WORDS = [
  [
    'curl',
    '-X',
    'POST',
    '-H',
    '-d',
    '--data-binary',
    '@/etc/passwd',
    '-F',
    'a=@b',
    '-G',
    '-u',
    '-k',
  ],
  ['-x', '--proxy', '--resolve', '-K', '--next', '-T', '-b', 'c=1', '-e', '--url', '-I', '--json'],
  [
    '$(id)',
    '`id`',
    '$HOME',
    '&&',
    '|',
    '>',
    '<',
    "'",
    '"',
    '\\',
    "$'\\x41'",
    '{1..9}',
    '[1-9]',
    '~',
  ],
  [
    'https://a.example/',
    'file:///etc/passwd',
    'ftp://x/',
    'https://u:p@h/',
    '//x',
    '%00',
    '#f',
    '?a=1&a=2',
  ],
].flat();

/** Lines of curl. */
export const CURL: Subject = {
  name: 'curl',
  codes: new Set(IMPORT_CODES),
  open: () =>
    Promise.resolve(
      onMutants({ documents: LINES, words: LINE_WORDS }, (input) =>
        takenOf(importCurl(input.toString('utf8'))),
      ),
    ),
};

const OPENAPI_JSON = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Shop API', version: '1' },
  servers: [{ url: 'https://{region}.api.example/v1', variables: { region: { default: 'eu' } } }],
  security: [{ key: [] }],
  paths: {
    '/charges/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'getCharge', responses: {} },
      delete: { summary: 'Delete a charge', responses: {} },
    },
    '/refunds': {
      post: {
        operationId: 'refund',
        description: 'Refund a charge',
        parameters: [{ name: 'X-Trace', in: 'header', schema: { type: 'integer', maximum: 9 } }],
        requestBody: {
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Refund' } } },
        },
        responses: {},
      },
    },
  },
  components: {
    securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    schemas: {
      Refund: {
        type: 'object',
        required: ['charge'],
        properties: {
          charge: { type: 'string', maxLength: 64 },
          amount: { type: 'number' },
          reason: { enum: ['a', 'b'] },
          lines: { type: 'array', items: { $ref: '#/components/schemas/Line' } },
        },
      },
      Line: {
        allOf: [{ type: 'object', properties: { parent: { $ref: '#/components/schemas/Line' } } }],
      },
    },
  },
});
const OPENAPI_YAML = `openapi: 3.0.3
info: { title: "A: b", version: 1 }
servers: [{ url: /v2 }]
paths:
  /users/{user}/keys:
    post:
      parameters:
        - { name: user, in: path, required: true, schema: { type: string, format: uuid } }
        - { name: dry run, in: query, schema: { type: boolean, nullable: true } }
      requestBody:
        content: { application/x-www-form-urlencoded: { schema: { type: object, additionalProperties: true } } }
`;
const OPENAPI_WORDS: readonly string[] = [
  [
    '"$ref"',
    '"#/paths/~1refunds/post"',
    '"https://evil.example/x.json"',
    '"#/components/schemas/Refund"',
  ],
  [
    '"oneOf"',
    '"anyOf"',
    '"type"',
    '["string","null"]',
    '"array"',
    '"items"',
    '"in"',
    '"cookie"',
    '"../x"',
  ],
  [
    '{}',
    '[]',
    'null',
    '&a',
    '*a',
    '<<: *a',
    '!!js/function',
    '- ',
    '? ',
    '"__proto__"',
    '"constructor"',
  ],
  [
    '"/a/{b}/{c}"',
    '"get"',
    '"patch"',
    '"trace"',
    '"required"',
    '"servers"',
    '"javascript:alert(1)"',
  ],
].flat();

/** OpenAPI documents, as JSON and as YAML. */
export const OPENAPI: Subject = {
  name: 'openapi',
  codes: new Set(IMPORT_CODES),
  open: () =>
    Promise.resolve(
      onMutants({ documents: [OPENAPI_JSON, OPENAPI_YAML], words: OPENAPI_WORDS }, (input) =>
        takenOf(importOpenApi(input.toString('utf8'), { origin: 'a document' })),
      ),
    ),
};

/** A draft compiles, whatever it was made from: nothing of the source ended a line or a quote of it. */
function takenOf(imported: Imported): Taken {
  if (!imported.ok) return refusedWith([imported]);
  const { document, problems } = readYaml(imported.text, 'draft.yaml');
  const compiled =
    document === undefined ? { problems } : compileInventory({ document, baseDirectory: '/srv' });
  const error = compiled.problems.find(({ severity }) => severity === 'error');
  if (error === undefined) return 'accepted';
  const { code, message, position } = error;
  throw new Error(`the draft is none: ${String(position.line)}: ${code}: ${message}`);
}
