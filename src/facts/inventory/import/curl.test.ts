import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import type { HttpOperation, Operation, Target } from '../../../kernel/inventory.ts';
import { readYaml } from '../../document/yaml.ts';
import { compileInventory } from '../compile.ts';
import { importCurl } from './curl.ts';
import { shellWords } from './shell-words.ts';

function textOf(line: string): string {
  const imported = importCurl(line);
  assert.ok(imported.ok, imported.ok ? '' : `${imported.code}: ${imported.message}`);
  return imported.text;
}

function refusal(line: string): string {
  const imported = importCurl(line);
  return imported.ok ? 'imported' : `${imported.code} ${imported.position ?? ''}`.trim();
}

/** The one target and operation that a line compiles to. */
function compiled(line: string): { target: Target; operation: Operation; binding: HttpOperation } {
  const { document, problems } = readYaml(textOf(line), 'draft.yaml');
  assert.ok(document !== undefined, JSON.stringify(problems));
  const result = compileInventory({ document, baseDirectory: '/' });
  assert.deepEqual(
    result.problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  const [target] = result.inventory?.targets.values() ?? [];
  const [operation] = target?.operations.values() ?? [];
  assert.ok(target !== undefined && operation?.binding.kind === 'http');
  return { target, operation, binding: operation.binding };
}

function types({ arguments: fields }: Operation): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, type.kind]));
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function words(line: string): readonly string[] {
  return shellWords(line).map(({ text }) => text);
}

describe('an import of a curl command', () => {
  test('a form becomes arguments, and the credential a reference', () => {
    const line = `curl -sS -X POST "https://api.pay.example/v1/refunds" \\
      -H 'Authorization: Bearer sk_live_abcdefgh12345678' \\
      -d charge=ch_3P -d amount=4990 --data-urlencode 'note=twice & again'`;
    const { target, operation, binding } = compiled(line);
    assert.equal(target.name, 'api-pay-example');
    assert.deepEqual(target.executor, {
      kind: 'http',
      url: 'https://api.pay.example',
      auth: 'bearer',
      addressesAllowed: [],
    });
    assert.equal(target.credentials.act, 'file:/run/secrets/api-pay-example');
    assert.deepEqual(
      [operation.name, operation.kind, binding.method, binding.body.kind],
      ['post-v1-refunds', 'money.transfer', 'POST', 'form'],
    );
    assert.deepEqual(types(operation), { charge: 'string', amount: 'integer', note: 'string' });
    assert.match(textOf(line), /kind: money\.transfer # guessed: POST, and it says `refunds`/u);
  });

  test('a JSON body becomes arguments with the types of its values', () => {
    const body =
      '{"to":{"city":"Bern"},"at":"2026-11-22T04:12:00Z","on":true,"n":1.5,"tags":["a"]}';
    const { operation, binding } = compiled(
      `curl https://x.example/orders/4711/items --json '${body}' -H 'Accept: application/json'`,
    );
    assert.deepEqual(types(operation), {
      order: 'string',
      to: 'object',
      at: 'instant',
      on: 'boolean',
      n: 'decimal',
      tags: 'array',
    });
    assert.equal(binding.body.kind, 'json');
    assert.deepEqual(Object.keys(binding.headers), ['Accept']);
  });

  test('a GET with a query reads', () => {
    const { operation, binding } = compiled(`curl -G 'x.example/search?page=2' -d q=shoes`);
    assert.deepEqual([operation.kind, binding.method], ['data.read', 'GET']);
    assert.deepEqual(Object.keys(binding.query), ['page', 'q']);
  });

  test('no value of the line is written down, wherever a secret may stand', () => {
    const secret = 'hunter2hunter2hunter2x';
    const lines = [
      `curl https://x.example -H 'Authorization: Bearer ${secret}'`,
      `curl https://x.example -H 'authorization: Token ${secret}'`,
      `curl https://x.example -H 'X-Api-Key: ${secret}'`,
      `curl https://x.example -H 'X-Custom: ${secret}'`,
      `curl https://x.example -H 'Cookie: s=${secret}' -b s=${secret}`,
      `curl https://bot:${secret}@x.example`,
      `curl https://x.example -u bot:${secret}`,
      `curl https://x.example --oauth2-bearer ${secret}`,
      `curl 'https://x.example/?api_key=${secret}&q=${secret}'`,
      `curl https://x.example -d password=${secret} -d other=${secret}`,
      `curl https://x.example --json '{"token":"${secret}","a":{"b":"${secret}"}}'`,
      `curl https://x.example/hooks/T0${secret}/${secret}`,
      `curl https://x.example -x ${secret}`,
      `curl https://x.example --unknown=${secret}`,
      `curl https://x.example -Hx:y -d '{${secret}' -H 'Content-Type: application/json'`,
    ];
    for (const line of lines) {
      assert.ok(!JSON.stringify(importCurl(line)).includes(secret), line);
    }
  });

  test('what a shell would act on is refused by name, at its character', () => {
    const cases: Readonly<Record<string, string>> = {
      'curl $(id)': 'shell_substitution 6',
      'curl "x.example/$(id)"': 'shell_substitution 17',
      'curl `id`': 'shell_substitution 6',
      'curl "`id`"': 'shell_substitution 7',
      'curl <(id)': 'shell_substitution 6',
      'curl $HOME': 'shell_variable 6',
      'curl "${HOME}"': 'shell_variable 7',
      "curl $'a\\nb'": 'shell_variable 6',
      'curl x.example; id': 'shell_operator 15',
      'curl x.example | sh': 'shell_operator 16',
      'curl x.example && id': 'shell_operator 16',
      'curl x.example?a=1&b=2': 'shell_operator 19',
      'curl x.example\nid': 'shell_operator 15',
      'curl x.example > f': 'shell_redirection 16',
      'curl x.example < f': 'shell_redirection 16',
      'curl x.example # no': 'shell_comment 16',
      "curl 'x.example": 'shell_quote_open 6',
      'curl "x.example': 'shell_quote_open 6',
      'curl x.example \\': 'shell_quote_open 16',
      'wget x.example': 'not_curl 1',
      '': 'not_curl 1',
      'curl x.example -d @f': 'file_reference 16',
      'curl x.example --data-binary @f': 'file_reference 16',
      'curl x.example --data-urlencode n@f': 'file_reference 16',
      'curl x.example --json @f': 'file_reference 16',
      'curl x.example -H @f': 'file_reference 16',
      'curl x.example -T f': 'file_reference 16',
      'curl -K f': 'file_reference 6',
      'curl x.example -F a=@f': 'body_unsupported 16',
      'curl x.example --frobnicate': 'option_unknown 16',
      'curl x.example -d': 'option_without_value 16',
      'curl x.example -I': 'method_unsupported',
      'curl -X TRACE x.example': 'method_unsupported',
      'curl -s': 'url_missing',
      'curl a.example b.example': 'url_refused 16',
      'curl file:///etc/passwd': 'url_refused',
      "curl 'x.example/{a,b}'": 'url_refused',
      "curl x.example -X GET -d 'a=b'": 'body_unsupported',
      "curl x.example -H 'Content-Type: text/xml' -d '<a/>'": 'body_unsupported',
    };
    for (const [line, expected] of Object.entries(cases)) {
      assert.equal(refusal(line), expected, line);
    }
    assert.equal(refusal(`curl ${'x'.repeat(262_144)}`), 'import_too_large');
    assert.equal(refusal("curl 'https://x.example/?a%12=1'"), 'name_refused');
    assert.equal(refusal(`curl https://x.example/ -H '${'x'.repeat(1025)}: 1'`), 'name_refused');
  });

  test('quotes make of a text what a shell makes of it', () => {
    assert.deepEqual(words(`a 'b c' "d \\"e\\" \\$f \\n" g\\ h ''`), [
      'a',
      'b c',
      'd "e" $f \\n',
      'g h',
      '',
    ]);
    assert.deepEqual(words(`a'$(x)'"b" c#d \\\n e  `), ['a$(x)b', 'c#d', 'e']);
  });

  test('any words, quoted as a shell needs it, are read back the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 8 }),
        (given) => {
          const read = words(given.map(quoted).join(' '));
          assert.deepEqual(read, given);
        },
      ),
    );
  });

  test('whatever is imported compiles, and everything else is refused', () => {
    const part = fc.string({ unit: 'grapheme', maxLength: 12 });
    const line = fc
      .tuple(part, fc.dictionary(part, fc.jsonValue()), part, part)
      .map(([path, body, header, value]) => {
        const json = quoted(JSON.stringify(body));
        return `curl ${quoted(`https://x.example/${path}`)} --json ${json} -H ${quoted(`${header}: ${value}`)}`;
      });
    fc.assert(
      fc.property(line, (text) => {
        if (importCurl(text).ok) compiled(text);
      }),
      { numRuns: 300 },
    );
  });
});
