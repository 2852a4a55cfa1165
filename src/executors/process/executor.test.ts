import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import {
  codeOf,
  freely,
  freshExecution,
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
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { valueAt } from '../pointer.ts';

const NEVER = new AbortController().signal;

let fixture: ProcessFixture;
beforeEach(() => {
  fixture = startProcessTarget();
});
afterEach(async () => {
  await fixture.stop();
});

async function run(request: EffectRequest): Promise<Outcome> {
  return (await perform(fixture.executor, request)).outcome;
}

function at(value: JsonValue, pointer: string): string {
  const found = valueAt(value, pointer);
  return typeof found === 'string' ? found : JSON.stringify(found);
}

/** A script that is run with these words after it. */
function script(text: string): ReturnType<typeof word> {
  return word(fixture.script('program.sh', `#!/bin/sh\n${text}\n`));
}

async function resolveCode(request: EffectRequest): Promise<string> {
  return codeOf(await fixture.executor.resolve(request, NEVER));
}

function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // No such process.
    return false;
  }
}

describe('words and environment', () => {
  test('no shell reads an argument', async () => {
    const text = '$(touch pwned); `touch pwned` && touch pwned | * ~ "\' \n > pwned';
    const words = [script('printf %s "$1"'), argument('text')];
    const outcome = await run(fixture.run(words, { args: { text } }));
    assert.equal(at(outcome.result, '/stdout/text'), text);
    assert.ok(!existsSync(join(fixture.folder, 'pwned')));
  });

  test('a program sees the variables that are named, its execution, its credential and nothing else', async () => {
    fixture.environment['OTHER_SECRET'] = 'must-not-be-seen';
    // Node itself hands this one on to every child, unless it is told not to.
    const inherited = process.env['NODE_V8_COVERAGE'];
    process.env['NODE_V8_COVERAGE'] = join(fixture.folder, 'coverage');
    const request = fixture.run([word('/usr/bin/env')], {
      target: { environmentNames: ['PATH', 'ABSENT'], environmentValues: { FIXED: 'value' } },
    });
    const { outcome, execution } = await perform(fixture.executor, request);
    if (inherited === undefined) delete process.env['NODE_V8_COVERAGE'];
    else process.env['NODE_V8_COVERAGE'] = inherited;
    const lines = at(outcome.result, '/stdout/text').trim().split('\n').toSorted();
    assert.deepEqual(
      lines.map((line) => line.replace(/‹secret:[0-9a-f]{8}›/u, 'masked')),
      [
        `EXEQUATUR_EXECUTION_ID=${execution.id}`,
        'FIXED=value',
        'PATH=/usr/bin:/bin',
        'TOKEN=masked',
      ],
    );
  });

  test('a program has no input', async () => {
    const outcome = await run(fixture.run([word('/usr/bin/cat')]));
    assert.deepEqual([outcome.code, at(outcome.result, '/stdout/bytes')], ['exit_0', '0']);
  });

  test('an argument that looks like an option is refused before anything is read', async () => {
    const request = fixture.run([word('/nowhere'), argument('text')], { args: { text: '-rf' } });
    assert.equal(await resolveCode(request), 'argument_looks_like_option');
  });

  test('what cannot be started is refused, or provably not executed', async () => {
    writeFileSync(join(fixture.folder, 'plain'), 'text', { mode: 0o644 });
    const refused: readonly (readonly [string, string])[] = [
      ['relative/path', 'executable_not_absolute'],
      [join(fixture.folder, 'absent'), 'file_missing'],
      [join(fixture.folder, 'plain'), 'file_not_executable'],
      [fixture.folder, 'file_not_regular'],
    ];
    for (const [path, code] of refused) {
      assert.equal(await resolveCode(fixture.run([word(path)])), code, path);
    }
    assert.equal(
      await resolveCode(fixture.run([argument('text')], { args: { text: '/bin/true' } })),
      'executable_not_absolute',
    );
    const interpreter = fixture.script('broken', '#!/nowhere/interpreter\n');
    const outcome = await run(fixture.run([word(interpreter)]));
    assert.deepEqual(
      [outcome.state, outcome.sent, outcome.code],
      ['not_executed', false, 'start_failed'],
    );
  });
});

describe('pinned files', () => {
  test('a file that changed between resolving and preparing is refused', async () => {
    const file = join(fixture.folder, 'plan');
    writeFileSync(file, 'one');
    for (const change of [
      () => {
        writeFileSync(file, 'two');
      },
      () => {
        fixture.script('program.sh', '#!/bin/sh\necho evil\n');
      },
    ]) {
      const request = fixture.run([script('echo fine')], { operation: { files: [file] } });
      const resolution = valueOf(await fixture.executor.resolve(request, NEVER));
      assert.deepEqual(Object.keys(resolution.files).toSorted(), [
        file,
        join(fixture.folder, 'program.sh'),
      ]);
      change();
      const attempt = await fixture.executor.prepare(request, resolution, 'none', NEVER);
      assert.equal(codeOf(attempt), 'pinned_file_changed');
    }
  });

  test('a file that changed between preparing and sending stops the start', async () => {
    const file = join(fixture.folder, 'plan');
    for (const change of [
      () => {
        writeFileSync(file, 'one');
      },
      () => {
        rmSync(file);
      },
      () => {
        writeFileSync(`${file}.new`, 'one');
        renameSync(`${file}.new`, file);
      },
    ]) {
      writeFileSync(file, 'one');
      const request = fixture.run([script('touch started')], { operation: { files: [file] } });
      const { prepared, resolution } = await makeReady(fixture.executor, request);
      change();
      const outcome = await prepared.send(mint(request, resolution.effect), freely());
      assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'pinned_file_changed']);
      assert.ok(!existsSync(join(fixture.folder, 'started')));
    }
  });

  test('a file that is older than a moment is hashed once, and again when it changed', async () => {
    const file = join(fixture.folder, 'plan');
    writeFileSync(file, 'one');
    await systemClock.sleep(2100);
    const request = fixture.run([word('/bin/true')], { operation: { files: [file] } });
    const digests: (string | undefined)[] = [];
    for (const content of ['one', 'one', 'two', 'six']) {
      if (readFileSync(file, 'utf8') !== content) writeFileSync(file, content);
      const resolution = valueOf(await fixture.executor.resolve(request, NEVER));
      digests.push(resolution.files[file]);
    }
    assert.equal(digests[0], digests[1]);
    assert.equal(new Set(digests).size, 3);
  });

  test('a directory whose link moved is noticed before the start and in the instant of it', async () => {
    const [staging, production, link] = ['staging', 'production', 'current'].map((name) =>
      join(fixture.folder, name),
    );
    assert.ok(staging !== undefined && production !== undefined && link !== undefined);
    mkdirSync(staging);
    mkdirSync(production);
    symlinkSync(staging, link);
    const move = (): void => {
      rmSync(link);
      symlinkSync(production, link);
    };
    const request = fixture.run([script('touch here')], { target: { directory: link } });
    const { prepared, resolution } = await makeReady(fixture.executor, request);
    move();
    const attempt = await fixture.executor.prepare(request, resolution, 'none', NEVER);
    assert.equal(codeOf(attempt), 'directory_changed');
    const outcome = await prepared.send(mint(request, resolution.effect), freely());
    assert.deepEqual([outcome.state, outcome.sent], ['not_executed', false]);
    assert.ok(!existsSync(join(production, 'here')) && !existsSync(join(staging, 'here')));
  });
});

describe('limits', () => {
  test('a timeout ends the whole group, also a grandchild that ignores the request to end', async () => {
    const request = fixture.run(
      [
        script(
          `trap '' TERM; (trap '' TERM; sleep 30 & echo $! > pid; wait) & echo $$ > top; wait`,
        ),
      ],
      { timeoutMs: 300 },
    );
    const outcome = await run(request);
    assert.deepEqual([outcome.state, outcome.code], ['unknown', 'timeout']);
    for (const name of ['pid', 'top']) {
      const pid = readFileSync(join(fixture.folder, name), 'utf8').trim();
      assert.match(pid, /^\d+$/u);
      assert.ok(!isRunning(pid), `${name} ${pid} still runs`);
    }
  });

  test('what a program leaves running is ended before its outcome is given', async () => {
    const outcome = await run(fixture.run([script('sleep 30 & echo $! > pid; echo done')]));
    assert.deepEqual([outcome.state, outcome.code], ['succeeded', 'exit_0']);
    assert.equal(at(outcome.result, '/leftBehind'), 'true');
    assert.ok(!isRunning(readFileSync(join(fixture.folder, 'pid'), 'utf8').trim()));
  });

  test('a program that leaves the group is out of reach and holds up nobody (stated limit)', async () => {
    const text =
      'setsid sh -c "echo \\$\\$ > pid; sleep 5" & while ! [ -s pid ]; do sleep 0.01; done';
    const start = systemClock.monotonicMs();
    const outcome = await run(fixture.run([script(text)], { timeoutMs: 3000 }));
    assert.equal(outcome.code, 'exit_0');
    assert.ok(systemClock.monotonicMs() - start < 3000);
    const pid = readFileSync(join(fixture.folder, 'pid'), 'utf8').trim();
    assert.ok(isRunning(pid), 'the limit that the documents state is no limit any more');
    process.kill(Number(pid), 'SIGKILL');
  });

  test('output is kept up to its limit and not one byte further', async () => {
    const fits = fixture.run([script('head -c 1000 /dev/zero | tr "\\0" x')], {
      operation: { outputBytesMax: 1000 },
    });
    assert.equal((await run(fits)).code, 'exit_0');
    const over = fixture.run([script('head -c 1001 /dev/zero | tr "\\0" x; sleep 30')], {
      operation: { outputBytesMax: 1000 },
    });
    assert.deepEqual((await run(over)).code, 'output_limit');
  });

  test('a secret at the place where the output is cut leaves no part of itself', async () => {
    const request = fixture.run([script('printf %990s; printf %s "$TOKEN"; sleep 30')], {
      operation: { outputBytesMax: 1000 },
    });
    const outcome = await run(request);
    assert.equal(outcome.code, 'output_limit');
    assert.ok(!JSON.stringify(outcome).includes(fixture.secret.slice(0, 5)));
  });

  test('a long output keeps its end, its length and its digest', async () => {
    const request = fixture.run([script('head -c 50000 /dev/zero | tr "\\0" x; printf end')], {
      operation: { outputBytesMax: 100_000 },
    });
    const { result } = await run(request);
    assert.equal(at(result, '/stdout/text').length, 16_384);
    assert.match(at(result, '/stdout/text'), /xend$/u);
    assert.equal(at(result, '/stdout/bytes'), '50003');
    assert.equal(at(result, '/stdout/complete'), 'false');
    assert.match(at(result, '/stdout/sha256'), /^[0-9a-f]{64}$/u);
  });

  test('too much memory ends the group', async () => {
    const request = fixture.run(
      [script('head -c 300000000 /dev/zero | tail -c 299999999; sleep 30')],
      {
        operation: { memoryBytesMax: 60_000_000 },
        timeoutMs: 10_000,
      },
    );
    const outcome = await run(request);
    assert.deepEqual([outcome.state, outcome.code], ['unknown', 'memory_limit']);
  });
});

describe('exits', () => {
  test('codes and limits mean what the operation declares', async () => {
    const exits = { 0: 'failed', 3: 'succeeded', 4: 'not_executed', timeout: 'failed' } as const;
    const table: readonly (readonly [string, string, string])[] = [
      ['exit 0', 'failed', 'exit_0'],
      ['exit 3', 'succeeded', 'exit_3'],
      ['exit 4', 'not_executed', 'exit_4'],
      ['exit 5', 'failed', 'exit_5'],
      ['sleep 30', 'failed', 'timeout'],
      ['kill -TERM $$', 'unknown', 'signal_sigterm'],
    ];
    for (const [text, state, code] of table) {
      const request = fixture.run([script(text)], { operation: { exits }, timeoutMs: 200 });
      const outcome = await run(request);
      assert.deepEqual([outcome.state, outcome.code, outcome.sent], [state, code, true], text);
    }
  });
});

describe('looks', () => {
  test('without a declared preview the words and the files are the preview', async () => {
    const file = join(fixture.folder, 'plan');
    writeFileSync(file, 'one');
    const words = [word('/bin/true'), argument('text'), [{ kind: 'execution' }] as const];
    const request = fixture.run(words, { args: { text: 'x' }, operation: { files: [file] } });
    const preview = valueOf(await fixture.executor.preview(request, NEVER));
    assert.ok(preview !== 'none');
    assert.deepEqual(preview.material['argv'], ['/bin/true', 'x', '‹executionId›']);
    assert.match(at(preview.material, `/files/${file.replaceAll('/', '~1')}`), /^[0-9a-f]{64}$/u);
  });

  test('a declared preview runs with the credential that cannot write, and its answer is masked', async () => {
    fixture.environment['LOOK_SOURCE'] = 'look-secret';
    const show = fixture.script(
      'show.sh',
      '#!/bin/sh\n[ "$TOKEN" = look-secret ] || exit 9\n' +
        'echo "{\\"plan\\":{\\"adds\\":3},\\"note\\":\\"by $TOKEN\\",\\"id\\":\\"$EXEQUATUR_EXECUTION_ID\\"}"',
    );
    const preview = {
      run: [word(show)],
      material: ['/plan/adds', '/id'],
      context: ['/note', '/zz'],
    };
    const request = fixture.run([word('/bin/true')], {
      operation: { preview },
      whole: { credentials: { act: 'env:TOKEN_SOURCE', look: 'env:LOOK_SOURCE' } },
    });
    const shown = valueOf(await fixture.executor.preview(request, NEVER));
    assert.ok(shown !== 'none');
    assert.equal(JSON.stringify(shown.material), '{"id":"","plan":{"adds":3}}');
    assert.match(at(shown.context, '/note'), /^by ‹secret:/u);
  });

  test('law 1: a preview never gets the credential that acts', async () => {
    const show = fixture.script('show.sh', '#!/bin/sh\necho "{\\"token\\":\\"$TOKEN\\"}"');
    const preview = { run: [word(show)], material: ['/token'], context: [] };
    const request = fixture.run([word('/bin/true')], { operation: { preview } });
    const shown = valueOf(await fixture.executor.preview(request, NEVER));
    assert.deepEqual(shown !== 'none' && shown.material['token'], '');
  });

  test('a preview that fails, says nothing or says it twice is refused', async () => {
    const table: readonly (readonly [string, string])[] = [
      ['exit 1', 'preview_failed'],
      ['echo no json', 'preview_failed'],
      [`echo '{"a":1,"a":2}'`, 'preview_failed'],
      [`echo '{"b":1}'`, 'preview_incomplete'],
      ['head -c 20000 /dev/zero', 'preview_failed'],
      ['sleep 30', 'timeout'],
    ];
    for (const [text, code] of table) {
      const preview = { run: [script(text)], material: ['/a'], context: [] };
      const request = fixture.run([word('/bin/true')], { operation: { preview }, timeoutMs: 300 });
      assert.equal(codeOf(await fixture.executor.preview(request, NEVER)), code, text);
    }
  });

  test('a probe follows links, and what it finds moves the resolution', async () => {
    const folder = fixture.folder;
    const [staging, production, link] = ['s.json', 'p.json', 'now.json'].map((name) =>
      join(folder, name),
    );
    assert.ok(staging !== undefined && production !== undefined && link !== undefined);
    writeFileSync(staging, '{"who":{"id":"box-1"},"env":"stg"}');
    writeFileSync(production, '{"who":{"id":"box-2"},"env":"prd"}');
    symlinkSync(staging, link);
    const request = fixture.run([word('/bin/true')], {
      whole: {
        environment: 'development',
        probe: {
          kind: 'file',
          path: link,
          identity: '/who/id',
          environment: { pointer: '/env', values: { stg: 'staging', prd: 'production' } },
        },
      },
    });
    const first = valueOf(await fixture.executor.resolve(request, NEVER));
    assert.deepEqual([first.identity, first.environment], ['box-1', 'staging']);
    assert.equal(first.recorded['probe'], realpathSync(staging));
    rmSync(link);
    symlinkSync(production, link);
    const second = valueOf(await fixture.executor.resolve(request, NEVER));
    assert.deepEqual([second.identity, second.environment], ['box-2', 'production']);
    assert.equal(second.effect, first.effect);
    const locked = valueOf(await fixture.executor.probe(request.target, NEVER));
    assert.deepEqual([locked.identity, locked.environment], ['box-2', 'production']);
    assert.deepEqual(Object.keys(locked.files), ['/bin/true']);
    rmSync(link);
    assert.equal(await resolveCode(request), 'probe_failed');
  });

  test('evidence that is not declared is no evidence', async () => {
    const execution = freshExecution();
    const none = fixture.run([word('/bin/true')]);
    assert.equal(valueOf(await fixture.executor.reconcile(none, execution, NEVER)), undefined);
    const reconcile = { run: [script('exit 7')], exits: { 0: 'succeeded' } } as const;
    const unclear = fixture.run([word('/bin/true')], { operation: { reconcile } });
    assert.equal(valueOf(await fixture.executor.reconcile(unclear, execution, NEVER)), undefined);
    const hanging = fixture.run([word('/bin/true')], {
      operation: { reconcile: { ...reconcile, run: [script('sleep 30')] } },
      timeoutMs: 200,
    });
    const attempt = await fixture.executor.reconcile(hanging, execution, NEVER);
    assert.equal(codeOf(attempt), 'reconcile_failed');
  });
});
