/**
 * The in-toto statement of a receipt: one action's life for tools that read attestations. It is made from
 * entries and payloads alone, so that it can say nothing that the log does not hold; a verifier makes it
 * again and compares. docs/ledger.md describes the predicate.
 */
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { knownOf } from './consented.ts';
import { countOf, listOf, objectOf, textOf } from './fields.ts';
import type { Answer, Crossing, Ending, Story } from './story.ts';

/** What the envelope says its payload is. */
export const STATEMENT_TYPE = 'application/vnd.in-toto+json';
/** What the predicate means. Only a name: nothing is fetched from there. */
export const PREDICATE_TYPE = 'https://exequatur.dev/execution/v1';

/** The statement about one action's life; instants are milliseconds since 1970. */
export function statementOf(story: Story): JsonObject {
  const { proposed, decision, crossing, ending } = story;
  const { entry } = decision ?? proposed;
  const inputs = inputsOf(entry.payloads['inputs']);
  const resolution = inputs && knownOf(inputs['resolution']);
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: story.action, digest: { sha256: proposed.digest } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      action: story.action,
      tenant: story.tenant,
      state: story.state,
      proposedAt: proposed.entry.at,
      request: proposed.request,
      principal: { agent: proposed.agent, delegator: proposed.delegator },
      target: proposed.target,
      operation: proposed.operation,
      environment: memberOf(resolution, 'environment'),
      decision:
        decision === undefined
          ? null
          : {
              at: decision.entry.at,
              verdict: decision.verdict,
              policy: decision.policy,
              epoch: decision.epoch,
              matched: [...decision.matched],
              codes: [...decision.codes],
              rules: decision.rules === null ? null : [...decision.rules],
              findings: memberOf(decision.entry.payloads['decision'], 'findings'),
            },
      resolution: resolution ?? null,
      preview: (inputs && knownOf(inputs['preview'])) ?? null,
      facts: inputs === undefined ? null : factsOf(inputs['facts'], entry.at),
      approvals: story.answers.map(answerJson),
      execution: crossing === undefined ? null : executionJson(crossing),
      redemption: inputs?.['redemption'] ?? null,
      barred: story.barred,
      outcome: ending === undefined ? null : endingJson(ending),
      isolation: crossing?.entry.body['isolation'] ?? null,
      erasures: story.erasures.map(({ entry: { at }, by }) => ({ at, by })),
      erased: story.erased.map(({ sequence, payload }) => ({ entry: sequence, payload })),
    },
  };
}

function inputsOf(inputs: JsonValue | undefined): JsonObject | undefined {
  return inputs === undefined ? undefined : objectOf(inputs, 'the inputs');
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue {
  return value === undefined ? null : (objectOf(value, name)[name] ?? null);
}

/** Each fact with its age when the decision was made. */
function factsOf(facts: JsonValue | undefined, at: number): JsonValue {
  const gathered = objectOf(facts, 'the facts');
  return Object.keys(gathered)
    .toSorted()
    .map((name) => {
      const value = knownOf(gathered[name]);
      if (value === undefined) return { name, known: false };
      const fact = objectOf(value, 'a fact');
      const observedAt = countOf(fact['observedAt'], 'a fact');
      return {
        name,
        known: true,
        source: textOf(fact['source'], 'a fact'),
        observedAt,
        ageMs: at - observedAt,
        value: fact['value'] ?? null,
      };
    });
}

function answerJson({ entry, ...answer }: Answer): JsonObject {
  return {
    id: answer.id,
    kind: entry.kind,
    approver: answer.approver,
    at: entry.at,
    expiresAt: answer.expiresAt,
    requirement: answer.requirement,
    consent: answer.consent,
    consumed: answer.consumed,
    assertion: entry.payloads['assertion'] ?? null,
  };
}

function executionJson({ entry, execution, effect, consent, consumes }: Crossing): JsonObject {
  const { body } = entry;
  return {
    id: execution,
    crossedAt: entry.at,
    effect,
    consent,
    consumes: [...consumes],
    reserves: [...listOf(body['reserves'], `entry ${String(entry.sequence)}`)],
    resolution: body['resolution'] ?? null,
    preview: body['preview'] ?? null,
  };
}

function endingJson({ entry, outcome, code, sent, by }: Ending): JsonObject {
  return { state: outcome, code, sent, at: entry.at, by };
}
