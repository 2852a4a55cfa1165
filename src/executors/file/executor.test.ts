import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import {
  codeOf,
  freely,
  freshExecution,
  makeReady,
  mint,
  perform,
  valueOf,
} from '../../../test/contract/executor.ts';
import {
  argument,
  plain,
  startFileTarget,
  type FileFixture,
} from '../../../test/fixtures/file-target.ts';
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import { temporaryName } from './compile.ts';

const NEVER = new AbortController().signal;

let files: FileFixture;
let at: (name: string) => string;
beforeEach(() => {
  files = startFileTarget();
  at = (name) => join(files.root, name);
});
afterEach(async () => files.stop());

function writing(path: string, content: string, bytesMax?: number): EffectRequest {
  const args = { path, content };
  const action = { kind: 'write', path: argument('path'), content: argument('content') } as const;
  return files.act(action, { args, ...(bytesMax === undefined ? {} : { bytesMax }) });
}

function moving(from: string, to: string): EffectRequest {
  const action = { kind: 'move', from: argument('from'), to: argument('to') } as const;
  return files.act(action, { args: { from, to } });
}

function deleting(path: string): EffectRequest {
  return files.act({ kind: 'delete', path: argument('path') }, { args: { path } });
}

function reading(path: string): EffectRequest {
  return files.act({ kind: 'read', path: argument('path') }, { args: { path } });
}

function ending({ state, sent, code }: Outcome): readonly unknown[] {
  return [state, sent, code];
}

/** Where the temporary file of an execution is. */
function temporary(request: EffectRequest, use: 'new' | 'replacement', execution: string): string {
  const { path = '' } = request.args;
  assert.ok(typeof path === 'string');
  return join(path, '..', temporaryName(execution, use));
}

describe('what is done to a file', () => {
  test('a file is replaced as a whole and keeps its mode', async () => {
    writeFileSync(at('page.html'), 'old');
    chmodSync(at('page.html'), 0o640);
    const { outcome } = await perform(files.executor, writing(at('page.html'), 'new'));
    assert.deepEqual(ending(outcome), ['succeeded', true, 'written']);
    assert.equal(readFileSync(at('page.html'), 'utf8'), 'new');
    assert.equal(statSync(at('page.html')).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(files.root), ['page.html']);
  });

  test('the preview shows the file as it is and as it would be', async () => {
    writeFileSync(at('page.html'), 'old');
    const preview = valueOf(await files.executor.preview(writing(at('page.html'), 'new'), NEVER));
    assert.ok(preview !== 'none');
    const { inode, ...before } = Object(preview.material['before']);
    assert.match(inode, /^\d+:\d+$/u);
    assert.deepEqual(
      { ...preview.material, before },
      {
        action: 'write',
        path: at('page.html'),
        before: {
          type: 'file',
          size: 3,
          sha256: 'cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4',
        },
        after: {
          type: 'file',
          size: 3,
          sha256: '11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437',
        },
      },
    );
  });

  test('a file is deleted, and moved below another root', async () => {
    writeFileSync(at('a'), 'a');
    mkdirSync(at('sub'));
    const moved = await perform(files.executor, moving(at('a'), at('sub/b')));
    assert.deepEqual(ending(moved.outcome), ['succeeded', true, 'moved']);
    assert.deepEqual([existsSync(at('a')), readFileSync(at('sub/b'), 'utf8')], [false, 'a']);
    const gone = await perform(files.executor, deleting(at('sub/b')));
    assert.deepEqual(ending(gone.outcome), ['succeeded', true, 'deleted']);
    assert.deepEqual(readdirSync(at('sub')), []);
  });

  test('a file is read whole, up to the limit of its size and not one byte past it', async () => {
    writeFileSync(at('log'), 'x'.repeat(100_000));
    const { outcome } = await perform(files.executor, reading(at('log')));
    assert.deepEqual(ending(outcome), ['succeeded', true, 'read']);
    assert.equal(Object(outcome.result).bytes, 100_000);
    writeFileSync(at('log'), 'x'.repeat(100_001));
    assert.equal(codeOf(await files.executor.preview(reading(at('log')), NEVER)), 'file_too_large');
  });

  test('content is written up to the limit, and refused one byte past it', async () => {
    const { outcome } = await perform(files.executor, writing(at('full'), 'é'.repeat(5), 10));
    assert.equal(outcome.state, 'succeeded');
    const past = await files.executor.resolve(writing(at('past'), 'é'.repeat(5), 9), NEVER);
    assert.equal(codeOf(past), 'argument_too_large');
  });
});

describe('what is refused', () => {
  const paths: readonly (readonly [string, string])[] = [
    ['../outside/x', 'path_refused'],
    ['sub/../../outside/x', 'path_refused'],
    ['./x', 'path_refused'],
    ['sub//x', 'path_refused'],
    ['sub/', 'path_refused'],
    ['nul\0', 'path_refused'],
    ['.exequatur-0193.new', 'path_refused'],
    ['x'.repeat(5000), 'path_refused'],
  ];
  for (const [name, code] of paths) {
    test(`the path ${JSON.stringify(name.slice(0, 30))} is refused as ${code}`, async () => {
      const request = writing(`${files.root}/${name}`, 'x');
      assert.equal(codeOf(await files.executor.resolve(request, NEVER)), code);
    });
  }

  test('what lies in no root is refused, also where the names begin alike', async () => {
    for (const path of ['/etc/passwd', `${files.root}-beside/x`, files.root]) {
      const attempt = await files.executor.resolve(reading(path), NEVER);
      assert.equal(codeOf(attempt), 'path_outside_roots', path);
    }
    assert.equal(codeOf(await files.executor.resolve(reading('page'), NEVER)), 'path_refused');
  });

  test('an argument within a path is one name, and leads nowhere else', async () => {
    const path = [...plain(`${files.root}/`), ...argument('name'), ...plain('.html')];
    for (const name of ['a/b', '../outside/a', '/etc/x']) {
      const request = files.act({ kind: 'delete', path }, { args: { name } });
      assert.equal(codeOf(await files.executor.resolve(request, NEVER)), 'path_refused');
    }
  });

  test('links, directories, pipes, sockets and devices are refused by what they are', async () => {
    writeFileSync(join(files.outside, 'secret'), 'secret');
    symlinkSync(join(files.outside, 'secret'), at('link'));
    symlinkSync(files.outside, at('way'));
    mkdirSync(at('directory'));
    execFileSync('mkfifo', [at('pipe')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
    try {
      const expected = {
        link: 'link_refused',
        'way/secret': 'link_refused',
        directory: 'file_not_regular',
        pipe: 'file_not_regular',
        socket: 'file_not_regular',
        'pipe/x': 'directory_missing',
        'missing/x': 'directory_missing',
        missing: 'file_missing',
      };
      for (const [name, code] of Object.entries(expected)) {
        for (const request of [deleting(at(name)), reading(at(name)), moving(at(name), at('y'))]) {
          assert.equal(codeOf(await files.executor.preview(request, NEVER)), code, name);
        }
      }
      const device = files.act({ kind: 'read', path: plain('/dev/zero') }, { roots: ['/dev'] });
      assert.equal(codeOf(await files.executor.preview(device, NEVER)), 'file_not_regular');
    } finally {
      server.close();
    }
  });

  test('a file with another name is neither replaced nor deleted', async () => {
    writeFileSync(join(files.outside, 'shared'), 'shared');
    linkSync(join(files.outside, 'shared'), at('shared'));
    for (const request of [writing(at('shared'), 'x'), deleting(at('shared'))]) {
      assert.equal(codeOf(await files.executor.preview(request, NEVER)), 'file_has_links');
    }
  });

  test('a move never replaces what has the name already', async () => {
    writeFileSync(at('a'), 'a');
    writeFileSync(at('b'), 'b');
    const request = moving(at('a'), at('b'));
    assert.equal(codeOf(await files.executor.preview(request, NEVER)), 'file_exists');
  });
});

describe('what changed since it was previewed', () => {
  test('another content, another file or no file is not acted on', async () => {
    const changes: Readonly<Record<string, () => void>> = {
      content: () => writeFileSync(at('page'), 'other'),
      'the same bytes in another file': () => {
        writeFileSync(at('new'), 'old');
        renameSync(at('new'), at('page'));
      },
      gone: () => unlinkSync(at('page')),
    };
    for (const [what, change] of Object.entries(changes)) {
      writeFileSync(at('page'), 'old');
      const ready = await makeReady(files.executor, writing(at('page'), 'new'));
      change();
      const left = existsSync(at('page')) ? readFileSync(at('page'), 'utf8') : undefined;
      const execution = mint(ready.request, ready.resolution.effect);
      const outcome = await ready.prepared.send(execution, freely());
      assert.deepEqual(ending(outcome), ['not_executed', false, 'file_changed'], what);
      assert.equal(existsSync(at('page')) ? readFileSync(at('page'), 'utf8') : undefined, left);
      assert.ok(readdirSync(files.root).every((name) => !name.startsWith('.exequatur')));
    }
  });

  test('what changes while the new content is written is seen before it takes hold', async () => {
    writeFileSync(at('page'), 'old');
    const ready = await makeReady(files.executor, writing(at('page'), 'new'));
    files.watch((call) => {
      if (call === 'sync') writeFileSync(at('page'), 'theirs');
    });
    const execution = mint(ready.request, ready.resolution.effect);
    const outcome = await ready.prepared.send(execution, freely());
    assert.deepEqual(ending(outcome), ['not_executed', true, 'file_changed']);
    assert.equal(readFileSync(at('page'), 'utf8'), 'theirs');
    assert.deepEqual(readdirSync(files.root), ['page']);
  });

  test('a name that is taken in the last instant is not replaced', async () => {
    const ready = await makeReady(files.executor, writing(at('page'), 'new'));
    files.watch((call) => {
      if (call === 'link') writeFileSync(at('page'), 'theirs');
    });
    const execution = mint(ready.request, ready.resolution.effect);
    const outcome = await ready.prepared.send(execution, freely());
    assert.deepEqual(ending(outcome), ['not_executed', true, 'file_exists']);
    assert.equal(readFileSync(at('page'), 'utf8'), 'theirs');
    assert.deepEqual(readdirSync(files.root), ['page']);
  });

  test('another file moved in the last instant keeps its own name only', async () => {
    writeFileSync(at('a'), 'a');
    writeFileSync(at('other'), 'other');
    const ready = await makeReady(files.executor, moving(at('a'), at('b')));
    files.watch((call) => {
      if (call === 'link') renameSync(at('other'), at('a'));
    });
    const execution = mint(ready.request, ready.resolution.effect);
    const outcome = await ready.prepared.send(execution, freely());
    assert.deepEqual(ending(outcome), ['not_executed', true, 'file_changed']);
    assert.deepEqual(readdirSync(files.root), ['a']);
  });

  test('a directory swapped for a link is not followed, and one moved away is noticed', async () => {
    mkdirSync(at('sub'));
    writeFileSync(at('sub/page'), 'old');
    writeFileSync(join(files.outside, 'page'), 'old');
    const ready = await makeReady(files.executor, deleting(at('sub/page')));
    renameSync(at('sub'), join(files.outside, 'moved'));
    symlinkSync(files.outside, at('sub'));
    const execution = mint(ready.request, ready.resolution.effect);
    const outcome = await ready.prepared.send(execution, freely());
    assert.deepEqual(ending(outcome), ['not_executed', false, 'link_refused']);
    assert.deepEqual(readdirSync(files.outside).toSorted(), ['moved', 'page']);
  });

  test('another directory in the place of the root is another target', async () => {
    const first = valueOf(await files.executor.resolve(writing(at('page'), 'x'), NEVER));
    renameSync(files.root, `${files.root}-old`);
    mkdirSync(files.root);
    const second = valueOf(await files.executor.resolve(writing(at('page'), 'x'), NEVER));
    assert.notEqual(first.identity, second.identity);
    const attempt = await files.executor.prepare(writing(at('page'), 'x'), first, 'none', NEVER);
    assert.equal(codeOf(attempt), 'effect_changed');
  });

  test('while links are swapped all the time, nothing outside the root ever changes', async () => {
    mkdirSync(at('sub'));
    writeFileSync(at('sub/victim'), 'inside');
    writeFileSync(join(files.outside, 'victim'), 'outside');
    // A link and a directory take turns under one name, as fast as a thread can.
    const swapper = new Worker(
      `const { renameSync, symlinkSync } = require('node:fs');
       const { workerData: { sub, outside, stop } } = require('node:worker_threads');
       const flag = new Int32Array(stop);
       symlinkSync(outside, sub + '-link');
       while (Atomics.load(flag, 0) === 0) {
         renameSync(sub, sub + '-real'); renameSync(sub + '-link', sub);
         renameSync(sub, sub + '-link'); renameSync(sub + '-real', sub);
         Atomics.add(flag, 1, 1);
       }`,
      { eval: true, workerData: { sub: at('sub'), outside: files.outside, stop: stopFlag.buffer } },
    );
    const seen = new Map<string, number>();
    const end = Date.now() + 1500;
    for (let count = 0; Date.now() < end; count += 1) {
      const request =
        count % 2 === 0 ? writing(at('sub/victim'), 'new') : deleting(at('sub/victim'));
      const code = await tryAll(request);
      seen.set(code, (seen.get(code) ?? 0) + 1);
      assert.deepEqual(readdirSync(files.outside), ['victim']);
      assert.equal(readFileSync(join(files.outside, 'victim'), 'utf8'), 'outside');
    }
    Atomics.store(stopFlag, 0, 1);
    await new Promise((resolve) => swapper.once('exit', resolve));
    assert.ok(Atomics.load(stopFlag, 1) > 100, 'the swapper did not run');
    assert.ok((seen.get('link_refused') ?? 0) > 0, JSON.stringify([...seen]));
  });
});

const stopFlag = new Int32Array(new SharedArrayBuffer(8));

async function tryAll(request: EffectRequest): Promise<string> {
  const resolution = await files.executor.resolve(request, NEVER);
  if (!resolution.ok) return resolution.code;
  const preview = await files.executor.preview(request, NEVER);
  if (!preview.ok) return preview.code;
  const { value } = resolution;
  const prepared = await files.executor.prepare(request, value, preview.value, NEVER);
  if (!prepared.ok) return prepared.code;
  const outcome = await prepared.value.send(mint(request, value.effect), freely());
  return outcome.code;
}

describe('what went wrong on the way', () => {
  test('content that cannot be written leaves the file as it was, and nothing beside it', async () => {
    writeFileSync(at('page'), 'old');
    const request = writing(at('page'), 'new');
    const ready = await makeReady(files.executor, request);
    files.fail({ call: 'sync', after: false, how: 'ENOSPC' });
    const execution = mint(request, ready.resolution.effect);
    const outcome = await ready.prepared.send(execution, freely());
    assert.deepEqual(ending(outcome), ['not_executed', true, 'write_failed']);
    assert.deepEqual(readdirSync(files.root), ['page']);
  });

  test('a change that may not outlast a loss of power is unknown', async () => {
    writeFileSync(at('page'), 'old');
    const request = writing(at('page'), 'new');
    const ready = await makeReady(files.executor, request);
    files.fail({ call: 'sync', after: false, how: 'EIO', skip: 1 });
    const execution = mint(request, ready.resolution.effect);
    const outcome = await ready.prepared.send(execution, freely());
    assert.deepEqual(ending(outcome), ['unknown', true, 'not_durable']);
  });

  test('a delete whose call failed is judged by the name', async () => {
    for (const [after, state] of [
      [false, 'not_executed'],
      [true, 'succeeded'],
    ] as const) {
      writeFileSync(at('page'), 'old');
      const ready = await makeReady(files.executor, deleting(at('page')));
      files.fail({ call: 'unlink', after, how: 'EIO' });
      const execution = mint(ready.request, ready.resolution.effect);
      const outcome = await ready.prepared.send(execution, freely());
      assert.equal(outcome.state, state);
      assert.equal(existsSync(at('page')), !after);
    }
  });

  test('a move that cannot take the old name away says that it is done in part', async () => {
    writeFileSync(at('a'), 'a');
    const ready = await makeReady(files.executor, moving(at('a'), at('b')));
    files.fail({ call: 'unlink', after: false, how: 'EPERM' });
    const execution = mint(ready.request, ready.resolution.effect);
    const outcome = await ready.prepared.send(execution, freely());
    assert.deepEqual(ending(outcome), ['failed', true, 'moved_partly']);
    assert.deepEqual(readdirSync(files.root), ['a', 'b']);
  });
});

describe('evidence after a crash', () => {
  test('content in its place is success, and the second name of a new file is cleared', async () => {
    const request = writing(at('page'), 'new');
    const execution = freshExecution();
    writeFileSync(at('page'), 'new');
    linkSync(at('page'), temporary(request, 'new', execution));
    const found = valueOf(await files.executor.reconcile(request, execution, NEVER));
    assert.deepEqual([found?.state, found?.code], ['succeeded', 'evidence_content']);
    assert.deepEqual(readdirSync(files.root), ['page']);
  });

  test('a replacement that still waits shows that nothing happened, and never will', async () => {
    writeFileSync(at('page'), 'old');
    const request = writing(at('page'), 'new');
    const execution = freshExecution();
    writeFileSync(temporary(request, 'replacement', execution), 'new');
    const found = valueOf(await files.executor.reconcile(request, execution, NEVER));
    assert.deepEqual([found?.state, found?.code], ['not_executed', 'evidence_unpublished']);
    assert.deepEqual(readdirSync(files.root), ['page']);
  });

  test('other content, or a new file that still waits, proves nothing', async () => {
    const request = writing(at('page'), 'new');
    const execution = freshExecution();
    writeFileSync(temporary(request, 'new', execution), 'new');
    assert.equal(valueOf(await files.executor.reconcile(request, execution, NEVER)), undefined);
    writeFileSync(at('page'), 'theirs');
    assert.equal(valueOf(await files.executor.reconcile(request, execution, NEVER)), undefined);
    assert.deepEqual(readdirSync(files.root), ['page']);
  });

  test('a file that is gone was deleted, and one that is there proves nothing', async () => {
    writeFileSync(at('page'), 'old');
    const request = deleting(at('page'));
    assert.equal(
      valueOf(await files.executor.reconcile(request, freshExecution(), NEVER)),
      undefined,
    );
    unlinkSync(at('page'));
    const found = valueOf(await files.executor.reconcile(request, freshExecution(), NEVER));
    assert.equal(found?.state, 'succeeded');
  });
});
