/** Imports by the command: a transcript, a document over HTTP, and files that are never overwritten. */
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSession } from './transcript.ts';

const TRANSCRIPT = fileURLToPath(new URL('transcripts-offline/import.txt', import.meta.url));

const PAY = `openapi: 3.1.0
info: { title: Pay, version: '1' }
servers: [{ url: /v1 }, { url: https://other.example }]
components:
  securitySchemes: { key: { type: http, scheme: bearer } }
paths:
  /charges/{charge}:
    get: { operationId: getCharge, summary: Shows a charge }
  /refunds:
    post:
      operationId: createRefund
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [charge, amount]
              properties:
                charge: { type: string, maxLength: 64 }
                amount: { type: integer, minimum: 1 }
                reason: { type: string, enum: [duplicate, requested by customer] }
`;

let directory: string;
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'exequatur-import-')));
  writeFileSync(join(directory, 'pay.yaml'), PAY);
  const remote = PAY.replace('{ type: string, maxLength: 64 }', '{ $ref: https://x.example/y }');
  writeFileSync(join(directory, 'remote.yaml'), remote);
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

test('the command prints what transcripts-offline/import.txt says', async () => {
  await openSession(directory).play(TRANSCRIPT);
});

test('a document is printed as a draft in which every guess is marked', async () => {
  const { stdout, code } = await openSession(directory).type(
    'exequatur inventory import openapi pay.yaml',
  );
  assert.equal(code, 0);
  assert.equal(
    stdout.slice(stdout.indexOf('version: 1')),
    `version: 1
targets:
  # Made from pay.yaml. Read all of it before a layer does: what is marked
  # \`guessed\` is only a guess, and an agent can do whatever stands here.
  # A target is production unless \`environment:\` says otherwise.
  pay:
    # guessed: the document does not say where the system is
    # other servers that the document names: 1
    http: { url: https://api.example.invalid/v1, auth: bearer }
    # Put the secrets into these files: \`act\` performs, \`look\` cannot write.
    credentials: { act: file:/run/secrets/pay, look: file:/run/secrets/pay-read }
    # probe: { GET: /…, field: /id } says how the system tells who it is.
    operations:
      get-charge:
        # Shows a charge
        kind: data.read # guessed: GET reads
        args:
          charge: string(1000) # guessed: a text, for no type is given
        request:
          GET: "/charges/{charge}"
      create-refund:
        kind: money.transfer # guessed: POST, and it says \`refund\`
        args:
          charge: string(64)
          amount: integer # from 1 to …, which a rule can check
          reason: { enum: [duplicate, "requested by customer"], optional: true }
        request:
          POST: /refunds
          json:
            charge: $charge
            amount: $amount
            reason: $reason
        # for rules: measures: { amount: args.…, payee: args.… }
`,
  );
});

test('a curl command is printed as a draft without its secret', async () => {
  const { stdout, code } = await openSession(directory).type(
    'exequatur inventory import curl "curl https://api.pay.example/v1/refunds -H \'Authorization: Bearer sk_live_1234567890\' -d charge=ch_3P"',
  );
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /sk_live|ch_3P/u);
  assert.match(stdout, /credentials: \{ act: file:\/run\/secrets\/api-pay-example,/u);
  assert.match(stdout, /form:\n +charge: \$charge\n/u);
});

test('a file that is there, or a link to one, is never overwritten', async () => {
  const session = openSession(directory);
  writeFileSync(join(directory, 'mine.yaml'), 'mine');
  symlinkSync('mine.yaml', join(directory, 'link.yaml'));
  symlinkSync('nowhere.yaml', join(directory, 'open.yaml'));
  for (const name of ['mine.yaml', 'link.yaml', 'open.yaml']) {
    const { code, stderr } = await session.type(
      `exequatur inventory import openapi pay.yaml --write ${name} --json`,
    );
    assert.equal(code, 1);
    assert.equal(JSON.parse(stderr).error.code, 'file_exists');
  }
  assert.equal(readFileSync(join(directory, 'mine.yaml'), 'utf8'), 'mine');
});

test('a document is fetched from an address, and servers are relative to it', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/none') response.writeHead(404).end();
    else if (request.url === '/endless') {
      response.on('error', () => undefined);
      const more = (): void => {
        while (response.write('x'.repeat(1_000_000)));
        response.once('drain', more);
      };
      more();
    } else response.end(PAY);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const base = `http://127.0.0.1:${String(port)}`;
  const session = openSession(directory);
  const importing = async (path: string): Promise<{ stdout: string; code: string }> => {
    const { stdout, stderr } = await session.type(
      `exequatur inventory import openapi ${base}${path} --json`,
    );
    return { stdout, code: stderr === '' ? '' : JSON.parse(stderr).error.code };
  };
  try {
    const { stdout } = await importing('/docs/pay.yaml');
    assert.match(JSON.parse(stdout).text, new RegExp(`url: ${base}/v1, auth: bearer`, 'u'));
    assert.equal((await importing('/none')).code, 'document_unavailable');
    assert.equal((await importing('/endless')).code, 'import_too_large');
  } finally {
    server.closeAllConnections();
    server.close();
  }
  assert.equal((await importing('/gone')).code, 'document_unavailable');
});
