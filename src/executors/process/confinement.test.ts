import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { codeOf, perform } from '../../../test/contract/executor.ts';
import { systemClock } from '../../../test/fixtures/clock.ts';
import {
  startProcessTarget,
  word,
  type ProcessFixture,
} from '../../../test/fixtures/process-target.ts';
import type { EffectRequest, Outcome } from '../../engine/ports.ts';
import type { ProcessIsolation } from '../../kernel/inventory.ts';
import { valueAt } from '../pointer.ts';
import { attempt } from '../refusal.ts';
import { processBinding } from './compile.ts';
import { confine, parsePasswd, sandboxWords, type Machine } from './confinement.ts';

const NEVER = new AbortController().signal;
const BWRAP = { kind: 'bwrap', readOnly: [], writable: [], network: false } as const;

/** Where `bwrap` is missing, or the machine lets nobody make namespaces, only its words are tested. */
const HAS_BWRAP =
  spawnSync('/usr/bin/bwrap', ['--unshare-all', '--ro-bind', '/', '/', '/bin/true']).status === 0;
const IS_ROOT = process.getuid?.() === 0;

let fixture: ProcessFixture;
beforeEach(() => {
  fixture = startProcessTarget();
});
afterEach(async () => {
  await fixture.stop();
});

function isolated(
  isolation: ProcessIsolation,
  words: readonly string[],
  exits = {},
): EffectRequest {
  return fixture.run(words.map(word), {
    target: { isolation },
    operation: { exits },
    timeoutMs: 5000,
  });
}

/** Runs a script in the isolation. */
async function run(isolation: ProcessIsolation, text: string, exits = {}): Promise<Outcome> {
  const script = fixture.script('program.sh', `#!/bin/sh\n${text}\n`);
  return (await perform(fixture.executor, isolated(isolation, [script], exits))).outcome;
}

function stdout(outcome: Outcome): unknown {
  return valueAt(outcome.result, '/stdout/text');
}

describe('another user', () => {
  const PASSWD = [
    'root:x:0:0:root:/root:/bin/bash',
    'toor:x:0:7:second root:/root:/bin/sh',
    'infra:x:1007:1008:Infra:/srv/infra:/usr/sbin/nologin',
    'infra:x:0:0:second line:/:/bin/sh',
    'short:x:5',
    'minus:x:-1:1:::',
    'word:x:a:b:::',
    ':x:9:9:::',
    '',
  ].join('\n');

  test('users are read as the system reads them, and a broken line is nobody', () => {
    const users = parsePasswd(PASSWD);
    assert.deepEqual([...users.keys()], ['root', 'toor', 'infra']);
    assert.deepEqual(users.get('infra'), { uid: 1007, gid: 1008 });
  });

  test('only a user that is there, is not root, not the layer and can be become is taken', async () => {
    const passwdFile = join(fixture.folder, 'passwd');
    writeFileSync(passwdFile, PASSWD);
    const table: readonly (readonly [string, number, string])[] = [
      ['infra', 0, 'not refused'],
      ['nobody-here', 0, 'user_unknown'],
      ['short', 0, 'user_unknown'],
      ['root', 0, 'user_not_separate'],
      ['toor', 0, 'user_not_separate'],
      ['infra', 1007, 'user_not_separate'],
      ['infra', 1009, 'user_switch_refused'],
    ];
    for (const [name, uid, code] of table) {
      const machine: Machine = { passwdFile, sandboxPrograms: [], uid };
      const request = isolated({ kind: 'user', name }, ['/bin/true']);
      const binding = processBinding(request.target, request.operation);
      const result = await attempt(() => confine(binding, machine));
      assert.equal(codeOf(result), code, `${name} from ${String(uid)}`);
    }
  });

  test(
    'the program has the user and the group alone, and none of the layer’s groups',
    { skip: !IS_ROOT },
    async () => {
      const request = fixture.run([word('/usr/bin/id')], {
        target: { isolation: { kind: 'user', name: 'nobody' }, directory: '/' },
        timeoutMs: 5000,
      });
      const { outcome } = await perform(fixture.executor, request);
      assert.match(String(stdout(outcome)), /^uid=65534\(nobody\) gid=(\d+)\(\w+\) groups=\1\(/u);
      assert.ok(!String(stdout(outcome)).includes('root'));
    },
  );

  test('the program cannot read what only the layer may read', { skip: !IS_ROOT }, async () => {
    chmodSync(fixture.folder, 0o755);
    const key = join(fixture.folder, 'operator.key');
    writeFileSync(key, 'key of the operator', { mode: 0o600 });
    const outcome = await run({ kind: 'user', name: 'nobody' }, `cat ${key}; echo "exit $?"`);
    assert.equal(stdout(outcome), 'exit 1\n');
    const same = await run({ kind: 'same-as-layer' }, `cat ${key}`);
    assert.equal(stdout(same), 'key of the operator');
  });

  test('a user who is gone when it counts refuses the effect before anything runs', async () => {
    const request = isolated({ kind: 'user', name: 'no-such-user' }, ['/bin/true']);
    const resolution = await fixture.executor.resolve(request, NEVER);
    assert.ok(resolution.ok);
    const prepared = await fixture.executor.prepare(request, resolution.value, 'none', NEVER);
    assert.equal(codeOf(prepared), 'user_unknown');
  });
});

describe('a sandbox', () => {
  test('shows the system, the directory, what is declared and what is pinned, read-only but where said', () => {
    const request = fixture.run([word('/opt/act'), word('--read')], {
      target: { directory: '/srv/site' },
      operation: { files: ['/opt/lib.sh'] },
    });
    const binding = processBinding(request.target, request.operation);
    const words = sandboxWords(
      '/usr/bin/bwrap',
      { ...BWRAP, readOnly: ['/opt/data'], writable: ['/srv/out'] },
      binding,
    );
    const text = words.join(' ');
    assert.equal(words[0], '/usr/bin/bwrap');
    assert.equal(words.at(-1), '--');
    for (const part of [
      '--unshare-all --die-with-parent --cap-drop ALL',
      '--ro-bind-try /usr /usr',
      '--tmpfs /tmp',
      '--ro-bind /srv/site /srv/site --ro-bind /opt/data /opt/data --bind /srv/out /srv/out',
      '--ro-bind /opt/act /opt/act --ro-bind /opt/lib.sh /opt/lib.sh --chdir /srv/site',
    ]) {
      assert.ok(text.includes(part), part);
    }
    assert.ok(!text.includes('--share-net') && !text.includes('resolv.conf'));
    const online = sandboxWords('/usr/bin/bwrap', { ...BWRAP, network: true }, binding).join(' ');
    assert.ok(online.includes('--share-net') && online.includes('/etc/resolv.conf'));
  });

  test('where bwrap is missing the effect is refused', async () => {
    const machine: Machine = {
      passwdFile: '/etc/passwd',
      sandboxPrograms: [join(fixture.folder, 'bwrap'), '/etc/passwd'],
      uid: 0,
    };
    const request = isolated(BWRAP, ['/bin/true']);
    const binding = processBinding(request.target, request.operation);
    assert.equal(codeOf(await attempt(() => confine(binding, machine))), 'sandbox_missing');
  });

  test('the isolation is part of the effect', async () => {
    const effects = [];
    for (const isolation of [
      BWRAP,
      { ...BWRAP, network: true },
      { ...BWRAP, writable: ['/srv'] },
      { kind: 'same-as-layer' },
      { kind: 'user', name: 'nobody' },
    ] as const) {
      const resolved = await fixture.executor.resolve(isolated(isolation, ['/bin/true']), NEVER);
      assert.ok(resolved.ok);
      effects.push(resolved.value.effect);
    }
    assert.equal(new Set(effects).size, effects.length);
  });

  describe('made by the real bwrap', { skip: !HAS_BWRAP }, () => {
    test('the program reads its directory, writes nowhere but where it may, and reaches nobody', async () => {
      const { folder } = fixture;
      const outside = startProcessTarget();
      const secret = join(outside.folder, 'secret');
      writeFileSync(secret, 'a secret of the layer');
      const body = `cat effects && echo reads
touch ${folder}/written 2>/dev/null || echo read-only
cat ${secret} 2>/dev/null || echo hidden
ls /root /home /etc/passwd 2>/dev/null || echo no homes
grep -c : /proc/net/dev
ps ax 2>/dev/null | wc -l | grep -q '^[1-9]$' && echo alone`;
      const outcome = await run(BWRAP, body);
      assert.match(String(stdout(outcome)), /^reads\nread-only\nhidden\nno homes\n1\n/u);
      assert.equal(outcome.state, 'succeeded');
      assert.ok(!existsSync(join(folder, 'written')));
      const writing = await run({ ...BWRAP, writable: [folder] }, 'echo yes > written');
      assert.equal(writing.state, 'succeeded');
      assert.equal(readFileSync(join(folder, 'written'), 'utf8'), 'yes\n');
      await outside.stop();
    });

    test('what is pinned cannot be written even where its folder can', async () => {
      const outcome = await run({ ...BWRAP, writable: [fixture.folder] }, 'echo x >> "$0"; exit 0');
      assert.equal(outcome.state, 'succeeded');
      assert.ok(!readFileSync(join(fixture.folder, 'program.sh'), 'utf8').endsWith('x\n'));
    });

    test('codes of the program are its own, and a sandbox that cannot be made ran nothing', async () => {
      const failed = await run(BWRAP, 'exit 7');
      assert.deepEqual([failed.state, failed.code], ['failed', 'exit_7']);
      const declared = await run(BWRAP, 'exit 1', { 1: 'succeeded' });
      assert.equal(declared.state, 'succeeded');
      const broken = { ...BWRAP, readOnly: ['/nowhere/at/all'] };
      const outcome = await run(broken, 'exit 0', { 1: 'succeeded' });
      assert.deepEqual([outcome.state, outcome.code], ['not_executed', 'start_failed']);
    });

    test('a program that takes too long is ended with everything in its sandbox', async () => {
      const script = fixture.script('program.sh', '#!/bin/sh\nsleep 61.25 & sleep 61.25\n');
      const request = fixture.run([word(script)], { target: { isolation: BWRAP }, timeoutMs: 300 });
      const { outcome } = await perform(fixture.executor, request);
      assert.deepEqual([outcome.state, outcome.code], ['unknown', 'timeout']);
      await systemClock.sleep(50);
      assert.equal(spawnSync('/usr/bin/pgrep', ['-f', 'sleep 61.25']).stdout.toString(), '');
    });
  });
});
