/** Saying yes at a terminal, and text from the wire that would take the terminal over. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { enrolPeople, makeDirectory, removeDirectory, serve, type Layer } from './layer.ts';
import { openSession, typing, type Session } from './transcript.ts';

const ATTACK = '\u001B[2J\u001B[1;1Happroved \u202Egnp.exe\u0007';

let layer: Layer;
let session: Session;

before(async () => {
  layer = await serve(await makeDirectory());
  await enrolPeople(layer.directory);
  session = openSession(layer.directory);
});
after(async () => {
  await layer.end();
  await removeDirectory(layer.directory);
});

async function hold(note: string): Promise<string> {
  const { stdout } = await session.type(
    `exequatur propose production deploy --arg version=v1 --as bot --json --note '${note}'`,
  );
  const { id }: { readonly id: string } = JSON.parse(stdout);
  return id;
}

test('anything but a plain yes leaves the action held; a yes lets it run', async () => {
  const id = await hold('please');
  for (const answer of ['n\n', '\n', 'maybe\n', '']) {
    const { code, stdout, stderr } = await session.type(
      `exequatur approve ${id} --as mei`,
      typing(answer),
    );
    assert.match(stderr, /^Approve exactly this\? \[y\/N\] /u);
    assert.match(stdout, /nothing was answered; the action stays held\n$/u);
    assert.equal(code, 3);
  }
  const { code, stdout } = await session.type(`exequatur approve ${id} --as mei`, typing('y\n'));
  assert.match(stdout, /^SUCCEEDED, executed · deploy · production \(production\)/mu);
  assert.equal(code, 0);
});

test('a yes on standard input that is no terminal is not a yes', async () => {
  const id = await hold('please');
  const { code } = await session.type(`exequatur approve ${id} --as mei`, Readable.from(['y\n']));
  assert.equal(code, 3);
  assert.equal((await session.type(`exequatur withdraw ${id} --as bot`)).code, 0);
});

test('control and bidirectional characters from an agent are shown by name, never sent', async () => {
  const id = await hold(ATTACK);
  const bad = await session.type(
    `exequatur propose '${ATTACK}' deploy --as bot --note '${ATTACK}'`,
  );
  const seen = [
    bad,
    await session.type(`exequatur approve ${id} --as mei`),
    await session.type(`exequatur show ${id}`),
    await session.type(`exequatur explain ${id}`),
    await session.type('exequatur actions'),
    await session.type(`exequatur reject ${id} --as mei --reason '${ATTACK}'`),
    await session.type(`exequatur show ${id}`),
    await session.type(`exequatur halt --target '${ATTACK}' --reason '${ATTACK}'`),
    await session.type('exequatur halts'),
    await session.type(`exequatur show '${ATTACK}'`),
    await session.type(`exequatur ${ATTACK}`),
  ];
  for (const { stdout, stderr } of seen) {
    assert.doesNotMatch(stdout + stderr, /(?!\n)\p{Cc}|\p{Cf}/u);
  }
  assert.match(
    seen[1]?.stdout ?? '',
    /the agent says +"‹U\+001B›\[2J‹U\+001B›\[1;1Happroved ‹U\+202E›gnp/u,
  );
});
