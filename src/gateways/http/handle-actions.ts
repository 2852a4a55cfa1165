/** The agent's routes, and reading actions: propose, list, read, explain, withdraw, forecast. */
import { withdraw } from '../../engine/answers.ts';
import { explain } from '../../engine/explaining.ts';
import { isErased } from '../../engine/purging.ts';
import type { ActionRecord } from '../../engine/ports.ts';
import type { Proposal } from '../../engine/proposal.ts';
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import { renderExplanation } from '../../kernel/explain.ts';
import { parseActionId, parseAgentName } from '../../kernel/id.ts';
import { parseInstant, type Instant } from '../../kernel/instant.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { canonicalBytes } from '../../kernel/json/write.ts';
import { sha256Hex } from '../../kernel/sha256.ts';
import type { ActionView, ForecastView, ProposeRequest } from '../../protocol/actions.ts';
import { HEADERS, IDEMPOTENCY_KEY_LENGTH_MAX, LIST_COUNT_DEFAULT } from '../../protocol/headers.ts';
import { changedReply, findAction, orUnknown } from './about-action.ts';
import { ApiProblem, refusedProblem } from './api-problem.ts';
import type { Who } from './authenticate.ts';
import { agentOf, whoOf, type Call, type Handlers, type Reply, type Served } from './call.ts';
import { executedOf, findingsOf, viewAction } from './view-action.ts';
import { waitFor, waitWish } from './wait.ts';

/** Routes about actions. */
export const ACTION_HANDLERS: Handlers<
  'propose' | 'actions' | 'action' | 'explain' | 'withdraw' | 'forecast'
> = {
  async propose(call) {
    return (await proposedReply(call, call.body)).reply;
  },

  async actions(call) {
    const { served, query } = call;
    const who = whoOf(call);
    const before = query.before === undefined ? undefined : parseActionId(query.before);
    if (query.before !== undefined && before === undefined) {
      throw new ApiProblem('query_invalid', { detail: '`before` is not the id of an action' });
    }
    const agent = query.agent === undefined ? undefined : parseAgentName(query.agent);
    if (query.agent !== undefined && agent === undefined) {
      throw new ApiProblem('query_invalid', { detail: '`agent` is not the name of an agent' });
    }
    // Whoever else there is, is nothing an agent learns.
    if (who.sort === 'agent' && who.agent !== (agent ?? who.agent)) {
      return { status: 200, body: { actions: [] } };
    }
    const whose = who.sort === 'agent' ? who.agent : agent;
    const count = query.count ?? LIST_COUNT_DEFAULT;
    const records = await served.engine.store.actions({
      tenant: who.tenant,
      ...(whose === undefined ? {} : { agent: whose }),
      ...(query.state === undefined ? {} : { states: query.state }),
      ...(before === undefined ? {} : { before }),
      count: count + 1,
    });
    const page = records.slice(0, count);
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        actions: page.map((record) => viewAction(served.engine, record, who)),
        ...(records.length > count && last !== undefined ? { before: last.id } : {}),
      },
    };
  },

  async action(call) {
    const { served, query, headers, signal } = call;
    const who = whoOf(call);
    const record = await findAction(call);
    const wish = waitWish(headers, 0);
    const waitMs = query.wait === undefined ? wish.waitMs : query.wait * 1000;
    const now = await waitFor(served, record, { who, waitMs, signal, holdEnough: false });
    return {
      status: 200,
      body: viewAction(served.engine, now, who),
      headers: query.wait === undefined ? wish.headers : {},
    };
  },

  async explain(call) {
    const { served } = call;
    const who = whoOf(call);
    const record = await findAction(call);
    const { id, state } = record;
    const executed = executedOf(record);
    if (who.sort === 'agent') {
      const view = viewAction(served.engine, record, who);
      const findings = view.waitingFor ?? view.findings ?? [];
      return { status: 200, body: { id, state, executed, text: agentText(view), findings } };
    }
    const explained = await explain(served.engine, record.tenant, record.id);
    const findings = findingsOf(record.decision, undefined, who);
    const explanation = explained?.explanation;
    const { message } = viewAction(served.engine, record, who);
    // What went before an outcome is explained; the outcome itself stands above it.
    const erased = isErased(record) ? ['What it carried and was decided from was erased.'] : [];
    const told = explanation === undefined ? erased : [renderExplanation(explanation)];
    const text = (state === 'held' ? told : [message, ...told]).join('\n') || message;
    return { status: 200, body: { id, state, executed, text, findings } };
  },

  async withdraw(call) {
    const { served } = call;
    const who = agentOf(call);
    const { id } = await findAction(call);
    const result = await withdraw(served.engine, {
      tenant: who.tenant,
      agent: who.agent,
      action: id,
    });
    return changedReply(call, result);
  },

  async forecast(call) {
    const { served, body } = call;
    const who = agentOf(call);
    const { touch = false, ...proposal } = body;
    const forecasted = await served.engine.forecast(
      who,
      { ...readProposal(proposal, call.json), idempotencyKey: 'forecast' },
      touch,
    );
    const { input, decision } = forecasted;
    const findings = findingsOf(decision, input.operation, who);
    const environment =
      input.resolution.kind === 'known'
        ? input.resolution.value.environment
        : input.target?.environment;
    return {
      status: 200,
      body: {
        verdict: decision.verdict,
        executed: 'no',
        target: body.target,
        operation: body.operation,
        ...(environment === undefined ? {} : { environment }),
        message: FORECASTS[decision.verdict],
        findings,
        touched: touch,
      } satisfies ForecastView,
    };
  },
};

/** Proposes, waits, and answers with the action as it is then. */
export async function proposedReply(
  call: Pick<Call<unknown, unknown>, 'served' | 'who' | 'headers' | 'json' | 'signal'>,
  body: ProposeRequest,
): Promise<{ readonly record: ActionRecord; readonly reply: Reply<ActionView> }> {
  const { served, headers } = call;
  const who = agentOf(call);
  const wish = waitWish(headers);
  const proposal = {
    ...readProposal(body, call.json),
    idempotencyKey: readIdempotencyKey(headers),
  };
  const proposed = await orUnknown(served.engine.propose(who, proposal));
  if (proposed.kind === 'refused') throw refusedProblem(proposed);
  const record = await settled(call, proposed.record, wish.waitMs);
  const replayed = proposed.replayed ? { [HEADERS.idempotencyReplayed]: 'true' } : {};
  const reply = replyOf(served, { record, who, headers: { ...wish.headers, ...replayed } });
  return { record, reply };
}

const FORECASTS = {
  admit: 'It would be executed now.',
  hold: 'It would be held now.',
  deny: 'It would be denied now.',
} as const;

/** 200 settled, 202 not settled, 403 never runs. */
function replyOf(
  { engine }: Served,
  {
    record,
    who,
    headers,
  }: {
    readonly record: ActionRecord;
    readonly who: Who;
    readonly headers: Readonly<Record<string, string>>;
  },
): Reply<ActionView> {
  const view = viewAction(engine, record, who);
  const { state } = record;
  if (state === 'denied' || state === 'rejected' || state === 'expired' || state === 'withdrawn') {
    throw new ApiProblem(state, { detail: view.message, action: view, headers });
  }
  const isOpen = state === 'held' || state === 'executing' || state === 'unknown';
  return { status: isOpen ? 202 : 200, body: view, headers };
}

/** Waits as long as the caller wants. Whatever goes wrong while waiting, the action is known. */
async function settled(
  call: Pick<Call<unknown, unknown>, 'served' | 'who' | 'signal'>,
  record: ActionRecord,
  waitMs: number,
): Promise<ActionRecord> {
  try {
    const { served, signal } = call;
    return await waitFor(served, record, { who: whoOf(call), waitMs, signal, holdEnough: true });
  } catch (error) {
    // The caller learns the id and polls: nothing is lost by not having waited.
    call.served.engine.life.trouble('wait_failed', error instanceof Error ? error.message : '');
    return record;
  }
}

function readIdempotencyKey(headers: Headers): string {
  const key = headers.get(HEADERS.idempotencyKey);
  if (key === null) throw new ApiProblem('idempotency_key_missing');
  if (!/^[\x21-\x7e]+$/u.test(key) || key.length > IDEMPOTENCY_KEY_LENGTH_MAX) {
    throw new ApiProblem('idempotency_key_invalid');
  }
  return key;
}

function readProposal(
  body: ProposeRequest,
  json: JsonValue | undefined,
): Omit<Proposal, 'idempotencyKey'> {
  const deadline = readInstant(body.deadline, 'deadline');
  const notBefore = readInstant(body.notBefore, 'notBefore');
  return {
    requestDigest: requestDigestOf(json ?? null),
    target: body.target,
    operation: body.operation,
    args: body.args ?? {},
    ...(deadline === undefined ? {} : { deadline }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(body.note === undefined ? {} : { note: body.note }),
  };
}

function readInstant(text: string | undefined, member: string): Instant | undefined {
  if (text === undefined) return undefined;
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  throw new ApiProblem('invalid_request', {
    detail: `\`/${member}\`: must be an instant such as \`2026-11-22T04:12:00Z\``,
    position: { pointer: `/${member}` },
  });
}

/** Two bodies are the same request if they are the same value: blanks and the order of members do not matter. */
function requestDigestOf(json: JsonValue): Digest {
  const digest = parseDigest(sha256Hex('exequatur/request/v1\0', canonicalBytes(json)));
  if (digest === undefined) throw new Error('a SHA-256 has its form');
  return digest;
}

function agentText(view: ActionView): string {
  const findings = view.waitingFor ?? view.findings ?? [];
  const lines = findings.map(({ code, message, change, have, need, from }) => {
    const asked =
      have === undefined || need === undefined ? '' : ` ${String(have)} of ${String(need)}`;
    const told = message === undefined ? '' : `: ${message}`;
    const instead = change === undefined ? '' : ` (${change})`;
    return ` - ${code}${asked}${from === undefined ? '' : ` from ${from}`}${told}${instead}`;
  });
  return [`${view.state.toUpperCase()} · executed: ${view.executed}`, view.message, ...lines].join(
    '\n',
  );
}
