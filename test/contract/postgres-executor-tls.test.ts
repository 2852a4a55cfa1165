/** Connections to PostgreSQL beyond this machine: only to who shows a certificate for the name that was asked for. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';

import { systemClock } from '../fixtures/clock.ts';
import { hasPostgres, type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { type PostgresFixture, startPostgresTarget } from '../fixtures/postgres-target.ts';
import {
  ADDRESS_CERTIFICATE,
  AUTHORITY,
  DATABASE_KEY,
  NAME_CERTIFICATE,
} from '../fixtures/postgres-tls.ts';
import { sqlRequest } from '../fixtures/sql-inventory.ts';
import { CERTIFICATE } from '../fixtures/tls.ts';

const NEVER = new AbortController().signal;
const LAYER = fileURLToPath(new URL('../fixtures/sql-layer.ts', import.meta.url));
const skip = hasPostgres ? false : '7 tests left out: run `npm ci` in test/real';

describe('sql/1 on PostgreSQL: TLS', { skip }, () => {
  let server: PostgresServer;
  let fixture: PostgresFixture;
  let files: DatabaseFiles;
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => {
    warnings.push(warning.message);
  };
  before(async () => {
    process.on('warning', onWarning);
    server = await startPostgres();
    fixture = await startPostgresTarget(server);
    files = await databaseFiles(fixture);
  });
  after(async () => {
    process.off('warning', onWarning);
    await fixture.stop();
    await server.stop();
  });

  /** What a layer that trusts these authorities finds at this place. */
  const look = async (host: string, mode: string, ...authorities: string[]): Promise<string> => {
    const place = `postgres://actor@${host}:${server.port}/shop${mode}`;
    const request = sqlRequest(
      `postgres: ${place}\n    credentials: { act: env:ACT, look: env:ACT }`,
      'delete-customers',
      { closedBefore: '2026-01-01' },
    );
    const usual = getCACertificates();
    setDefaultCACertificates([...usual, ...authorities]);
    try {
      const attempt = await fixture.executor.preview(request, NEVER);
      return JSON.stringify(attempt);
    } finally {
      setDefaultCACertificates(usual);
    }
  };
  const verified = '?sslmode=verify-full';

  test('a server without TLS is refused where TLS is asked for, and where it is only not forgone', async () => {
    for (const [host, mode] of [
      ['localhost', verified],
      ['0.0.0.0', ''],
    ] as const) {
      assert.match(await look(host, mode, AUTHORITY), /connection_failed.*does not support SSL/u);
    }
    assert.match(await look('localhost', ''), /"ok":true/u);
  });

  test('a certificate for the name by an authority that is trusted is accepted', async () => {
    await files.serve(NAME_CERTIFICATE);
    assert.match(await look('localhost', verified, AUTHORITY), /"ok":true.*"keys":\["2","3"\]/u);
    const users = await fixture.rows(
      'SELECT count(*) FROM pg_stat_ssl WHERE NOT ssl AND pid <> pg_backend_pid()',
    );
    assert.deepEqual(users, ['0']);
  });

  test('an authority that the layer is told of when it starts is trusted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-tls-'));
    const path = join(folder, 'authority.pem');
    writeFileSync(path, AUTHORITY);
    const place = `postgres: postgres://actor@localhost:${server.port}/shop${verified}\n    credentials: { act: env:ACT, look: env:ACT }`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [LAYER, place, 'delete-customers', '{"closedBefore":"2026-01-01"}'],
      {
        encoding: 'utf8',
        timeout: 20_000,
        env: { ...fixture.environment, NODE_EXTRA_CA_CERTS: path },
      },
    );
    rmSync(folder, { recursive: true });
    assert.match(stdout, /"ok":true/u, stderr);
    assert.equal(stderr, '');
  });

  test('one by an authority that is not trusted is refused', async () => {
    for (const authorities of [[], [CERTIFICATE]]) {
      const found = await look('localhost', verified, ...authorities);
      assert.match(found, /connection_failed.*unable to (?:get|verify)/u);
    }
  });

  test('one for another name is refused, by whatever address the server is reached', async () => {
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const found = await look(host, verified, AUTHORITY);
      assert.match(found, /connection_failed.*does not match certificate's altnames/u, host);
    }
  });

  test('one for an address is accepted at that address alone', async () => {
    await files.serve(ADDRESS_CERTIFICATE);
    assert.match(await look('127.0.0.1', verified, AUTHORITY), /"ok":true/u);
    assert.match(await look('localhost', verified, AUTHORITY), /connection_failed/u);
    // Node warns of an address that is sent as a name.
    assert.deepEqual(warnings, []);
  });

  test('a server that asks for TLS refuses a plain connection, and has a verified one', async () => {
    await files.refusePlain();
    assert.match(await look('127.0.0.1', '?sslmode=disable'), /connection_failed/u);
    assert.match(await look('127.0.0.1', verified, AUTHORITY), /"ok":true/u);
  });
});

interface DatabaseFiles {
  /** Shows this certificate from now on. */
  serve(certificate: string): Promise<void>;
  /** Takes connections by TLS only. */
  refusePlain(): Promise<void>;
}

async function databaseFiles(fixture: PostgresFixture): Promise<DatabaseFiles> {
  const [folder = ''] = await fixture.rows('SHOW data_directory');
  const [rules = ''] = await fixture.rows('SHOW hba_file');
  const { uid, gid } = statSync(folder);
  const write = (name: string, text: string): void => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, uid, gid);
  };
  const loaded = async (): Promise<string> =>
    (await fixture.rows("SELECT extract(epoch FROM pg_conf_load_time()) || ''")).join('');
  const reload = async (): Promise<void> => {
    const last = await loaded();
    await fixture.exec('SELECT pg_reload_conf()');
    while ((await loaded()) === last) await systemClock.sleep(20);
    // The server reads its files before it tells those that are connected; new connections wait for it.
    await systemClock.sleep(200);
  };
  return {
    async serve(certificate) {
      write('server.crt', certificate);
      write('server.key', DATABASE_KEY);
      await fixture.exec('ALTER SYSTEM SET ssl = on');
      await reload();
    },
    async refusePlain() {
      writeFileSync(rules, `hostnossl all all all reject\n${readFileSync(rules, 'utf8')}`);
      await reload();
    },
  };
}
