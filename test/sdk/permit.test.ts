/** `exequatur/permit` as an executor uses it: over a socket, against a real layer. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import {
  ApiError,
  PermitError,
  redeem,
  settle,
  UnansweredError,
  UsageError,
  verifyPermit,
  withPermit,
  type PermitDesk,
  type PermitErrorCode,
  type PresentedPermit,
} from '../../src/sdk/permit.ts';
import { ROOT, sourceFiles, importsOf, resolveImport } from '../architecture/source.ts';
import { ISSUER, type Layer } from '../fixtures/layer.ts';
import { ask, claimed, move, startCell } from '../fixtures/permits.ts';

const JKT = 'A'.repeat(43);
const REAL = join(ROOT, 'test/real/node_modules');
const RUNTIMES = {
  Deno: {
    path: join(REAL, '@deno/linux-x64-glibc/deno'),
    words: ['run', '--no-lock', '--no-check', '--allow-net', '--node-modules-dir=manual'],
  },
  Bun: { path: join(REAL, '@oven/bun-linux-x64/bin/bun'), words: ['run'] },
} as const;

async function refuses(work: Promise<unknown>, code: PermitErrorCode): Promise<void> {
  await assert.rejects(work, (error) => error instanceof PermitError && error.code === code);
}

describe('exequatur/permit', () => {
  let layer: Layer;
  let agent: string;
  let desk: PermitDesk;
  let trust: { readonly jwksUrl: string; readonly issuer: string; readonly audience: string };
  before(async () => {
    layer = await startCell();
    agent = await layer.agentKey();
    const key = await layer.executorKey('cell');
    const url = await layer.listen();
    trust = { jwksUrl: `${url}/.well-known/jwks.json`, issuer: ISSUER, audience: 'cell' };
    desk = { layer: { url, key }, trust };
  });
  after(() => layer.close());

  async function presented(
    body: Readonly<Record<string, unknown>> = move(),
  ): Promise<PresentedPermit & { readonly id: string }> {
    const { id, claim, action } = claimed(await ask(layer, agent, body));
    return { id, claim, bytes: new TextEncoder().encode(action) };
  }

  test('verifies, redeems, executes and settles', async () => {
    const order = await presented();
    const seen: unknown[] = [];
    const end = await withPermit(desk, order, async (permit) => {
      const { state } = await layer.record(order.id);
      seen.push(state, permit.operation, permit.args['arm'], permit.agent);
      assert.ok(permit.settleByMs > Date.now());
      return { outcome: 'succeeded', result: { at: permit.execution } };
    });
    assert.deepEqual(seen, ['executing', 'move', 1, 'agent:bot']);
    const { state, execution } = await layer.record(order.id);
    assert.equal(state, 'succeeded');
    assert.equal(end.outcome, 'succeeded');
    assert.equal(JSON.stringify(execution?.outcome?.result), JSON.stringify({ at: execution?.id }));
  });

  test('verifies by keys that were handed over, without a network', async () => {
    const { claim, bytes } = await presented();
    const { body } = await layer.ask('GET /.well-known/jwks.json');
    const { keys } = body;
    assert.ok(Array.isArray(keys));
    const permit = await verifyPermit(
      claim,
      { issuer: ISSUER, audience: 'cell', jwks: { keys } },
      bytes,
    );
    assert.deepEqual([permit.target, permit.operation], ['cell-7', 'move']);
    assert.ok(Object.isFrozen(permit));
  });

  test('refuses other bytes than the claim is about', async () => {
    const { claim, bytes } = await presented();
    const other = await presented();
    await refuses(verifyPermit(claim, trust, other.bytes), 'bytes_differ');
    const text = new TextDecoder().decode(bytes);
    for (const changed of [`${text} `, text.replace('"arm":1', '"arm":2'), '', '{}']) {
      const work = verifyPermit(claim, trust, new TextEncoder().encode(changed));
      await refuses(work, 'bytes_differ');
    }
  });

  test('refuses what is for another executor, of another layer, or no claim', async () => {
    const { claim, bytes } = await presented();
    await refuses(
      verifyPermit(claim, { ...trust, audience: 'press' }, bytes),
      'permit_for_another',
    );
    const issuer = 'https://evil.example';
    await refuses(verifyPermit(claim, { ...trust, issuer }, bytes), 'permit_not_genuine');
    await refuses(verifyPermit(`${claim}=`, trust, bytes), 'permit_malformed');
    const jwksUrl = 'http://127.0.0.1:1/jwks.json';
    await refuses(verifyPermit(claim, { ...trust, jwksUrl }, bytes), 'keys_unavailable');
  });

  test('refuses a bound claim from whoever has not proved the key', async () => {
    const { claim, bytes } = await presented({ ...move(), cnf: { jkt: JKT } });
    await refuses(verifyPermit(claim, trust, bytes), 'presenter_unproved');
    const another = { ...trust, presenter: 'B'.repeat(43) };
    await refuses(verifyPermit(claim, another, bytes), 'presenter_unproved');
    assert.ok(await verifyPermit(claim, { ...trust, presenter: JKT }, bytes));
  });

  test('redeems only what it has verified itself, and as an executor', async () => {
    const { claim, bytes } = await presented();
    const permit = await verifyPermit(claim, trust, bytes);
    await assert.rejects(redeem(desk.layer, { ...permit }), TypeError);
    await assert.rejects(
      redeem({ ...desk.layer, key: agent }, permit),
      (error) => error instanceof UsageError && error.code === 'key_invalid',
    );
  });

  test('executes nothing where the permit is spent', async () => {
    const order = await presented();
    let executed = 0;
    const once = (): Promise<{ readonly outcome: 'succeeded' }> => {
      executed += 1;
      return Promise.resolve({ outcome: 'succeeded' });
    };
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => withPermit(desk, order, once)),
    );
    assert.equal(executed, 1);
    const codes = all.flatMap((each) =>
      each.status === 'rejected' && each.reason instanceof ApiError ? [each.reason.code] : [],
    );
    assert.deepEqual(new Set(codes), new Set(['permit_redeemed']));
    assert.equal(codes.length, 19);
  });

  test('executes nothing where no answer to the redemption came, and says that it is not known', async () => {
    const order = await presented();
    let executed = 0;
    const losing: PermitDesk = {
      ...desk,
      layer: {
        ...desk.layer,
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          await response.arrayBuffer();
          throw new TypeError('connection reset');
        },
      },
    };
    const work = withPermit(losing, order, () => {
      executed += 1;
      return Promise.resolve({ outcome: 'succeeded' });
    });
    await assert.rejects(
      work,
      (error) => error instanceof UnansweredError && error.executed === 'unknown',
    );
    assert.equal(executed, 0);
    assert.equal((await layer.record(order.id)).state, 'executing');
  });

  test('law 5: settles as unknown what throws after it began', async () => {
    const order = await presented();
    const failure = new Error('the arm lost its encoder');
    const work = withPermit(desk, order, () => Promise.reject(failure));
    await assert.rejects(work, (error) => error === failure);
    const { state, execution } = await layer.record(order.id);
    assert.equal(state, 'unknown');
    assert.equal(execution?.outcome?.code, 'settled_by_executor');
    assert.ok(!JSON.stringify(execution.outcome).includes('encoder'));
  });

  test('settles again where the answer was lost, and tells evidence as it is', async () => {
    const order = await presented();
    let tries = 0;
    const flaky: PermitDesk = {
      ...desk,
      layer: {
        ...desk.layer,
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          if (!url.endsWith('/settle')) return response;
          tries += 1;
          if (tries > 2) return response;
          await response.arrayBuffer();
          throw new TypeError('connection reset');
        },
      },
    };
    await withPermit(flaky, order, () =>
      Promise.resolve({ outcome: 'not_executed', evidence: 'the cell was locked out' }),
    );
    assert.equal(tries, 3);
    assert.equal((await layer.record(order.id)).state, 'not_executed');
  });

  test('says that another word came first', async () => {
    const order = await presented();
    const permit = await redeem(desk.layer, await verifyPermit(order.claim, trust, order.bytes));
    await settle(desk.layer, permit, { outcome: 'failed' });
    await assert.rejects(
      settle(desk.layer, permit, { outcome: 'succeeded' }),
      (error) => error instanceof ApiError && error.code === 'permit_settled',
    );
  });

  test('loads no module of Node, and one package', () => {
    const sources = new Map(sourceFiles('src').map((file) => [file.path, file]));
    const others = new Set<string>();
    const seen = new Set<string>();
    const visit = (path: string): void => {
      const source = sources.get(path);
      if (source === undefined) others.add(path);
      if (source === undefined || seen.has(path)) return;
      seen.add(path);
      const running = source.text.replaceAll(/^import type [^;]*;$/gmu, '');
      for (const specifier of importsOf(running)) visit(resolveImport(path, specifier));
    };
    visit('src/sdk/permit.ts');
    assert.ok(seen.size > 5);
    assert.deepEqual([...others], ['jose']);
  });

  for (const [runtime, program] of Object.entries(RUNTIMES)) {
    const { path, words } = program;
    test(`verifies in ${runtime}`, { skip: !existsSync(path) && 'not installed' }, async () => {
      const { claim, bytes } = await presented();
      const folder = mkdtempSync(join(ROOT, 'test', '.permit-'));
      try {
        const script = join(folder, 'verify.ts');
        const given = JSON.stringify({ claim, trust, action: new TextDecoder().decode(bytes) });
        writeFileSync(
          script,
          `import { verifyPermit } from '../../src/sdk/permit.ts';
const { claim, trust, action } = ${given};
const permit = await verifyPermit(claim, trust, new TextEncoder().encode(action));
const differs = await verifyPermit(claim, trust, new TextEncoder().encode('{}')).catch(({ code }) => code);
console.log(permit.operation, differs);
`,
        );
        const options = { cwd: ROOT, timeout: 30_000, env: { HOME: tmpdir() } };
        const { stdout } = await promisify(execFile)(path, [...words, script], options);
        assert.equal(stdout.trim(), 'move bytes_differ');
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
