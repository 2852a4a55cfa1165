/**
 * The scenes: one admitted action, the five perils, a drifted preview and a crash. Each is judged at
 * the target, by the target's own record, and not only by what the layer answers.
 */
import { renameSync, rmSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Body, Reply } from './api.ts';
import type { Stage } from './stage.ts';

/** How a scene ended. */
export interface Ended {
  /** What the layer found, for people: a line or two. */
  readonly lines: readonly string[];
  readonly got: string;
}

/** One scene. */
export interface Scene {
  readonly name: string;
  readonly title: string;
  readonly expected: string;
  readonly play: (stage: Stage) => Promise<Ended>;
}

/** All of them, in the order they are played. */
export const SCENES: readonly Scene[] = [
  {
    name: 'admitted',
    title: 'a refund of 12.00 EUR that nothing stands against',
    expected: 'succeeded, refunded once',
    play: admitted,
  },
  {
    name: 'peril 1: the window has not started',
    title: 'an approved deployment to production, two hours early',
    expected: 'held by window_closed, nothing deployed',
    play: windowNotStarted,
  },
  {
    name: 'peril 2: the approval expired',
    title: 'approvals that were good for a second, and an action that ran later',
    expected: 'held by approval_expired, nothing refunded',
    play: approvalExpired,
  },
  {
    name: 'peril 3: the name now leads to production',
    title: 'approved for staging; then the link `current` was moved',
    expected: 'held by consent_moved, nothing deployed',
    play: nameLeadsElsewhere,
  },
  {
    name: 'peril 4: the requester lost the permission',
    title: 'approved, then the agent lost its role before it ran',
    expected: 'denied by no_rule_allows, nothing deployed',
    play: permissionLost,
  },
  {
    name: 'peril 5: the request is not the approved one',
    title: 'the same request key, with another amount',
    expected: 'refused by idempotency_key_reused and held by approval_missing, nothing refunded',
    play: requestChanged,
  },
  {
    name: 'peril 5: the stored bytes are not the approved ones',
    title: 'the layer stopped, its database edited from 30.00 to 90.00, and started again',
    expected: 'denied by payload_mismatch, nothing refunded',
    play: bytesChanged,
  },
  {
    name: 'a drifted preview',
    title: 'after the approval the charge belongs to another customer',
    expected: 'held by consent_moved, nothing refunded',
    play: previewDrifted,
  },
  {
    name: 'a deletion whose rows changed',
    title: 'approved for customers 12, 13 and 14; then 12 came back and 15 closed the account',
    expected: 'held by consent_moved, nothing deleted',
    play: rowsChanged,
  },
  {
    name: 'a crash between send and settlement',
    title: 'the layer is killed while the payment service works',
    expected: 'unknown, then succeeded by evidence, refunded once',
    play: crashed,
  },
];

async function admitted(stage: Stage): Promise<Ended> {
  const { body } = await stage.api.propose(stage.cast.agent, refund('ch_3P', '12.00'));
  const refunds = stage.refundsOf('ch_3P');
  const once = refunds.length === 1 && refunds[0] === 1200;
  return {
    lines: [said(body)],
    got: `${String(body['state'])}, ${once ? 'refunded once' : `refunds ${JSON.stringify(refunds)}`}`,
  };
}

async function windowNotStarted(stage: Stage): Promise<Ended> {
  const { api, cast } = stage;
  const proposed = await api.propose(cast.releaseAgent, deploy('site-production'));
  const id = idOf(proposed);
  await api.approve(cast.tomas, id);
  const { body } = await api.get(`/v1/actions/${id}`, cast.tomas);
  return { lines: findingLines(body), got: verdict(body, deployed(stage)) };
}

async function approvalExpired(stage: Stage): Promise<Ended> {
  const { api, cast } = stage;
  const proposed = await api.propose(cast.agent, {
    ...refund('ch_5R', '400.00'),
    notBefore: soon(2 * stage.soonMs),
  });
  const id = idOf(proposed);
  await api.approve(cast.mei, id);
  await api.approve(cast.tomas, id);
  const body = await api.until(cast.mei, id, {
    done: (each) => !codes(each).includes('not_before'),
    waitMs: stage.soonMs + 10_000,
  });
  return { lines: findingLines(body), got: verdict(body, refunded(stage, 'ch_5R')) };
}

async function nameLeadsElsewhere(stage: Stage): Promise<Ended> {
  const { api, cast } = stage;
  const id = idOf(
    await api.propose(cast.releaseAgent, { ...deploy('site'), notBefore: soon(stage.soonMs) }),
  );
  await api.approve(cast.tomas, id);
  pointCurrentAt(stage, 'production');
  const body = await api.until(cast.tomas, id, {
    done: (each) => !codes(each).includes('not_before'),
    waitMs: stage.soonMs + 10_000,
  });
  pointCurrentAt(stage, 'staging');
  return { lines: findingLines(body), got: verdict(body, deployed(stage)) };
}

async function permissionLost(stage: Stage): Promise<Ended> {
  const { api, cast } = stage;
  const id = idOf(
    await api.propose(cast.releaseAgent, { ...deploy('site'), notBefore: soon(stage.soonMs) }),
  );
  await api.approve(cast.tomas, id);
  await stage.setRoles('release-bot', []);
  const body = await api.until(cast.tomas, id, {
    done: (each) => each['state'] !== 'held',
    waitMs: stage.soonMs + 10_000,
  });
  await stage.setRoles('release-bot', ['release-agent']);
  return { lines: findingLines(body), got: verdict(body, deployed(stage)) };
}

async function requestChanged(stage: Stage): Promise<Ended> {
  const { api, cast } = stage;
  const idempotencyKey = randomUUID();
  const proposal = { ...refund('ch_4Q', '25.00'), notBefore: soon(600_000) };
  const first = idOf(await api.propose(cast.agent, proposal, { idempotencyKey }));
  await api.approve(cast.mei, first);
  const changed = { ...proposal, args: { charge: 'ch_4Q', amount: '49.00' } };
  const again = await api.propose(cast.agent, changed, { idempotencyKey });
  const anew = await api.propose(cast.agent, { ...changed, notBefore: soon(0) });
  const reused = String(again.body['code']);
  return {
    lines: [`${reused}: ${String(again.body['detail'])}`, ...findingLines(anew.body)],
    got: `refused by ${reused} and ${verdict(anew.body, refunded(stage, 'ch_4Q'))}`,
  };
}

async function bytesChanged(stage: Stage): Promise<Ended> {
  const { cast } = stage;
  const proposal = { ...refund('ch_5R', '30.00'), notBefore: soon(stage.soonMs + 2500) };
  const id = idOf(await stage.api.propose(cast.agent, proposal));
  await stage.api.approve(cast.mei, id);
  await stage.stop('SIGTERM');
  const changed = editStoredAmount(stage, '"amount":"30.00"', '"amount":"90.00"');
  await stage.start();
  const body = await stage.api.until(cast.mei, id, {
    done: (each) => each['state'] !== 'held',
    waitMs: stage.soonMs + 15_000,
  });
  return {
    lines: [`${String(changed)} row changed behind the layer’s back`, ...findingLines(body)],
    got: verdict(body, refunded(stage, 'ch_5R')),
  };
}

async function previewDrifted(stage: Stage): Promise<Ended> {
  const { api, cast } = stage;
  const proposal = { ...refund('ch_6S', '24.00'), notBefore: soon(stage.soonMs) };
  const id = idOf(await api.propose(cast.agent, proposal));
  await api.approve(cast.mei, id);
  giveChargeTo(stage, 'ch_6S', 'cus_666');
  const body = await api.until(cast.mei, id, {
    done: (each) => !codes(each).includes('not_before'),
    waitMs: stage.soonMs + 10_000,
  });
  return { lines: findingLines(body), got: verdict(body, refunded(stage, 'ch_6S')) };
}

async function rowsChanged(stage: Stage): Promise<Ended> {
  const { api, cast } = stage;
  const proposal = {
    target: 'shop-db',
    operation: 'delete-customers',
    args: { closedBefore: '2026-01-01' },
    notBefore: soon(stage.soonMs),
  };
  const before = stage.customers();
  const id = idOf(await api.propose(cast.agent, proposal));
  await api.approve(cast.tomas, id);
  stage.changeCustomers('UPDATE customers SET closed_at = NULL WHERE id = 12');
  stage.changeCustomers("UPDATE customers SET closed_at = '2025-11-02' WHERE id = 15");
  const body = await api.until(cast.tomas, id, {
    done: (each) => !codes(each).includes('not_before'),
    waitMs: stage.soonMs + 10_000,
  });
  const after = stage.customers();
  const same = JSON.stringify(before) === JSON.stringify(after);
  return {
    lines: findingLines(body),
    got: verdict(body, same ? 'nothing deleted' : `customers ${JSON.stringify(after)}`),
  };
}

async function crashed(stage: Stage): Promise<Ended> {
  const { cast } = stage;
  const proposed = await stage.api.propose(
    cast.agent,
    { ...refund('ch_3P', '7.00'), target: 'slow-payments' },
    { waitSeconds: 1 },
  );
  const id = idOf(proposed);
  await stage.stop('SIGKILL');
  await stage.start();
  const body = await stage.api.until(cast.mei, id, {
    done: (each) => each['state'] === 'succeeded',
    waitMs: 20_000,
  });
  const { body: history } = await stage.api.get(`/v1/actions/${id}/history`, cast.mei);
  const states = outcomesOf(history);
  const refunds = stage.refundsOf('ch_3P', stage.slowPayments);
  const once = refunds.length === 1 ? 'refunded once' : `refunds ${JSON.stringify(refunds)}`;
  return {
    lines: [`after the crash: ${states.join(', then ')}`, said(body)],
    got: `${states[0] ?? 'nothing'}, then ${states[1] ?? 'nothing'} by evidence, ${once}`,
  };
}

// ---------------------------------------------------------------- what the scenes share

function refund(charge: string, amount: string): Parameters<Stage['api']['propose']>[1] {
  return { target: 'shop-payments', operation: 'refund', args: { charge, amount } };
}

/** Time enough for the window to open, so that it is worth waiting for. */
function deploy(target: string): Parameters<Stage['api']['propose']>[1] {
  return {
    target,
    operation: 'deploy',
    args: { version: '2.4.0' },
    deadline: soon(6 * 3_600_000),
  };
}

function soon(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

function idOf({ status, body }: Reply): string {
  const { id } = body;
  if (typeof id !== 'string')
    throw new Error(`no action: ${String(status)} ${JSON.stringify(body)}`);
  return id;
}

function findings(body: Body): readonly Body[] {
  const found = body['waitingFor'] ?? body['findings'];
  return Array.isArray(found) ? found : [];
}

function codes(body: Body): readonly string[] {
  return findings(body).map((each) => String(each['code']));
}

function findingLines(body: Body): string[] {
  return findings(body)
    .slice(0, 2)
    .map((each) => `${String(each['code'])}: ${messageOf(each)}`);
}

/** The layer's words; where agents are told only numbers, how many of how many, and whose. */
function messageOf({ message, have, need, from }: Body): string {
  if (typeof message === 'string') return message;
  return `${String(have)} of ${String(need)} from ${String(from)}`;
}

function said(body: Body): string {
  return `${String(body['state'])}: ${String(body['message'])}`;
}

/** What the layer says, by its first reason, and what the target says. */
function verdict(body: Body, atTarget: string): string {
  return `${String(body['state'])} by ${codes(body)[0] ?? 'nothing'}, ${atTarget}`;
}

function refunded(stage: Stage, charge: string): string {
  const refunds = stage.refundsOf(charge);
  return refunds.length === 0 ? 'nothing refunded' : `refunds ${JSON.stringify(refunds)}`;
}

function deployed(stage: Stage): string {
  const all = [...stage.deploymentsIn('staging'), ...stage.deploymentsIn('production')];
  return all.length === 0 ? 'nothing deployed' : `deployed ${JSON.stringify(all)}`;
}

/** Moves the link in one step, as deployment tools do. */
function pointCurrentAt(stage: Stage, site: string): void {
  const link = join(stage.folder, 'current.new');
  rmSync(link, { force: true });
  symlinkSync(join(stage.folder, site), link);
  renameSync(link, join(stage.folder, 'current'));
}

/** Changes the stored action in the stopped layer's file, keeping everything else. */
function editStoredAmount(stage: Stage, before: string, after: string): number {
  const database = new DatabaseSync(join(stage.dataFolder, 'exequatur.db'));
  const { changes } = database
    .prepare(
      'UPDATE content SET bytes = CAST(replace(CAST(bytes AS TEXT), ?, ?) AS BLOB) WHERE CAST(bytes AS TEXT) LIKE ?',
    )
    .run(before, after, `%${before}%`);
  database.close();
  return Number(changes);
}

/** The target's own data changes: the charge is somebody else's now. */
function giveChargeTo(stage: Stage, charge: string, customer: string): void {
  const lines = readFileSync(stage.payments.state, 'utf8').split('\n');
  const changed = lines.map((line) =>
    line.includes(`"id":"${charge}"`)
      ? line.replace(/"customer":"[^"]*"/u, `"customer":"${customer}"`)
      : line,
  );
  writeFileSync(stage.payments.state, changed.join('\n'));
}

/** What the ledger says became of the execution, in order. */
function outcomesOf(history: Body): string[] {
  const { events } = history;
  if (!Array.isArray(events)) return [];
  return events.flatMap((event: Body) => {
    const { body } = event;
    return isBody(body) && typeof body['outcome'] === 'string' ? [body['outcome']] : [];
  });
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null;
}
