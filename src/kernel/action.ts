/**
 * What is decided about: the action as proposed, what its names mean now (resolution), what it would
 * do now (preview), and the one digest a person consents to (DESIGN section 2).
 */
import { digestOf, type Digest } from './digest.ts';
import type { ActionId, AgentName, PersonName, TenantName } from './id.ts';
import type { Instant } from './instant.ts';
import type { JsonObject, JsonValue } from './json/value.ts';

/** Who acts, wholly from authentication: an agent, and the person it acts for if that is proven. */
export interface Principal {
  readonly agent: AgentName;
  readonly delegator?: PersonName;
}

/** One proposed effect. Immutable; its canonical bytes are what is stored, decided and executed. */
export interface Action {
  readonly tenant: TenantName;
  readonly principal: Principal;
  readonly target: string;
  readonly operation: string;
  readonly args: JsonObject;
  readonly deadline: Instant;
  readonly notBefore?: Instant;
}

/** The action as the JSON value whose canonical form is stored and digested. */
export function actionJson(action: Action): JsonObject {
  return {
    args: action.args,
    deadline: action.deadline,
    ...(action.notBefore === undefined ? {} : { notBefore: action.notBefore }),
    operation: action.operation,
    principal: {
      agent: action.principal.agent,
      ...(action.principal.delegator === undefined
        ? {}
        : { delegator: action.principal.delegator }),
    },
    target: action.target,
    tenant: action.tenant,
  };
}

/** The digest of an action, over its canonical form. */
export function actionDigest(action: Action): Digest {
  return digestOf('exequatur/action/v1', actionJson(action));
}

/** What the names in an action mean right now. */
export interface Resolution {
  /** The system's own answer to who it is; `null` where the target has no probe. */
  readonly identity: string | null;
  /** What the system says of its environment, else what the inventory says. */
  readonly environment: string;
  /** Digest of the operation's definition. */
  readonly operation: Digest;
  /** Digest of the compiled effect, with credentials and the execution's id as placeholders. */
  readonly effect: Digest;
  /** The credential reference, never its value; `null` where none is used. */
  readonly credential: string | null;
  /** The executor's contract version, such as `http/1`. */
  readonly executor: string;
  /** Digests of pinned files by path, as they are now. */
  readonly files: Readonly<Record<string, Digest>>;
  /** Recorded, not digested: addresses that rotate by themselves. */
  readonly recorded: JsonObject;
  /** Start of the request that asked the system. */
  readonly observedAt: Instant;
}

/** The digest of a resolution: everything but what is only recorded and when it was observed. */
export function resolutionDigest(resolution: Resolution): Digest {
  return digestOf('exequatur/resolution/v1', resolutionJson(resolution));
}

/** The digested part of a resolution. */
export function resolutionJson(resolution: Resolution): JsonObject {
  const { identity, environment, operation, effect, credential, executor, files } = resolution;
  return { identity, environment, operation, effect, credential, executor, files };
}

/** What an action would do right now. `material` is consented to, `context` is shown with its age. */
export interface Preview {
  readonly material: JsonObject;
  readonly context: JsonObject;
  /** Start of the request that produced it. */
  readonly observedAt: Instant;
}

/** The digest of a preview's material part; an action without a preview has the digest of `null`. */
export function previewDigest(preview: Preview | null): Digest {
  const material: JsonValue = preview === null ? null : preview.material;
  return digestOf('exequatur/preview/v1', material);
}

/** What a person consents to: this action, on this occasion, as its names and effect are now. */
export interface ConsentSubject {
  readonly tenant: TenantName;
  readonly action: ActionId;
  /** 256 random bits made when the action was proposed, as 64 hex digits. */
  readonly nonce: string;
  readonly actionDigest: Digest;
  readonly resolution: Resolution;
  /** `null` where the operation has no preview. */
  readonly preview: Preview | null;
}

/** The consent digest. It names an occasion, not only a content: two equal actions never share one. */
export function consentDigest(subject: ConsentSubject): Digest {
  return consentDigests(subject).consent;
}

/** The consent digest with the two that it is made from. */
export function consentDigests(
  subject: ConsentSubject,
): Readonly<Record<'consent' | 'preview' | 'resolution', Digest>> {
  const preview = previewDigest(subject.preview);
  const resolution = resolutionDigest(subject.resolution);
  const consent = digestOf('exequatur/consent/v1', {
    action: subject.action,
    actionDigest: subject.actionDigest,
    nonce: subject.nonce,
    preview,
    resolution,
    tenant: subject.tenant,
  });
  return { consent, preview, resolution };
}
