/** Decides one case: builds what the engine would have gathered, asks `decide`, and compares. */
import {
  actionDigest,
  consentDigest,
  type Action,
  type ConsentSubject,
  type Preview,
  type Resolution,
} from '../../kernel/action.ts';
import { decide } from '../../kernel/decide.ts';
import type {
  Approval,
  Decision,
  DecisionInput,
  Gathered,
  LocalFacts,
} from '../../kernel/decision.ts';
import { digestOf, DIGEST_TAGS } from '../../kernel/digest.ts';
import { parseActionId, parseTenantName, uuidV7, type ActionId } from '../../kernel/id.ts';
import { addMs } from '../../kernel/instant.ts';
import type { Operation, Target } from '../../kernel/inventory.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import type { CompiledPolicy } from '../../kernel/policy/compiled.ts';
import { limitDemand } from '../../kernel/requirement/limit.ts';
import { afterQuery } from '../../kernel/requirement/time.ts';
import { scopeOf } from '../../kernel/scope.ts';
import { createCalendars } from '../calendar/calendars.ts';
import type { CaseApproval, Expectation, PolicyCase } from './policy-case.ts';

/** What became of a case. */
export interface CaseResult {
  readonly case: PolicyCase;
  readonly decision: Decision;
  /** Whether verdict and findings are the expected ones. */
  readonly ok: boolean;
  /** Rules that were heard: those that matched, and shadow rules that would have. */
  readonly matched: readonly string[];
}

/** Decides a case by the policy it was read for. */
export function runCase(policy: CompiledPolicy, of: PolicyCase): CaseResult {
  const decision = decide(policy, inputOf(policy, of));
  const matched = new Set([...decision.matched, ...decision.shadow.map(({ rule }) => rule)]);
  return {
    case: of,
    decision,
    ok: isExpected(of.expected, decision),
    matched: [...matched].toSorted(),
  };
}

function isExpected({ verdict, findings }: Expectation, decision: Decision): boolean {
  if (verdict !== decision.verdict) return false;
  if (findings === undefined) return true;
  const isMet = (code: string, rule: string | undefined): boolean =>
    findings.some((each) => each.code === code && (each.rule === undefined || each.rule === rule));
  return (
    decision.findings.every((finding) => isMet(finding.code, finding.rule?.id)) &&
    findings.every(({ code, rule }) =>
      decision.findings.some(
        (finding) => finding.code === code && (rule === undefined || finding.rule?.id === rule),
      ),
    )
  );
}

const ACTION_ID: ActionId = must(parseActionId(uuidV7(0, new Uint8Array(10))));
const TENANT = must(parseTenantName('test'));
const NONCE = '0'.repeat(64);

function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError('a constant has its form');
  return value;
}

function inputOf(policy: CompiledPolicy, of: PolicyCase): DecisionInput {
  const target = policy.inventory.targets.get(of.target);
  const operation = target?.operations.get(of.operation);
  const action: Action = {
    tenant: TENANT,
    principal: {
      agent: of.agent.name,
      ...(of.delegator === undefined ? {} : { delegator: of.delegator }),
    },
    target: of.target,
    operation: of.operation,
    args: operation === undefined ? of.args : placed(operation, of.args),
    deadline: of.deadline,
  };
  const known = target && operation && { target, operation };
  const resolution = known && resolutionOf(of, known);
  const preview: Gathered<Preview | 'none'> =
    known === undefined ? { kind: 'absent' } : previewOf(of, known.operation);
  const consent = resolution && subjectOf(action, { resolution, preview });
  const input: DecisionInput = {
    now: of.now,
    id: ACTION_ID,
    action,
    actionDigest: actionDigest(action),
    proposedAt: of.proposedAt,
    askedSince: of.proposedAt,
    target,
    operation,
    resolution: resolution ? { kind: 'known', value: resolution } : { kind: 'absent' },
    preview,
    consent,
    facts: Object.fromEntries(
      [...of.facts].map(([name, { value, observedAt }]) => [
        name,
        { kind: 'known', value: { value, source: 'case', observedAt, tookMs: 0 } } as const,
      ]),
    ),
    windows: windowsOf(policy, of),
    local: localOf(of, action, consent),
  };
  const local = { ...input.local, limits: limitsOf(policy, of, input) };
  return { ...input, local, ...redeemedIn({ ...input, local }) };
}

/** A path that begins with `./` starts where the argument's paths must be, so that cases run in any checkout. */
/** Cases are about rules: what an executor elsewhere does is judged as if that executor redeemed it then. */
function redeemedIn({ target, resolution, action, local }: DecisionInput): Partial<DecisionInput> {
  if (target?.executor.kind !== 'permit' || resolution.kind !== 'known') return {};
  const { audience } = target.executor;
  const { effect } = resolution.value;
  return {
    redemption: { by: audience, effect, expiresAt: action.deadline },
    local: { ...local, executor: { name: audience, live: true } },
  };
}

function placed(operation: Operation, args: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const type = Object.hasOwn(operation.arguments, name)
        ? operation.arguments[name]?.type
        : undefined;
      const isRelative = typeof value === 'string' && value.startsWith('./');
      if (type?.kind !== 'path' || !isRelative) return [name, value];
      return [name, `${type.within}/${value.slice(2)}`];
    }),
  );
}

function resolutionOf(
  of: PolicyCase,
  { target, operation }: { readonly target: Target; readonly operation: Operation },
): Resolution {
  const { locked } = target;
  return {
    identity: of.identity ?? locked?.identity ?? null,
    environment: of.environment ?? locked?.environment ?? target.environment,
    operation: operation.digest,
    // Nothing is compiled or sent here; any digest that stands for these arguments will do.
    effect: digestOf(DIGEST_TAGS.effectKey, of.args),
    credential: target.credentials.act ?? null,
    executor: `${target.executor.kind}/case`,
    files: locked?.files ?? {},
    recorded: {},
    observedAt: of.now,
  };
}

function previewOf(of: PolicyCase, operation: Operation): Gathered<Preview | 'none'> {
  if (of.preview !== undefined) {
    return {
      kind: 'known',
      value: { material: of.preview, context: of.context, observedAt: of.now },
    };
  }
  return operation.binding.preview === undefined
    ? { kind: 'known', value: 'none' }
    : { kind: 'absent' };
}

function subjectOf(
  action: Action,
  known: { readonly resolution: Resolution; readonly preview: Gathered<Preview | 'none'> },
): ConsentSubject | undefined {
  const { resolution, preview } = known;
  if (preview.kind !== 'known') return undefined;
  return {
    tenant: action.tenant,
    action: ACTION_ID,
    nonce: NONCE,
    actionDigest: actionDigest(action),
    resolution,
    preview: preview.value === 'none' ? null : preview.value,
  };
}

function windowsOf(policy: CompiledPolicy, of: PolicyCase): DecisionInput['windows'] {
  const calendars = createCalendars();
  return Object.fromEntries(
    [...policy.calendars].map(([name, calendar]) => [name, calendars.at(calendar, of.now)]),
  );
}

function localOf(of: PolicyCase, action: Action, consent: ConsentSubject | undefined): LocalFacts {
  return {
    epoch: 1,
    halts: [],
    agent: { ...of.agent, live: true, delegationLive: true },
    people: Object.fromEntries(
      [...of.people].map(([name, person]) => [name, { ...person, live: true }]),
    ),
    approvals: of.approvals.flatMap((approval) => answersOf(of, approval, consent)),
    effect: undefined,
    conflict: {},
    limits: {},
    after: Object.fromEntries(
      of.succeeded.map(({ at, ...success }) => [
        afterQuery({ kind: 'after', ...success }, { action }).key,
        at,
      ]),
    ),
  };
}

/** One stored answer for each requirement that asks these people. */
function answersOf(
  of: PolicyCase,
  { id, by, at, requirements, saw }: CaseApproval,
  consent: ConsentSubject | undefined,
): readonly Approval[] {
  if (consent === undefined) return [];
  const subject: ConsentSubject = {
    ...consent,
    resolution: {
      ...consent.resolution,
      ...(saw?.environment === undefined ? {} : { environment: saw.environment }),
    },
    preview:
      saw?.preview === undefined
        ? consent.preview
        : { material: saw.preview, context: of.context, observedAt: at },
  };
  return requirements.flatMap(({ digest, requirement }) => {
    if (requirement.kind !== 'approval' && requirement.kind !== 'confirmation') return [];
    return {
      id,
      kind: requirement.kind,
      requirement: digest,
      consent: consentDigest(subject),
      subject,
      approver: by,
      at,
      expiresAt: addMs(at, requirement.validForMs),
      consumed: false,
    };
  });
}

function limitsOf(
  policy: CompiledPolicy,
  of: PolicyCase,
  input: DecisionInput,
): LocalFacts['limits'] {
  const scope = scopeOf(input);
  const limits: Record<string, LocalFacts['limits'][string]> = {};
  for (const compiled of policy.matching(input).flatMap(({ requires }) => requires)) {
    const { requirement } = compiled.identified;
    if (requirement.kind !== 'limit') continue;
    const demand = limitDemand(requirement, compiled, scope);
    if (demand.kind !== 'value') continue;
    limits[demand.value.key] = { used: of.used.get(requirement.name) ?? '0', frees: [] };
  }
  return limits;
}
