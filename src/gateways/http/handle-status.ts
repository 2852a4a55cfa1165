/** What the layer says of itself: alive, ready, status, reload, error codes and the status page. */
import { erase } from '../../engine/erasing.ts';
import { purge } from '../../engine/purging.ts';
import { StoreError } from '../../engine/ports.ts';
import type { ActionState } from '../../protocol/words.ts';
import { ERROR_CODES, isErrorCode } from '../../protocol/errors.ts';
import { formatInstant } from '../../kernel/instant.ts';
import { sameUserTargets } from '../../kernel/inventory.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import { openApiOf } from '../../protocol/openapi.ts';
import type { CountView, ReadyView, StatusView } from '../../protocol/status.ts';
import { findAction, refusedAbout } from './about-action.ts';
import { ApiProblem } from './api-problem.ts';
import { parameterOf, whoOf, type Handlers, type Served } from './call.ts';
import { METRICS_TYPE, writeMetrics } from './metrics.ts';
import { PAGE_POLICY, renderPage } from './page.ts';
import type { TenantName } from '../../kernel/id.ts';

/** How many open actions of one state are counted. */
const COUNTED_MAX = 200;

/** Routes about the layer itself. */
export const STATUS_HANDLERS: Handlers<
  | 'status'
  | 'reload'
  | 'backup'
  | 'purge'
  | 'erase'
  | 'health'
  | 'ready'
  | 'openApi'
  | 'metrics'
  | 'error'
  | 'page'
> = {
  health: async () => ({ status: 200, body: { status: 'alive' } }),

  async ready(call) {
    const ready = await readiness(call.served);
    return { status: ready.status === 'unavailable' ? 503 : 200, body: ready };
  },

  async status(call) {
    return { status: 200, body: await statusOf(call.served, whoOf(call).tenant) };
  },

  async reload(call) {
    const reloaded = await call.served.reload();
    if (reloaded.kind === 'invalid') {
      const [first] = reloaded.problems;
      const where = first && `${first.file}:${String(first.line)}:${String(first.column)}`;
      throw new ApiProblem('configuration_invalid', {
        ...(first === undefined ? {} : { detail: `${where ?? ''}: ${first.message}` }),
        problems: reloaded.problems,
      });
    }
    const { changed, epoch } = reloaded;
    return { status: 200, body: { changed, epoch } };
  },

  async openApi(call) {
    const { version } = call.served.layer;
    documents.set(version, documents.get(version) ?? openApiOf(version));
    return { status: 200, body: documents.get(version) ?? {} };
  },

  async metrics(call) {
    const { served } = call;
    const { tenant } = whoOf(call);
    const { engine } = served;
    const [ready, store, halts] = await Promise.all([
      readiness(served),
      engine.store.measures(tenant),
      engine.store.halts(tenant),
    ]);
    const body = writeMetrics({
      layer: served.layer,
      counts: served.counts,
      store,
      epoch: engine.configuration(tenant).epoch.number,
      haltsCount: halts.length,
      ready: ready.status === 'ready',
      reasons: ready.reasons.map(({ code }) => code),
      waitingCount: served.waiting.taken,
      streamsCount: served.streams.taken,
      sendingCount: engine.life.executing.size,
    });
    return { status: 200, body, headers: { 'content-type': METRICS_TYPE } };
  },

  async backup(call) {
    const at = formatInstant(call.served.engine.life.clock.now());
    const name = call.body.name ?? at.toLowerCase().replaceAll(':', '-');
    const done = await call.served.backup(name);
    if (done === undefined) {
      throw new ApiProblem('backup_exists', { detail: `there is a backup \`${name}\` already` });
    }
    return { status: 201, body: { ...done, at } };
  },

  async purge(call) {
    const { olderThanMs, dryRun = false } = call.body;
    const retention = { settledMs: olderThanMs, deniedMs: olderThanMs };
    const { life } = call.served.engine;
    return { status: 200, body: await purge(life, whoOf(call).tenant, retention, dryRun) };
  },

  async erase(call) {
    const { tenant, id } = await findAction(call);
    const { life } = call.served.engine;
    const { reason } = call.body;
    const erased = await erase(life, { tenant, action: id, by: 'operator', reason });
    switch (erased.kind) {
      case 'erased':
      case 'erased_before':
        return {
          status: 200,
          body: { id, payloads: erased.payloads, before: erased.kind === 'erased_before' },
        };
      case 'not_final':
        throw await refusedAbout(call, {
          kind: 'refused',
          code: 'not_final',
          message: `the action is ${erased.record.state}`,
        });
      case 'unknown_action':
        throw new ApiProblem('action_unknown');
      default:
        return erased satisfies never;
    }
  },

  async error(call) {
    const code = parameterOf(call, 'code');
    if (!isErrorCode(code)) throw new ApiProblem('error_unknown');
    const { status, title, doc, hint } = ERROR_CODES[code];
    const lines = [`${code} (${String(status)}) ${title}`, doc];
    if (hint !== undefined) lines.push(`hint: ${hint}`);
    return { status: 200, body: `${lines.join('\n')}\n` };
  },

  async page(call) {
    const { served } = call;
    const ready = await readiness(served);
    const open = ready.status === 'unavailable' ? undefined : await recentCounts(served);
    const body = renderPage({ layer: served.layer, ready, open });
    return { status: 200, body, headers: { 'content-security-policy': PAGE_POLICY } };
  },
};

/** Made once for each version, which is one. */
const documents = new Map<string, JsonObject>();

/** Fails only for the store and while draining; anything else is degraded, and told. */
async function readiness(served: Served): Promise<ReadyView> {
  const { engine, layer, ring } = served;
  const reasons = [...served.reasons()];
  if (layer.isolation === 'none') {
    reasons.push({
      code: 'isolation_none',
      message: 'isolation: none — whoever runs as the same user can go around the layer',
    });
  }
  if (served.isDraining()) {
    return {
      status: 'unavailable',
      reasons: [{ code: 'draining', message: 'the layer is stopping' }, ...reasons],
    };
  }
  try {
    await engine.store.halts(ring.tenant);
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'store_unavailable';
    return {
      status: 'unavailable',
      reasons: [{ code, message: 'the store does not answer' }, ...reasons],
    };
  }
  return { status: reasons.length === 0 ? 'ready' : 'degraded', reasons };
}

async function statusOf(served: Served, tenant: TenantName): Promise<StatusView> {
  const { engine, layer, counts } = served;
  const { epoch, policy } = engine.configuration(tenant);
  const ready = await readiness(served);
  const [open, halts] = await Promise.all([openCounts(served, tenant), engine.store.halts(tenant)]);
  return {
    version: layer.version,
    mode: layer.mode,
    isolation: layer.isolation,
    sameUserTargets: sameUserTargets(policy.inventory),
    tenant,
    ...ready,
    epoch: { number: epoch.number, digest: epoch.digest, at: formatInstant(epoch.at) },
    open,
    haltsCount: halts.length,
    counts: { ...counts },
  };
}

async function openCounts(served: Served, tenant: TenantName): Promise<StatusView['open']> {
  const [held, executing, unknown] = await Promise.all([
    countOf(served, tenant, 'held'),
    countOf(served, tenant, 'executing'),
    countOf(served, tenant, 'unknown'),
  ]);
  return { held, executing, unknown };
}

/** The status page is for everyone: however often it is asked for, it counts once a second. */
const recent = new WeakMap<Served, { readonly atMs: number; readonly open: StatusView['open'] }>();

async function recentCounts(served: Served): Promise<StatusView['open']> {
  const nowMs = served.engine.life.clock.monotonicMs();
  const known = recent.get(served);
  if (known !== undefined && nowMs - known.atMs < 1000) return known.open;
  const open = await openCounts(served, served.ring.tenant);
  recent.set(served, { atMs: nowMs, open });
  return open;
}

async function countOf(
  { engine }: Served,
  tenant: TenantName,
  state: ActionState,
): Promise<CountView> {
  const records = await engine.store.actions({
    tenant,
    states: [state],
    count: COUNTED_MAX + 1,
  });
  return { count: Math.min(records.length, COUNTED_MAX), more: records.length > COUNTED_MAX };
}
