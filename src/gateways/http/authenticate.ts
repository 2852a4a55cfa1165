/**
 * Who is calling, from the key alone. Agents, people, executors and the operator have keys of different sorts;
 * a key of one sort is nobody on a route of another. What fails here is counted, never stored.
 */
import { timingSafeEqual } from 'node:crypto';
import { holderOf } from '../../engine/directory.ts';
import type { Life } from '../../engine/life.ts';
import type { Digest } from '../../kernel/digest.ts';
import {
  parseAgentName,
  parsePersonName,
  type AgentName,
  type PersonName,
  type TenantName,
} from '../../kernel/id.ts';
import { sha256Hex } from '../../kernel/sha256.ts';
import { keySortOf, type KeySort } from '../../protocol/keys.ts';
import { ApiProblem } from './api-problem.ts';

/** An agent with the person it acts for, if its key proves one. */
export interface AgentWho {
  readonly sort: 'agent';
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly delegator: PersonName | undefined;
}

/** A person. */
export interface PersonWho {
  readonly sort: 'person';
  readonly tenant: TenantName;
  readonly person: PersonName;
}

/** An executor elsewhere, which redeems permits. */
export interface ExecutorWho {
  readonly sort: 'executor';
  readonly tenant: TenantName;
  readonly executor: string;
}

/** Whoever runs the layer. */
interface OperatorWho {
  readonly sort: 'operator';
  readonly tenant: TenantName;
}

/** Who is calling. */
export type Who = AgentWho | PersonWho | ExecutorWho | OperatorWho;

/** What keys are checked against. */
export interface KeyRing {
  readonly life: Life;
  /** The operator's tenant, and the SHA-256 of the operator's key. */
  readonly tenant: TenantName;
  readonly operatorKeyHash: Digest;
}

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/iu;

/** The caller, of one of the sorts that the route takes. Throws `unauthenticated` or `wrong_key_sort`. */
export async function authenticate(
  ring: KeyRing,
  authorization: string | null,
  sorts: readonly KeySort[],
): Promise<Who> {
  const key = BEARER.exec(authorization ?? '')?.[1];
  const who = key === undefined ? undefined : await whoHas(ring, key);
  if (who === undefined) throw new ApiProblem('unauthenticated');
  if (!sorts.includes(who.sort)) {
    const takes = sorts.join(' or ');
    throw new ApiProblem('wrong_key_sort', {
      detail: `this route takes the key of ${/^[aeo]/u.test(takes) ? 'an' : 'a'} ${takes}, not of ${who.sort === 'person' ? 'a person' : `an ${who.sort}`}`,
    });
  }
  return who;
}

/** Who has this key now; `undefined` where nobody has (any more). */
export async function whoHas(ring: KeyRing, key: string): Promise<Who | undefined> {
  const sort = keySortOf(key);
  if (sort === undefined) return undefined;
  if (sort === 'operator') {
    return sameHash(sha256Hex(key), ring.operatorKeyHash)
      ? { sort, tenant: ring.tenant }
      : undefined;
  }
  // Found by its SHA-256: how long that takes tells nothing about the key.
  const holder = await holderOf(ring.life, sort, key);
  if (holder === undefined) return undefined;
  const { tenant, name, delegator } = holder;
  if (sort === 'executor') return { sort, tenant, executor: name };
  if (sort === 'agent') {
    const agent = parseAgentName(name);
    return agent === undefined ? undefined : { sort, tenant, agent, delegator };
  }
  const person = parsePersonName(name);
  return person === undefined ? undefined : { sort, tenant, person };
}

/** The bearer key of a request, for asking again later whether it is still somebody's. */
export function bearerOf(headers: Headers): string {
  return BEARER.exec(headers.get('authorization') ?? '')?.[1] ?? '';
}

/** One name for a caller, for bounds that count by caller. */
export function callerKey(who: Who): string {
  switch (who.sort) {
    case 'agent':
      return `${who.tenant}/agent/${who.agent}`;
    case 'person':
      return `${who.tenant}/person/${who.person}`;
    case 'executor':
      return `${who.tenant}/executor/${who.executor}`;
    case 'operator':
      return `${who.tenant}/operator`;
    default:
      return who satisfies never;
  }
}

function sameHash(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}
