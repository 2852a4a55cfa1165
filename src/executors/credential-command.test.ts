import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { systemClock } from '../../test/fixtures/clock.ts';
import type { Clock } from '../engine/ports.ts';
import { CREDENTIAL_BYTES_MAX, leaseCredential, type CredentialSource } from './credentials.ts';
import { createMasker } from './mask.ts';
import { attempt } from './refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'exequatur-credential-command-'));
after(() => {
  rmSync(folder, { recursive: true });
});

/** A clock on which everything that is waited for is over after a tenth of a second. */
const hurried: Clock = {
  ...systemClock,
  sleep: (_ms, signal) => systemClock.sleep(100, signal),
};

function source(clock: Clock = systemClock): CredentialSource {
  return { environment: { AMBIENT: 'ambient' }, masker: createMasker(), clock };
}

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o700);
  return path;
}

async function refusalOf(
  reference: string,
  clock?: Clock,
): Promise<{ readonly code: string; readonly message: string }> {
  const result = await attempt(() => leaseCredential(reference, source(clock)));
  return result.ok ? { code: 'leased', message: '' } : result;
}

describe('a credential that a program prints', () => {
  test('the program runs anew at each lease, and one newline is not part of the value', async () => {
    const counter = join(folder, 'count');
    const program = script(
      'counting',
      `echo x >> ${counter}; /usr/bin/wc -l < ${counter}; echo vault`,
    );
    const from = source();
    const first = await leaseCredential(`exec:${program}`, from);
    const second = await leaseCredential(`exec:${program}`, from);
    assert.match(first.value, /^\s*1\nvault$/u);
    assert.match(second.value, /^\s*2\nvault$/u);
  });

  test('words arrive as they are written, and no shell reads them', async () => {
    const program = script('words', 'printf "%s|" "$@"');
    const leased = await leaseCredential(`exec:${program} 'a b' '$HOME' '*' -f=x`, source());
    assert.equal(leased.value, 'a b|$HOME|*|-f=x|');
  });

  test('the environment is empty but for what the reference declares', async () => {
    const bare = await leaseCredential('exec:/usr/bin/env NAME=1', source());
    assert.equal(bare.value, 'NAME=1');
    const declared = await leaseCredential('exec:HOME=/srv PATH=/bin /usr/bin/env', source());
    assert.deepEqual(declared.value.split('\n').toSorted(), ['HOME=/srv', 'PATH=/bin']);
  });

  test('the value is known to the masker before anybody has it', async () => {
    const from = source();
    await leaseCredential('exec:/bin/echo hvs.CAESIJ', from);
    assert.ok(!from.masker.text('token hvs.CAESIJ').includes('hvs.CAESIJ'));
  });

  test('a failing program is refused by code, and nothing it printed is shown', async () => {
    const program = script('failing', 'echo top-secret; echo top-secret >&2; exit 3');
    const refusal = await refusalOf(`exec:${program} word`);
    assert.equal(refusal.code, 'credential_command_failed');
    assert.ok(!refusal.message.includes('top-secret'));
  });

  test('what is no program and what prints no credential is refused by name', async () => {
    const table: readonly (readonly [string, string])[] = [
      ['exec:/nowhere/at/all', 'credential_command_failed'],
      [`exec:${folder}`, 'credential_command_failed'],
      ['exec:echo x', 'credential_reference_invalid'],
      ['exec:/bin/echo $X', 'credential_reference_invalid'],
      ['exec:/bin/true', 'credential_empty'],
      ['exec:/bin/echo abc', 'credential_too_short'],
      [`exec:${script('killed', 'kill -9 $$')}`, 'credential_command_failed'],
      [`exec:${script('binary', String.raw`printf '\377\376abcd'`)}`, 'credential_not_text'],
    ];
    for (const [reference, code] of table) {
      assert.equal((await refusalOf(reference)).code, code, reference);
    }
  });

  test('output is bounded, at the limit and one past it', async () => {
    const size = CREDENTIAL_BYTES_MAX;
    const fits = await leaseCredential(
      `exec:/usr/bin/head -c ${String(size)} ${zeros('x')}`,
      source(),
    );
    assert.equal(fits.value.length, size);
    const { code } = await refusalOf(`exec:/usr/bin/head -c ${String(size + 1)} ${zeros('x')}`);
    assert.equal(code, 'credential_too_large');
    assert.equal((await refusalOf('exec:/usr/bin/yes')).code, 'credential_too_large');
  });

  test('a program that hangs is ended with what it started', { timeout: 10_000 }, async () => {
    const pids = join(folder, 'pids');
    const program = script('hanging', `sleep 60 & echo $! > ${pids}; wait`);
    assert.equal((await refusalOf(`exec:${program}`, hurried)).code, 'credential_command_timeout');
    const pid = readFileSync(pids, 'utf8').trim();
    for (let tries = 0; tries < 100 && runs(pid); tries += 1) await systemClock.sleep(20);
    assert.ok(!runs(pid));
  });

  test('a program that reads waits for nobody', { timeout: 10_000 }, async () => {
    assert.equal((await refusalOf('exec:/bin/cat')).code, 'credential_empty');
  });
});

function zeros(letter: string): string {
  const path = join(folder, 'many');
  writeFileSync(path, letter.repeat(CREDENTIAL_BYTES_MAX + 10));
  return path;
}

/** Whether a process is there and no zombie. */
function runs(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
