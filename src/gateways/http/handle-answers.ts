/** What people do: open a hold, answer it, and say what became of an unknown outcome. */
import { answer, ask, resolve } from '../../engine/answers.ts';
import type { ActionRecord } from '../../engine/ports.ts';
import type { ConsentSubject } from '../../kernel/action.ts';
import type { Ask } from '../../kernel/decision.ts';
import { parseDigest } from '../../kernel/digest.ts';
import { formatInstant, type Instant } from '../../kernel/instant.ts';
import { parseJson } from '../../kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import { readAction } from '../../kernel/read-action.ts';
import type { AskView, PreviewView, ResolutionView } from '../../protocol/answers.ts';
import { ApiProblem } from './api-problem.ts';
import { personOf, type Handlers } from './call.ts';
import { changedReply, findAction, orUnknown, refusedAbout } from './about-action.ts';
import { askedOf, findingsOf } from './view-action.ts';

/** Routes that only people reach. */
export const ANSWER_HANDLERS: Handlers<'consent' | 'answer' | 'resolve'> = {
  async consent(call) {
    const { served } = call;
    const who = personOf(call);
    const { id } = await findAction(call);
    const asked = await ask(served.engine, { tenant: who.tenant, person: who.person, action: id });
    if (asked.kind === 'refused') throw await refusedAbout(call, asked);
    const { record } = asked;
    const { subject, note } = record;
    if (subject === undefined) throw new ApiProblem('not_asked');
    const now = served.engine.life.clock.now();
    return {
      status: 200,
      body: {
        id,
        state: record.state,
        consent: asked.consent,
        challenge: asked.challenge,
        challengeExpiresAt: formatInstant(asked.expiresAt),
        asks: asked.asks.map(viewAsk),
        action: storedAction(record),
        actionDigest: record.digest,
        resolution: viewResolution(subject, now),
        preview: viewPreview(subject, now),
        findings: findingsOf(record.decision, undefined, who),
        expiresAt: formatInstant(record.deadline),
        ...(note === undefined ? {} : { agentNote: note }),
      },
    };
  },

  async answer(call) {
    const { served, body } = call;
    const who = personOf(call);
    const { id } = await findAction(call);
    const consent = parseDigest(body.consent);
    if (consent === undefined) throw new ApiProblem('invalid_request');
    const result = await orUnknown(
      answer(served.engine, {
        tenant: who.tenant,
        person: who.person,
        action: id,
        consent,
        challenge: body.challenge,
        decision: body.decision,
        ...(body.reason === undefined ? {} : { reason: body.reason }),
      }),
      id,
    );
    return changedReply(call, result);
  },

  async resolve(call) {
    const { served, body } = call;
    const who = personOf(call);
    const record = await findAction(call);
    const result = await resolve(served.engine, {
      tenant: who.tenant,
      person: who.person,
      action: record.id,
      outcome: body.outcome,
      reason: body.reason,
    });
    return changedReply(call, result);
  },
};

function viewAsk(asked: Ask): AskView {
  const { kind, have, need, validForMs, until } = asked;
  return { kind, from: askedOf(asked), have, need, validForMs, until: formatInstant(until) };
}

/** The action from its stored bytes, which must still have their digest. */
function storedAction(record: ActionRecord): JsonObject {
  const parsed = parseJson(record.bytes);
  if (readAction(record.bytes, record.digest) === undefined || !parsed.ok) {
    throw new ApiProblem('payload_mismatch');
  }
  const { value } = parsed;
  if (!isObject(value)) throw new ApiProblem('payload_mismatch');
  return value;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function viewResolution({ resolution }: ConsentSubject, now: Instant): ResolutionView {
  const { identity, environment, operation, effect, credential, executor, files, observedAt } =
    resolution;
  return {
    identity,
    environment,
    operation,
    effect,
    credential,
    executor,
    files,
    observedAt: formatInstant(observedAt),
    ageMs: Math.max(0, now - observedAt),
  };
}

function viewPreview({ preview }: ConsentSubject, now: Instant): PreviewView | null {
  if (preview === null) return null;
  const { material, context, observedAt } = preview;
  return {
    material,
    context,
    observedAt: formatInstant(observedAt),
    ageMs: Math.max(0, now - observedAt),
  };
}
