import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';

import { systemClock } from '../../test/fixtures/clock.ts';
import { CREDENTIAL_BYTES_MAX, leaseCredential } from './credentials.ts';
import { createMasker } from './mask.ts';
import { attempt } from './refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'exequatur-credentials-'));
after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return `file:${path}`;
}

function source(environment: Record<string, string> = {}): Parameters<typeof leaseCredential>[1] {
  return { environment, masker: createMasker(), clock: systemClock };
}

async function codeOf(
  reference: string,
  environment: Record<string, string> = {},
): Promise<string> {
  const result = await attempt(() => leaseCredential(reference, source(environment)));
  return result.ok ? 'leased' : result.code;
}

describe('credentials', () => {
  test('a variable and a file are read anew at each lease', async () => {
    const environment: Record<string, string> = { TOKEN: 'first-value' };
    const from = source(environment);
    assert.equal((await leaseCredential('env:TOKEN', from)).value, 'first-value');
    environment['TOKEN'] = 'second-value';
    assert.equal((await leaseCredential('env:TOKEN', from)).value, 'second-value');
    const reference = file('rotates', 'first-file\n');
    assert.equal((await leaseCredential(reference, from)).value, 'first-file');
    file('rotates', 'second-file\r\n');
    assert.equal((await leaseCredential(reference, from)).value, 'second-file');
  });

  test('one newline at the end is not part of the value, a second one is', async () => {
    assert.equal((await leaseCredential(file('two', 'secret\n\n'), source())).value, 'secret\n');
  });

  test('a value is known to the masker before anybody has it', async () => {
    const from = source({ TOKEN: 'very-secret' });
    await leaseCredential('env:TOKEN', from);
    assert.ok(!from.masker.text('a very-secret thing').includes('very-secret'));
  });

  test('a released lease gives nothing any more, and is released twice without harm', async () => {
    const lease = await leaseCredential('env:TOKEN', source({ TOKEN: 'very-secret' }));
    lease.release();
    lease.release();
    assert.throws(() => lease.value, /is over/u);
  });

  test('a lease shows its reference but never its value when it is printed', async () => {
    const lease = await leaseCredential('env:TOKEN', source({ TOKEN: 'very-secret' }));
    const printed = JSON.stringify(lease) + inspect(lease, { showHidden: true, getters: false });
    assert.ok(printed.includes('env:TOKEN') && !printed.includes('very-secret'));
  });

  test('links are followed, as mounted secrets need it', async () => {
    file('linked', 'behind-a-link');
    symlinkSync(join(folder, 'linked'), join(folder, 'link'));
    const lease = await leaseCredential(`file:${join(folder, 'link')}`, source());
    assert.equal(lease.value, 'behind-a-link');
  });

  test('a file that everybody may read is leased with a warning, one that everybody may write is not', async () => {
    const lease = await leaseCredential(file('readable', 'some-secret', 0o644), source());
    assert.equal(lease.warning, 'credential_world_readable');
    assert.equal((await leaseCredential(file('mine', 'some-secret'), source())).warning, undefined);
    assert.equal(await codeOf(file('writable', 'some-secret', 0o602)), 'credential_world_writable');
  });

  test('what is no usable credential is refused by name', async () => {
    const table: readonly (readonly [string, string])[] = [
      ['env:ABSENT', 'credential_missing'],
      ['env:toString', 'credential_missing'],
      ['env:EMPTY', 'credential_empty'],
      ['env:NEWLINE', 'credential_empty'],
      ['env:SHORT', 'credential_too_short'],
      ['env:HUGE', 'credential_too_large'],
      ['TOKEN', 'credential_reference_invalid'],
      ['file:relative/path', 'credential_reference_invalid'],
      ['file:/with\0zero', 'credential_reference_invalid'],
      ['file:/nowhere/at/all', 'credential_unreadable'],
      [`file:${folder}`, 'credential_unreadable'],
      [file('huge', 'x'.repeat(CREDENTIAL_BYTES_MAX + 1)), 'credential_too_large'],
      [file('binary', new Uint8Array([0xff, 0xfe, 0x41, 0x42, 0x43])), 'credential_not_text'],
      [file('fits', 'x'.repeat(CREDENTIAL_BYTES_MAX)), 'leased'],
    ];
    const environment = {
      EMPTY: '',
      NEWLINE: '\n',
      SHORT: 'abc',
      HUGE: 'x'.repeat(CREDENTIAL_BYTES_MAX + 1),
    };
    for (const [reference, code] of table) {
      assert.equal(await codeOf(reference, environment), code, reference);
    }
  });

  test('a named pipe in the place of a file holds up nobody', { timeout: 5000 }, async () => {
    execFileSync('/usr/bin/mkfifo', [join(folder, 'pipe')]);
    assert.equal(await codeOf(`file:${join(folder, 'pipe')}`), 'credential_unreadable');
  });
});
