import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readYaml } from '../document/yaml.ts';
import { compileInventory } from './compile.ts';
import {
  compile,
  http,
  process,
  SHOP,
  told,
} from '../../../test/fixtures/facts/inventory-texts.ts';

// ---------------------------------------------------------------- what is refused, and where

const OPERATIONS: readonly (readonly [what: string, text: string, ...problems: string[]])[] = [
  [
    'an unknown kind',
    http('request: { POST: /x }').replace('api.call', 'money.transfr'),
    'unknown_kind 7:15',
  ],
  [
    'a reference to no argument',
    http('request: { POST: /x, form: { x: $b } }'),
    'unknown_argument 9:41',
  ],
  [
    'a reference into a text',
    http('request: { POST: /x, form: { x: $a.b } }'),
    'unknown_argument 9:41',
  ],
  [
    'a part that money has not',
    http('request: { POST: /x, form: { x: $m.major } }'),
    'unknown_argument 9:41',
  ],
  [
    'a member that an object has not',
    http('request: { POST: /x, form: { x: $o.z } }'),
    'unknown_argument 9:41',
  ],
  [
    'a reference of the object prototype',
    http('request: { POST: /x, form: { x: $toString } }'),
    'unknown_argument 9:41',
  ],
  ['a dollar alone', http('request: { POST: /x, form: { x: "5 $" } }'), 'bad_template 9:41'],
  [
    'a list in a form',
    http('request: { POST: /x, form: { x: $l } }'),
    'argument_without_text 9:41',
  ],
  [
    'an object in a text',
    http('request: { POST: /x, json: { x: "a $o" } }'),
    'argument_without_text 9:41',
  ],
  ['an unknown argument in a path', http('request: { POST: "/x/{b}" }'), 'unknown_argument 9:26'],
  ['an optional argument in a path', http('request: { POST: "/x/{n}" }'), 'optional_argument 9:26'],
  ['an optional member in a path', http('request: { POST: "/x/{o.y}" }'), 'optional_argument 9:26'],
  ['an open brace in a path', http('request: { POST: "/x/{a" }'), 'bad_template 9:26'],
  ['a relative path', http('request: { POST: x }'), 'bad_path 9:26'],
  ['a path that climbs', http('request: { POST: /x/../y }'), 'bad_path 9:26'],
  ['a path of another host', http('request: { POST: //evil.example/x }'), 'bad_path 9:26'],
  ['a path with a fragment', http('request: { POST: "/x#y" }'), 'bad_path 9:26'],
  ['a query given twice', http('request: { POST: /x?a=1, query: { a: 2 } }'), 'bad_path 9:41'],
  ['two methods', http('request: { POST: /x, GET: /y }'), 'bad_request 9:18'],
  ['no method', http('request: { form: { a: b } }'), 'bad_request 9:18'],
  ['two bodies', http('request: { POST: /x, form: {}, json: {} }'), 'bad_request 9:46'],
  ['a GET with a body', http('request: { GET: /x, json: {} }'), 'bad_request 9:35'],
  [
    'a header of the layer',
    http('request: { POST: /x, headers: { AUTHORIZATION: $a } }'),
    'bad_header 9:41',
  ],
  ['a host of its own', http('request: { POST: /x, headers: { host: a } }'), 'bad_header 9:41'],
  [
    'a length of its own',
    http('request: { POST: /x, headers: { Content-Length: 3 } }'),
    'bad_header 9:41',
  ],
  [
    'an idempotency key of its own',
    http('request: { POST: /x, headers: { Idempotency-Key: k } }'),
    'bad_header 9:41',
  ],
  [
    'a header given in two spellings',
    http('request: { POST: /x, headers: { x-a: 1, X-A: 2 } }'),
    'bad_header 9:49',
  ],
  [
    'a header that is none',
    http('request: { POST: /x, headers: { "x y": 1 } }'),
    'bad_header 9:41',
  ],
  [
    'a number json cannot carry',
    http('request: { POST: /x, json: { a: 9007199254740993 } }'),
    'bad_number 9:41',
  ],
  [
    'a preview that writes',
    http('request: { POST: /x }\npreview: { POST: /x }'),
    'missing_key 10:18',
    'unknown_key 10:20',
  ],
  [
    'an execution in a preview',
    http('request: { POST: /x }\npreview: { GET: "/x/{executionId}", material: [/a] }'),
    'bad_template 10:25',
  ],
  [
    'ifMatch without a preview',
    http('request: { POST: /x }\nifMatch: preview'),
    'no_preview 10:18',
  ],
  [
    'a pointer that is none',
    http('request: { POST: /x }\npreview: { GET: /x, material: [a] }'),
    'bad_pointer 10:40',
  ],
  [
    'a status out of range',
    http('request: { POST: /x }\nstatuses: { 99: failed }'),
    'bad_outcome 10:21',
  ],
  [
    'an outcome that is none',
    http('request: { POST: /x }\nstatuses: { 404: ok }'),
    'bad_choice 10:26',
  ],
  [
    'a measure the kind has not',
    http('request: { POST: /x }\nmeasures: { rows: "1" }'),
    'measure_unknown 10:27',
  ],
  [
    'an expression that reads no argument',
    http('request: { POST: /x }\nonce: args.b'),
    'expression_unknown 10:15',
  ],
  [
    'a visible argument that is none',
    http('request: { POST: /x }\nvisible: [a, b]'),
    'unknown_argument 10:22',
  ],
  ['a timeout that is none', http('request: { POST: /x }\ntimeout: 5'), 'bad_duration 10:18'],
  ['a size that is none', http('request: { POST: /x }\noutput: 5MB'), 'bad_size 10:17'],
  ['a size that is too large', http('request: { POST: /x }\noutput: 17MiB'), 'bad_size 10:17'],
  ['a program at an http target', http('run: [/bin/true]'), 'missing_key 7:9', 'unknown_key 9:9'],
  [
    'a blob at a target that runs no program',
    http('request: { POST: /x, json: { a: $a } }', '{ a: blob }'),
    'misplaced_blob 8:20',
  ],
  ['a list of blobs', process('run: [/bin/true]', '{ a: list(blob) }'), 'bad_type 8:20'],
  [
    'an object with a blob',
    process('run: [/bin/true]', '{ a: { object: { b: blob } } }'),
    'bad_type 8:35',
  ],
  [
    'a plan of another sort',
    process('run: [/bin/true]\npreview: { run: [/bin/true], as: pulumi-plan }'),
    'bad_choice 10:42',
  ],
  [
    'a plan with a material part besides',
    process('run: [/bin/true]\npreview: { run: [/bin/true], as: terraform-plan, material: /a }'),
    'bad_operation 10:42',
  ],
  ['a program by name alone', process('run: [terraform, apply]'), 'bad_path 9:15'],
  ['a program that an argument names', process('run: ["/bin/$a"]'), 'bad_path 9:15'],
  ['no words', process('run: []'), 'bad_operation 9:14'],
  ['a word that may be left out', process('run: [/bin/echo, $n]'), 'optional_argument 9:26'],
  [
    'an exit code out of range',
    process('run: [/bin/true]\nexits: { 256: failed }'),
    'bad_outcome 10:18',
  ],
  [
    'evidence without meaning',
    process('run: [/bin/true]\nreconcile: { run: [/bin/true] }'),
    'missing_key 10:20',
  ],
  [
    'an argument named like nothing',
    http('request: { POST: /x }', '{ a-b: string }'),
    'bad_argument_name 8:17',
  ],
  [
    'an argument named like the execution',
    http('request: { POST: /x }', '{ executionId: string }'),
    'bad_argument_name 8:17',
  ],
  [
    'a currency that is none',
    http('request: { POST: /x }', '{ a: money(EURO) }'),
    'unknown_currency 8:20',
  ],
  ['a type that is none', http('request: { POST: /x }', '{ a: strng }'), 'bad_type 8:20'],
  ['a type without its parameter', http('request: { POST: /x }', '{ a: money }'), 'bad_type 8:20'],
  [
    'a parameter of a type without',
    http('request: { POST: /x }', '{ a: date(1) }'),
    'bad_type 8:20',
  ],
  [
    'an enum with a value twice',
    http('request: { POST: /x }', '{ a: { enum: [x, x] } }'),
    'bad_type 8:28',
  ],
  [
    'a host in upper case',
    http('request: { POST: /x }', '{ a: url(API.example) }'),
    'bad_type 8:20',
  ],
  [
    'a list of what may be missing',
    http('request: { POST: /x }', '{ a: list(string?) }'),
    'bad_type 8:20',
  ],
  ['a list of nothing', http('request: { POST: /x }', '{ a: "list(string, 0)" }'), 'bad_type 8:20'],
  [
    'a list that is too long',
    http('request: { POST: /x }', '{ a: "list(string, 10001)" }'),
    'bad_type 8:20',
  ],
  [
    'two types at once',
    http('request: { POST: /x }', '{ a: { type: string, enum: [x] } }'),
    'bad_type 8:20',
  ],
  [
    'a text that is too long',
    http('request: { POST: /x }', '{ a: string(65537) }'),
    'bad_type 8:20',
  ],
];

for (const [what, text, ...problems] of OPERATIONS) {
  test(`${what} is refused where it stands`, () => {
    const result = compile(text);
    assert.equal(result.inventory, undefined);
    assert.deepEqual([...told(result)].toSorted(), problems.toSorted());
  });
}

function targetWith(given: string): string {
  return `version: 1\ntargets:\n  t: { ${given}, operations: {} }\n`;
}

const TARGETS: readonly (readonly [what: string, text: string, ...problems: string[]])[] = [
  ['a version that is not known', 'version: 2\ntargets: {}\n', 'bad_version 1:10'],
  ['a misspelt key', 'version: 1\ntragets: {}\n', 'missing_key 1:1', 'unknown_key 2:1'],
  ['a target that is reached by nothing', targetWith('owner: a'), 'bad_executor 3:6'],
  [
    'a target that is reached twice',
    targetWith('http: https://a.example, process: /srv'),
    'bad_executor 3:6',
  ],
  [
    'a name that is none',
    targetWith('http: https://a.example').replace('  t:', '  T:'),
    'bad_name 3:3',
  ],
  ['a url with a password', targetWith('http: "https://a:hunter2@a.example"'), 'bad_url 3:14'],
  ['a url with a query', targetWith('http: "https://a.example/?x"'), 'bad_url 3:14'],
  ['a url of another scheme', targetWith('http: "file:///etc/passwd"'), 'bad_url 3:14'],
  [
    'a range that is none',
    targetWith('http: { url: https://a.example, allow: [10.0.0.0/33] }'),
    'bad_range 3:48',
  ],
  [
    'a secret instead of a reference',
    targetWith(
      'http: { url: https://a.example, auth: bearer }, credentials: { act: hunter2, look: env:L }',
    ),
    'bad_credential 3:76',
    'credential_missing 3:56',
  ],
  [
    'a credential that nothing uses',
    targetWith('http: https://a.example, credentials: { act: env:A }'),
    'bad_credential 3:33',
  ],
  [
    'a credential that is not there',
    targetWith('http: { url: https://a.example, auth: bearer }, credentials: { look: env:L }'),
    'credential_missing 3:56',
  ],
  [
    'a command that only a shell could read',
    targetWith(
      'http: { url: https://a.example, auth: bearer }, credentials: { act: "exec:/bin/x $A", look: env:L }',
    ),
    'bad_credential 3:76',
    'credential_missing 3:56',
  ],
  [
    'an auth that is none',
    targetWith('http: { url: https://a.example, auth: digest }'),
    'bad_choice 3:46',
  ],
  [
    'an auth of two schemes',
    targetWith(
      'http: { url: https://a.example, auth: { oauth2: { tokenUrl: https://b.example }, sigv4: { region: a, service: b } } }',
    ),
    'bad_auth 3:46',
  ],
  [
    'an auth of no scheme',
    targetWith('http: { url: https://a.example, auth: {} }'),
    'bad_auth 3:46',
  ],
  [
    'a token url with a password',
    targetWith('http: { url: https://a.example, auth: { oauth2: { tokenUrl: "https://u:p@b" } } }'),
    'bad_url 3:68',
  ],
  [
    'a scope that is none',
    targetWith(
      'http: { url: https://a.example, auth: { oauth2: { tokenUrl: https://b.example, scope: "a  b" } } }',
    ),
    'bad_auth 3:94',
  ],
  [
    'a region that is none',
    targetWith('http: { url: https://a.example, auth: { sigv4: { region: a/b, service: s3 } } }'),
    'bad_auth 3:65',
  ],
  [
    'a client certificate over plain http',
    targetWith('http: { url: http://127.0.0.1, auth: mtls }'),
    'bad_auth 3:14',
  ],
  [
    'a certificate beside a token',
    targetWith(
      'http: { url: https://a.example, auth: bearer }, credentials: { act: { certificate: env:A, key: env:B }, look: env:C }',
    ),
    'bad_credential 3:56',
  ],
  [
    'a certificate without a key',
    targetWith(
      'http: { url: https://a.example, auth: mtls }, credentials: { act: { certificate: env:A }, look: env:C }',
    ),
    'credential_missing 3:54',
    'missing_key 3:74',
  ],
  [
    'a probe of a file behind http',
    targetWith('http: https://a.example, probe: { file: /x, field: /id }'),
    'bad_probe 3:42',
  ],
  [
    'a probe by request of a program',
    targetWith('process: /srv, probe: { GET: /x, field: /id }'),
    'bad_probe 3:32',
  ],
  ['an empty pointer', targetWith('process: /srv, probe: { file: x, field: "" }'), 'empty 3:48'],
  [
    'a variable that is none',
    targetWith('process: { cwd: /srv, environment: [A=B] }'),
    'bad_executor 3:44',
  ],
  ['a user that is none', targetWith('process: { cwd: /srv, user: "a b" }'), 'bad_executor 3:36'],
  [
    'a user and a sandbox',
    targetWith('process: { cwd: /srv, user: web, sandbox: bwrap }'),
    'bad_executor 3:50',
  ],
  [
    'a sandbox that is not known',
    targetWith('process: { cwd: /srv, sandbox: docker }'),
    'bad_choice 3:39',
  ],
  ['a home directory in a path', targetWith('process: ~/srv'), 'bad_path 3:17'],
];

for (const [what, text, ...problems] of TARGETS) {
  test(`${what} is refused where it stands`, () => {
    const result = compile(text);
    assert.equal(result.inventory, undefined);
    assert.deepEqual([...told(result)].toSorted(), problems.toSorted());
  });
}

test('a message never repeats what may be a secret', () => {
  const texts = [
    targetWith('http: "https://a:hunter2@a.example"'),
    targetWith(
      'http: { url: https://a.example, auth: bearer }, credentials: { act: hunter2, look: env:L }',
    ),
    targetWith(
      'http: { url: https://a.example, auth: bearer }, credentials: { act: "exec:/x $hunter2", look: env:L }',
    ),
  ];
  for (const text of texts) assert.ok(!JSON.stringify(compile(text).problems).includes('hunter2'));
});

function hints(text: string): readonly (string | undefined)[] {
  return compile(text).problems.map(({ hint }) => hint);
}

test('a misspelt name says what was meant', () => {
  assert.match(
    hints(http('request: { POST: /x }').replace('api.call', 'money.transfr'))[0] ?? '',
    /money\.transfer/u,
  );
  assert.match(
    hints(http('request: { POST: /x, form: { x: $chrge } }', '{ charge: string }'))[0] ?? '',
    /charge/u,
  );
  assert.match(hints(http('request: { POST: /x }', '{ a: money(EUX) }'))[0] ?? '', /EU/u);
  assert.match(
    hints(http('request: { POST: /x }').replace('operations:', 'operatons:'))[0] ?? '',
    /operations/u,
  );
});

test('every problem is told at once, in the order of the file', () => {
  const text = SHOP.replace('money(EUR)', 'money(EURO)')
    .replace('kind: code.execute', 'kind: code.exec')
    .replace('$executionId } }', '$exeId } }');
  const lines = compile(text).problems.map(({ position }) => position.line);
  assert.deepEqual(
    lines,
    lines.toSorted((left, right) => left - right),
  );
  assert.deepEqual(new Set(lines), new Set([12, 13, 26]));
});

const WARNINGS: readonly (readonly [what: string, text: string, problem: string])[] = [
  [
    'a read that is sent as POST',
    http('request: { POST: /x }').replace('api.call', 'data.read'),
    'read_may_write 9:9',
  ],
  [
    'a preview that nobody consents to',
    http('request: { POST: /x }\npreview: { GET: /x, context: [/a] }'),
    'preview_empty 10:18',
  ],
  [
    'previews with the credential that writes',
    targetWith('http: { url: https://a.example, auth: bearer }, credentials: { act: env:A }'),
    'look_missing 3:56',
  ],
  [
    'a credential in the clear on the way to its token',
    targetWith(
      'http: { url: https://a.example, auth: { oauth2: { tokenUrl: http://a.example } } }, credentials: { act: env:A, look: env:L }',
    ),
    'credential_in_clear 3:92',
  ],
  [
    'a credential in the clear',
    targetWith(
      'http: { url: http://a.example, auth: bearer }, credentials: { act: env:A, look: env:L }',
    ),
    'credential_in_clear 3:55',
  ],
];

for (const [what, text, problem] of WARNINGS) {
  test(`${what} is a warning and no error`, () => {
    const result = compile(text);
    assert.ok(result.inventory !== undefined);
    assert.deepEqual(told(result), [problem]);
  });
}

// ---------------------------------------------------------------- whatever is given

test('any document gives an inventory or an error, and never throws', () => {
  const words = fc.constantFrom(
    'version',
    'targets',
    'http',
    'process',
    'operations',
    'kind',
    'args',
    'request',
    'run',
    'POST',
    'form',
    'preview',
    'measures',
    'credentials',
    'act',
    'url',
    'api.call',
    '/x/{a}',
    '$a',
    '$',
    '1',
    '~',
    'list(',
    '__proto__',
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      words,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(words, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, tree, (operation, top) => {
      const wrapped = {
        version: 1,
        targets: { t: { process: '/srv', operations: { o: operation } } },
      };
      for (const value of [wrapped, top]) {
        const { document } = readYaml(JSON.stringify(value), 'x');
        if (document === undefined) continue;
        const result = compileInventory({ document, baseDirectory: '/' });
        const errors = result.problems.filter(({ severity }) => severity === 'error');
        assert.equal(result.inventory === undefined, errors.length > 0);
      }
    }),
    { numRuns: 500 },
  );
});
