/** `exequatur verify`, on files that a real layer made and on bad ones; the second verifier agrees. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { noSecondVerifier, secondVerdicts } from '../ledger/second-verifier.ts';
import { enrolPeople, makeDirectory, removeDirectory, serve, type Layer } from './layer.ts';
import { openSession, type Session, type Typed } from './transcript.ts';

describe('exequatur verify', () => {
  let directory: string;
  let layer: Layer;
  let session: Session;
  const ids = new Map<string, string>();

  before(async () => {
    directory = await makeDirectory();
    layer = await serve(directory);
    session = openSession(directory);
    await enrolPeople(directory);
    await proposed('succeeded', 'staging', 'v1', 0);
    await proposed('denied', 'staging', 'v0', 4);
    const approved = await proposed('approved', 'production', 'v1', 3);
    const shown = await session.type(`exequatur approve ${approved} --as mei`);
    const digests = [...`${shown.stdout}${shown.stderr}`.matchAll(/[0-9a-f]{64}/gu)];
    const consent = digests.at(-1)?.[0] ?? '';
    await typed(`exequatur approve ${approved} --as mei --yes --consent ${consent}`);
    const rejected = await proposed('rejected', 'production', 'v2', 3);
    await typed(`exequatur reject ${rejected} --reason no --as mei`);
    const withdrawn = await proposed('withdrawn', 'production', 'v2', 3);
    await typed(`exequatur withdraw ${withdrawn} --as bot`);
    await proposed('held', 'production', 'v2', 3);
    for (const [name, id] of ids) await typed(`exequatur receipt ${id} --out ${name}.receipt.json`);
    writeFileSync(join(directory, 'kept'), (await typed('exequatur ledger checkpoint')).stdout);
    await typed('exequatur ledger export whole.ledger');
    writeFileSync(join(directory, 'keys'), (await typed('exequatur signing show')).stdout);
  });
  after(async () => {
    await layer.end();
    await removeDirectory(directory);
  });

  async function typed(line: string, code = 0): Promise<Typed> {
    const told = await session.type(line);
    assert.equal(told.code, code, `${line}\n${told.stdout}${told.stderr}`);
    return told;
  }

  async function proposed(
    name: string,
    target: string,
    version: string,
    code: number,
  ): Promise<string> {
    const line = `exequatur propose ${target} deploy --arg version=${version} --as bot --json`;
    const told = await typed(line, code);
    const text = told.stdout === '' ? told.stderr : told.stdout;
    const id = /"id":"([0-9a-f-]{36})"/u.exec(text)?.[1] ?? assert.fail(text);
    ids.set(name, id);
    return id;
  }

  test('finds every receipt and the export of a real layer genuine, as the second verifier does', async () => {
    const files = [...[...ids.keys()].map((name) => `${name}.receipt.json`), 'whole.ledger'];
    const told = await typed(`exequatur verify ${files.join(' ')} --trust keys --since kept`);
    for (const [name, state] of [
      ['succeeded', 'succeeded'],
      ['denied', 'denied'],
      ['approved', 'succeeded'],
      ['rejected', 'rejected'],
      ['withdrawn', 'withdrawn'],
      ['held', 'held'],
    ] as const) {
      assert.match(
        told.stdout,
        new RegExp(`^GENUINE · ${name}\\.receipt\\.json · ${state}: `, 'mu'),
      );
    }
    assert.match(told.stdout, /^GENUINE · whole\.ledger · ledger of \d+ entries$/mu);
    assert.match(told.stdout, /^ ✓ approved by `mei` .* the crossing used it/mu);
    assert.match(told.stdout, /^ ✓ one execution, which ended succeeded \(exit_0\) at /mu);
    assert.match(told.stdout, /^ - no witness cosigned/mu);
    if (noSecondVerifier !== false) return;
    const second = secondVerdicts({
      files: files.map((name) => new Uint8Array(readFileSync(join(directory, name)))),
      policy: readFileSync(join(directory, 'keys')),
      since: [readFileSync(join(directory, 'kept'), 'utf8')],
    });
    assert.deepEqual(
      second.map(({ status }) => status),
      files.map(() => 'genuine'),
    );
  });

  test('tells programs in one JSON document a file', async () => {
    const told = await typed('exequatur verify succeeded.receipt.json --trust keys --json');
    const document: {
      readonly status: string;
      readonly statement: {
        readonly predicate: { readonly state: string; readonly isolation: string };
      };
    } = JSON.parse(told.stdout);
    assert.deepEqual(
      [document.status, document.statement.predicate],
      [
        'genuine',
        { ...document.statement.predicate, state: 'succeeded', isolation: 'separate-user' },
      ],
    );
  });

  test('ends with 1 and one sentence where a file is not genuine', async () => {
    const receipt = readFileSync(join(directory, 'succeeded.receipt.json'));
    receipt[receipt.indexOf('"salt":"') + 9] = 0x39;
    writeFileSync(join(directory, 'bad.receipt.json'), receipt);
    const line = 'exequatur verify bad.receipt.json held.receipt.json --trust keys';
    const { stdout, stderr } = await typed(line, 1);
    assert.match(stdout, /^NOT GENUINE · bad\.receipt\.json · [^\n]+ names\nGENUINE · held/u);
    assert.equal(stderr, '');
  });

  test('ends with 2 and one sentence where nobody can tell', async () => {
    const receipt = readFileSync(join(directory, 'held.receipt.json'));
    const put = (name: string, bytes: Uint8Array | string): void =>
      writeFileSync(join(directory, name), bytes);
    put('cut', receipt.subarray(0, 700));
    put('newer', receipt.toString().replace('exequatur-receipt/v1', 'exequatur-receipt/v2'));
    put('empty', '');
    put('cut.ledger', readFileSync(join(directory, 'whole.ledger')).subarray(0, 900));
    put('nobody', 'quorum none\n');
    for (const [files, said] of [
      [
        'cut --trust keys',
        /^CANNOT TELL · cut · the receipt is no json that can be read: [^\n]+\n$/u,
      ],
      ['newer --trust keys', /^CANNOT TELL · newer · the file is no `exequatur-receipt\/v1`\n$/u],
      ['empty --trust keys', /^CANNOT TELL · empty · the export ends before its checkpoint\n$/u],
      [
        'cut.ledger --trust keys',
        /^CANNOT TELL · cut\.ledger · the export ends within an entry\n$/u,
      ],
      ['held.receipt.json --trust nobody', /^CANNOT TELL · [^\n]+ signed by no key [^\n]+\n$/u],
    ] as const) {
      const { stdout, stderr } = await typed(`exequatur verify ${files}`, 2);
      assert.match(stdout, said);
      assert.equal(stderr, '');
    }
  });

  test('finds an older copy by a checkpoint that was kept', async () => {
    await typed('exequatur ledger export older.ledger');
    const known = (await typed('exequatur ledger checkpoint')).stdout;
    await proposed('later', 'staging', 'v2', 0);
    // A growing log is signed a moment later.
    let newer = known;
    for (let round = 0; round < 50 && newer === known; round += 1) {
      await wait(100);
      newer = (await typed('exequatur ledger checkpoint')).stdout;
    }
    writeFileSync(join(directory, 'newer'), newer);
    const line = 'exequatur verify older.ledger --trust keys --since newer';
    const { stdout } = await typed(line, 1);
    assert.match(stdout, /^NOT GENUINE · [^\n]+ it was cut, or an older copy took its place\n$/u);
  });

  test('says what is wrong with what it was given', async () => {
    writeFileSync(join(directory, 'wrong'), 'quorum none\nlog x\n');
    for (const [words, said] of [
      ['held.receipt.json', /--trust <file>` is missing/u],
      ['nowhere --trust keys', /`nowhere` cannot be read: ENOENT/u],
      ['held.receipt.json --trust nowhere', /`nowhere` cannot be read: ENOENT/u],
      ['held.receipt.json --trust wrong', /`wrong` is no key policy: line 2: no ed25519/u],
      ['--trust keys', /missing required argument/u],
    ] as const) {
      const { stderr, stdout } = await typed(`exequatur verify ${words}`, 2);
      assert.match(stderr, said);
      assert.equal(stdout, '');
    }
    const { stderr } = await typed('exequatur verify held.receipt.json --trust wrong --json', 2);
    assert.match(stderr, /"code":"trust_invalid"/u);
  });
});
