import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import {
  codeOf,
  freely,
  makeReady,
  mint,
  perform,
  valueOf,
} from '../../../test/contract/executor.ts';
import { systemClock } from '../../../test/fixtures/clock.ts';
import {
  argument,
  startProcessTarget,
  word,
  type ProcessFixture,
} from '../../../test/fixtures/process-target.ts';
import type { EffectRequest, OpenBlob, Outcome } from '../../engine/ports.ts';
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import type { ProcessIsolation, ProcessOperation, Template } from '../../kernel/inventory.ts';
import { createMasker } from '../mask.ts';
import { valueAt } from '../pointer.ts';
import type { ProbingExecutor } from '../probing-executor.ts';
import { createProcessExecutor } from './executor.ts';

const NEVER = new AbortController().signal;
const HAS_BWRAP =
  spawnSync('/usr/bin/bwrap', ['--unshare-all', '--ro-bind', '/', '/', '/bin/true']).status === 0;
const IS_ROOT = process.getuid?.() === 0;

const PLAN = 'a plan of many bytes';
const SHA256 = createHash('sha256').update(PLAN).digest('hex');

let fixture: ProcessFixture;
let parent: string;
let directory: string;
/** What the store has, by digest. */
let blobs: Map<Digest, string>;
let executor: ProbingExecutor;

beforeEach(() => {
  fixture = startProcessTarget();
  parent = mkdtempSync(join(tmpdir(), 'exequatur-copies-'));
  chmodSync(parent, 0o755);
  directory = join(parent, 'copies');
  blobs = new Map([[parseDigest(SHA256) ?? assert.fail(), PLAN]]);
  executor = made();
});
afterEach(async () => {
  await fixture.stop();
  rmSync(parent, { recursive: true, force: true });
});

function made(): ProbingExecutor {
  const store = {
    open: (_: unknown, digest: Digest): Promise<OpenBlob | undefined> =>
      Promise.resolve(openOf(blobs.get(digest))),
  };
  const { environment } = fixture;
  return createProcessExecutor({
    masker: createMasker(),
    environment,
    clock: systemClock,
    blobs: { store, directory },
  });
}

function openOf(text: string | undefined): OpenBlob | undefined {
  if (text === undefined) return undefined;
  return {
    bytes: PLAN.length,
    async *chunks() {
      yield await Promise.resolve(Buffer.from(text));
    },
    close: () => Promise.resolve(),
  };
}

interface Running {
  readonly isolation?: ProcessIsolation;
  readonly operation?: Partial<ProcessOperation>;
  readonly directory?: string;
}

/** A request to run these words; `plan` is a blob. */
function request(words: readonly Template[], running: Running = {}): EffectRequest {
  const asked = fixture.run(words, {
    args: { plan: `sha256:${SHA256}` },
    timeoutMs: 5000,
    target: {
      ...(running.isolation === undefined ? {} : { isolation: running.isolation }),
      ...(running.directory === undefined ? {} : { directory: running.directory }),
    },
    ...(running.operation === undefined ? {} : { operation: running.operation }),
  });
  const fields = { plan: { type: { kind: 'blob' }, optional: false } } as const;
  return { ...asked, operation: { ...asked.operation, arguments: fields } };
}

function script(text: string): Template {
  return word(fixture.script('program.sh', `#!/bin/sh\n${text}\n`));
}

async function run(text: string, running: Running = {}): Promise<Outcome> {
  const asked = request([script(text), argument('plan')], running);
  return (await perform(executor, asked)).outcome;
}

function stdout(outcome: Outcome): string {
  const text = valueAt(outcome.result, '/stdout/text');
  return typeof text === 'string' ? text : JSON.stringify(outcome);
}

function left(): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

describe('a program that names a blob', () => {
  test('gets the path of a copy that only the layer may read and nobody write, and it is gone afterwards', async () => {
    const outcome = await run(`cat "$1"; stat -c ' %a %n' "$1"; stat -c '%a' "$(dirname "$1")"`);
    const [content = '', mode = ''] = stdout(outcome).split('\n');
    const [path = ''] = content.split(' ').slice(-1);
    assert.match(content, /^a plan of many bytes 400 \//u, stdout(outcome));
    assert.equal(mode, '700');
    assert.ok(path.startsWith(`${directory}/copy-`));
    assert.ok(!existsSync(path));
    assert.deepEqual(left(), []);
    assert.equal(statSync(directory).mode & 0o777, 0o711);
  });

  test('takes it inside a word too', async () => {
    const words = [
      script('echo "$1"'),
      [{ kind: 'literal', text: '--plan=' }, ...argument('plan')],
    ];
    const { outcome } = await perform(executor, request(words as readonly Template[]));
    assert.match(stdout(outcome), new RegExp(`^--plan=${directory}/copy-\\w+/${SHA256}\\n$`, 'u'));
  });

  test('has the same effect each time, which holds the digest and not the path', async () => {
    const asked = request([script('true'), argument('plan')]);
    const first = valueOf(await executor.resolve(asked, NEVER));
    const second = valueOf(await executor.resolve(asked, NEVER));
    assert.equal(first.effect, second.effect);
    const preview = valueOf(await executor.preview(asked, NEVER));
    assert.ok(preview !== 'none');
    const argv = valueAt(preview.material, '/argv/1');
    assert.equal(argv, `‹blob:sha256:${SHA256}›`);
    const other = { ...asked, args: { plan: `sha256:${'0'.repeat(64)}` } };
    blobs.set(parseDigest('0'.repeat(64)) ?? assert.fail(), 'x');
    assert.notEqual(valueOf(await executor.resolve(other, NEVER)).effect, first.effect);
  });

  test('leaves no copy where it fails, is killed, is discarded, or its preview fails', async () => {
    assert.equal((await run('exit 3')).state, 'failed');
    assert.equal((await run('kill -KILL $$')).state, 'unknown');
    const { prepared } = await makeReady(executor, request([script('true'), argument('plan')]));
    assert.equal(left().length, 1);
    await prepared.discard();
    const preview = { run: [script('exit 1'), argument('plan')], material: [], context: [] };
    const asked = request([script('exit 1'), argument('plan')], { operation: { preview } });
    assert.equal(codeOf(await executor.preview(asked, NEVER)), 'preview_failed');
    assert.deepEqual(left(), []);
  });

  test('leaves no copy where its credential cannot be leased', async () => {
    const asked = request([script('true'), argument('plan')]);
    const resolution = valueOf(await executor.resolve(asked, NEVER));
    fixture.setSecret(false);
    const refused = await executor.prepare(asked, resolution, 'none', NEVER);
    assert.equal(codeOf(refused), 'credential_missing');
    assert.deepEqual(left(), []);
  });

  test('is refused where the blob is not there, or this layer keeps none', async () => {
    const asked = request([script('true'), argument('plan')]);
    assert.equal(codeOf(await fixture.executor.resolve(asked, NEVER)), 'blob_missing');
    const resolution = valueOf(await executor.resolve(asked, NEVER));
    blobs.clear();
    assert.equal(codeOf(await executor.resolve(asked, NEVER)), 'blob_missing');
    assert.equal(codeOf(await executor.prepare(asked, resolution, 'none', NEVER)), 'blob_missing');
    assert.deepEqual(left(), []);
  });
});

describe('exactly these bytes', () => {
  test('a stored file that was swapped before the effect is prepared is refused, and nothing runs', async () => {
    const asked = request([script('touch ran'), argument('plan')]);
    const resolution = valueOf(await executor.resolve(asked, NEVER));
    for (const swapped of ['a plan of other byte', PLAN.slice(1), `${PLAN}!`, '']) {
      for (const digest of blobs.keys()) blobs.set(digest, swapped);
      const prepared = await executor.prepare(asked, resolution, 'none', NEVER);
      assert.equal(codeOf(prepared), 'blob_changed');
    }
    assert.deepEqual(left(), []);
    assert.ok(!existsSync(join(fixture.folder, 'ran')));
  });

  test('a stored file that is swapped after that changes nothing', async () => {
    const asked = request([script('cat "$1"'), argument('plan')]);
    const { prepared, resolution } = await makeReady(executor, asked);
    for (const digest of blobs.keys()) blobs.set(digest, 'a plan of other byte');
    const outcome = await prepared.send(mint(asked, resolution.effect), freely());
    assert.equal(stdout(outcome), PLAN);
  });

  test('a copy that was changed before the start is not run on', async () => {
    const asked = request([script('touch ran'), argument('plan')]);
    const { prepared, resolution } = await makeReady(executor, asked);
    const [folder = ''] = left();
    const path = join(directory, folder, SHA256);
    chmodSync(path, 0o600);
    writeFileSync(path, 'a plan of other byte');
    const outcome = await prepared.send(mint(asked, resolution.effect), freely());
    assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'pinned_file_changed']);
    assert.ok(!existsSync(join(fixture.folder, 'ran')));
    assert.deepEqual(left(), []);
  });
});

describe('programs kept apart', () => {
  test(
    'another user reads its copy, cannot change it, and sees no other',
    { skip: !IS_ROOT },
    async () => {
      chmodSync(fixture.folder, 0o755);
      const isolation = { kind: 'user', name: 'nobody' } as const;
      mkdirSync(directory, { mode: 0o711 });
      mkdirSync(join(directory, 'copy-other'), { mode: 0o700 });
      writeFileSync(join(directory, 'copy-other', 'secret'), 'of another one', { mode: 0o400 });
      const outcome = await run(
        `cat "$1"; echo
       echo changed 2>/dev/null > "$1" || echo "not changed"
       rm -f "$1" 2>/dev/null || echo "not removed"
       chmod 600 "$1" 2>/dev/null || echo "not made writable"
       ls "$(dirname "$(dirname "$1")")" 2>/dev/null || echo "not listed"
       cat ${directory}/copy-other/secret 2>/dev/null || echo "not read"`,
        { isolation, directory: '/' },
      );
      const lines = stdout(outcome).trim().split('\n');
      assert.deepEqual(lines, [
        PLAN,
        'not changed',
        'not removed',
        'not made writable',
        'not listed',
        'not read',
      ]);
      assert.deepEqual(left(), ['copy-other']);
    },
  );

  test('a sandbox shows the copy, read-only', { skip: !HAS_BWRAP }, async () => {
    const isolation = { kind: 'bwrap', readOnly: [], writable: [], network: false } as const;
    const text = `cat "$1"; echo; echo changed 2>/dev/null > "$1" || echo "not changed"; ls ${directory} | wc -l`;
    const preview = { run: [script(text), argument('plan')], material: [], context: [] };
    const outcome = await run(text, { isolation });
    assert.equal(stdout(outcome), `${PLAN}\nnot changed\n1\n`, JSON.stringify(outcome));
    const json = fixture.script('json.sh', '#!/bin/sh\nprintf \'{"plan":"%s"}\' "$(cat "$1")"\n');
    const looked = request([script('true'), argument('plan')], {
      isolation,
      operation: {
        preview: { ...preview, run: [word(json), argument('plan')], material: ['/plan'] },
      },
    });
    const shown = valueOf(await executor.preview(looked, NEVER));
    assert.deepEqual(shown === 'none' ? {} : { ...shown.material }, { plan: PLAN });
    assert.deepEqual(left(), []);
  });
});

describe('the directory of copies', () => {
  test('one that others may write to, or a link, is refused', async () => {
    const asked = request([script('true'), argument('plan')]);
    const resolution = valueOf(await executor.resolve(asked, NEVER));
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    assert.equal(
      codeOf(await executor.prepare(asked, resolution, 'none', NEVER)),
      'blob_copy_failed',
    );
    rmSync(directory, { recursive: true });
    mkdirSync(join(parent, 'elsewhere'));
    symlinkSync(join(parent, 'elsewhere'), directory);
    assert.equal(
      codeOf(await executor.prepare(asked, resolution, 'none', NEVER)),
      'blob_copy_failed',
    );
    rmSync(directory);
    writeFileSync(directory, 'a file');
    assert.equal(
      codeOf(await executor.prepare(asked, resolution, 'none', NEVER)),
      'blob_copy_failed',
    );
    assert.deepEqual(readdirSync(join(parent, 'elsewhere')), []);
  });

  test('what a crash left in it is removed at the start, and nothing else is', async () => {
    await makeReady(executor, request([script('true'), argument('plan')]));
    writeFileSync(join(directory, 'note'), 'of somebody');
    assert.equal(left().length, 2);
    made();
    assert.deepEqual(left(), ['note']);
    assert.equal(readFileSync(join(directory, 'note'), 'utf8'), 'of somebody');
  });
});
