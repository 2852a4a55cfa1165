/**
 * Others that answer a similar question, in the same run: Cedar in process on an equal policy, and the
 * Cerbos server over HTTP beside the layer's own forecast. They decide about names and attributes; they
 * hold nothing, cross nothing and record nothing, so that only the decision itself is compared. Both come
 * from the private package of `test/real`; where it is not installed they are left out, and it is said.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { post, startHttpLayer } from './http.ts';
import { argsOf } from './layer.ts';
import { median, microseconds } from './measure.ts';

const MODULES = fileURLToPath(new URL('../test/real/node_modules/', import.meta.url));
const CEDAR = join(MODULES, '@cedar-policy/cedar-wasm/nodejs/cedar_wasm.js');
const CERBOS = join(MODULES, '@cerbos/cerbos-linux-x64/cerbos-linux-x64');
const RULES = 100;
const STARTS_MS_MAX = 20_000;

/** What is used of Cedar. */
interface Cedar {
  preparsePolicySet(id: string, policies: { readonly staticPolicies: string }): { type: string };
  statefulIsAuthorized(call: unknown): unknown;
}

/** Microseconds a decision of Cedar, with a hundred policies of which three match. */
export async function cedarMicroseconds(calls: number): Promise<number | undefined> {
  const cedar = await loadCedar();
  if (cedar === undefined) return missing('@cedar-policy/cedar-wasm');
  const others = Array.from(
    { length: RULES - 3 },
    (_, index) =>
      `forbid (principal, action, resource == Target::"shop-${String(index + 1)}")
       when { context.amount.greaterThan(decimal("${String(index + 1)}.0")) };`,
  );
  const staticPolicies = `
    permit (principal, action == Action::"refund", resource == Target::"shop-0")
      when { context.amount.lessThanOrEqual(decimal("500.0")) };
    forbid (principal, action, resource == Target::"shop-0")
      when { context.amount.greaterThan(decimal("10000.0")) };
    forbid (principal, action == Action::"refund", resource == Target::"shop-0")
      when { context.spent.greaterThan(decimal("100000000.0")) };
    ${others.join('\n')}`;
  const parsed = cedar.preparsePolicySet('bench', { staticPolicies });
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed));
  const call = {
    principal: { type: 'Agent', id: 'bench-agent' },
    action: { type: 'Action', id: 'refund' },
    resource: { type: 'Target', id: 'shop-0' },
    context: { amount: decimal('49.90'), spent: decimal('0.0') },
    preparsedPolicySetId: 'bench',
    entities: [],
  };
  const answer = JSON.stringify(cedar.statefulIsAuthorized(call));
  if (!answer.includes('"decision":"allow"')) throw new Error(answer);
  return microseconds(calls, () => void cedar.statefulIsAuthorized(call));
}

function decimal(arg: string): unknown {
  return { __extn: { fn: 'decimal', arg } };
}

/** Medians of one check of Cerbos and one forecast of the layer, both over HTTP: milliseconds. */
export async function cerbosLatency(
  count: number,
): Promise<{ readonly cerbosMs: number; readonly layerMs: number } | undefined> {
  if (!existsSync(CERBOS)) return missing('@cerbos/cerbos-linux-x64');
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-peers-'));
  const cerbos = await startCerbos(join(folder, 'policies'));
  const layer = await startHttpLayer(join(folder, 'layer'));
  const agent = new Agent({ keepAlive: true });
  const { authorization, port } = layer;
  const check = JSON.stringify({
    principal: { id: 'bench-agent', roles: ['agent'] },
    resources: [
      { actions: ['refund'], resource: { kind: 'shop', id: 'shop-0', attr: { amount: 49.9 } } },
    ],
  });
  const forecast = JSON.stringify({ target: 'shop-0', operation: 'refund', args: argsOf(1) });
  const ask = {
    cerbos: () =>
      post({ agent, port: cerbos.port, path: '/api/check/resources', authorization: 'no' }, check),
    layer: () => post({ agent, port, path: '/v1/decisions', authorization }, forecast),
  };
  try {
    await requireIn(ask.cerbos(), 'EFFECT_ALLOW');
    await requireIn(ask.layer(), '"verdict":');
    const times: { cerbos: number[]; layer: number[] } = { cerbos: [], layer: [] };
    for (let index = 0; index < count; index++) {
      for (const who of ['cerbos', 'layer'] as const) {
        const before = performance.now();
        await ask[who]();
        times[who].push(performance.now() - before);
      }
    }
    return { cerbosMs: median(times.cerbos), layerMs: median(times.layer) };
  } finally {
    agent.destroy();
    await layer.close();
    cerbos.child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function requireIn(answer: Promise<string>, text: string): Promise<void> {
  const said = await answer;
  if (!said.includes(text)) throw new Error(`no \`${text}\` in ${said.slice(0, 500)}`);
}

async function startCerbos(
  folder: string,
): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  mkdirSync(folder, { recursive: true });
  const rules = Array.from({ length: RULES - 1 }, (_, index) => ({
    actions: [`other-${String(index)}`],
    effect: 'EFFECT_ALLOW',
    roles: ['agent'],
    condition: { match: { expr: `request.resource.attr.amount <= ${String(index)}.0` } },
  }));
  const refund = {
    actions: ['refund'],
    effect: 'EFFECT_ALLOW',
    roles: ['agent'],
    condition: { match: { expr: 'request.resource.attr.amount <= 500.0' } },
  };
  const policy = {
    apiVersion: 'api.cerbos.dev/v1',
    resourcePolicy: { resource: 'shop', version: 'default', rules: [refund, ...rules] },
  };
  writeFileSync(join(folder, 'shop.json'), JSON.stringify(policy));
  const port = await freePort();
  const settings = [
    `server.httpListenAddr=127.0.0.1:${String(port)}`,
    `server.grpcListenAddr=127.0.0.1:${String(await freePort())}`,
    'storage.driver=disk',
    `storage.disk.directory=${folder}`,
    'telemetry.disabled=true',
  ];
  const child = spawn(CERBOS, ['server', ...settings.map((setting) => `--set=${setting}`)], {
    stdio: 'ignore',
  });
  const until = performance.now() + STARTS_MS_MAX;
  while (performance.now() < until) {
    const answer = await fetch(`http://127.0.0.1:${String(port)}/_cerbos/health`).catch(() => null);
    if (answer?.ok === true) return { port, child };
    await wait(100);
  }
  child.kill();
  throw new Error('the cerbos server did not start');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no free port');
  return address.port;
}

async function loadCedar(): Promise<Cedar | undefined> {
  if (!existsSync(CEDAR)) return undefined;
  const loaded: unknown = await import(pathToFileURL(CEDAR).href);
  const module: unknown = Object(loaded).default ?? loaded;
  return isCedar(module) ? module : undefined;
}

function isCedar(module: unknown): module is Cedar {
  return typeof Object(module).statefulIsAuthorized === 'function';
}

function missing(name: string): undefined {
  console.error(
    `bench: \`${name}\` is not installed here, so it is not compared: npm test installs it`,
  );
  return undefined;
}
