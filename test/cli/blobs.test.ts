/** Blobs at the command line: put by an agent, looked at by a person, kept through a restart. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { enrolPeople, makeDirectory, removeDirectory, serve, type Layer } from './layer.ts';
import { openSession, type Session } from './transcript.ts';

const PLAN = 'a plan\n';
const NAME = `sha256:${createHash('sha256').update(PLAN).digest('hex')}`;

let directory: string;
let layer: Layer;
let session: Session;

before(async () => {
  directory = await makeDirectory();
  writeFileSync(
    join(directory, 'exequatur.yaml'),
    'version: 1\nlisten: { port: 0 }\nisolation: separate-user\nblobs: { bytesMax: 10, copies: copies }\n',
  );
  layer = await serve(directory);
  await enrolPeople(directory);
  session = openSession(directory);
  writeFileSync(join(directory, 'plan'), PLAN);
});
after(async () => {
  await layer.end();
  await removeDirectory(directory);
});

test('put prints the name, get writes the bytes to a new file of its own', async () => {
  const put = await session.type('exequatur blob put plan --as bot');
  assert.deepEqual([put.code, put.stdout], [0, `${NAME}\n`], put.stderr);
  const got = await session.type(`exequatur blob get ${NAME} seen --as mei`);
  assert.deepEqual(
    [got.code, got.stdout],
    [0, `${join(directory, 'seen')} (7 bytes)\n`],
    got.stderr,
  );
  assert.equal(readFileSync(join(directory, 'seen'), 'utf8'), PLAN);
  assert.equal(statSync(join(directory, 'seen')).mode & 0o777, 0o600);
});

test('what cannot be done is said with what to do, and no file is replaced', async () => {
  writeFileSync(join(directory, 'large'), 'eleven bytes');
  const table: readonly (readonly [line: string, code: number, message: RegExp])[] = [
    [`blob get ${NAME} plan --as mei`, 1, /`.*plan` cannot be made \(EEXIST\)/u],
    ['blob get plan.txt new --as mei', 2, /not the name of a blob/u],
    [`blob get sha256:${'0'.repeat(64)} new --as mei`, 1, /no blob of this digest/u],
    ['blob put nothing --as bot', 1, /`.*nothing` cannot be read \(ENOENT\)/u],
    ['blob put large --as bot', 1, /larger than one may be.*\n.*bytesMax/u],
    ['blob put plan --as mei', 7, /takes the key of an agent/u],
  ];
  for (const [line, code, message] of table) {
    const typed = await session.type(`exequatur ${line}`);
    assert.equal(typed.code, code, `${line}: ${typed.stderr}`);
    assert.match(typed.stderr, message, line);
  }
  assert.ok(!existsSync(join(directory, 'new')));
  assert.equal(readFileSync(join(directory, 'plan'), 'utf8'), PLAN);
});

test('a blob is there after a restart, and what a crash left is not', async () => {
  await layer.end('SIGKILL');
  const blobs = join(directory, 'data', 'blobs');
  writeFileSync(join(blobs, '.upload-0123'), 'half of it');
  layer = await serve(directory);
  assert.deepEqual(readdirSync(blobs), ['default']);
  const got = await session.type(`exequatur blob get ${NAME} again --as bot`);
  assert.deepEqual(
    [got.code, readFileSync(join(directory, 'again'), 'utf8')],
    [0, PLAN],
    got.stderr,
  );
});
