/**
 * Agents, people and executors: enrolled with a key that is shown once and kept only as a hash. Their
 * keys are of different sorts and never work as each other.
 */
import type { Digest } from '../kernel/digest.ts';
import { parseDigest } from '../kernel/digest.ts';
import type { PersonName, TenantName } from '../kernel/id.ts';
import { sha256Hex } from '../kernel/sha256.ts';
import { controlEntry } from './entries.ts';
import type { Life } from './life.ts';
import type { AccountKind } from './account.ts';
import type { DirectoryChange, KeyHolder } from './ports.ts';

/** What is enrolled. `delegator`: the person on whose behalf this key acts, proven by the key itself. */
export interface Enrolment {
  readonly tenant: TenantName;
  readonly kind: AccountKind;
  readonly name: string;
  readonly roles: readonly string[];
  readonly owners: readonly PersonName[];
  readonly aliases: readonly PersonName[];
  readonly delegator: PersonName | undefined;
  readonly by: PersonName | 'operator';
}

/** What enrolling or revoking came to. `key` is shown this once. */
export type Directed =
  | { readonly kind: 'enrolled'; readonly key: string; readonly keyId: string }
  | { readonly kind: 'written' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

const KEY = /^exq_(agent|person|executor)_[A-Za-z0-9_-]{43}$/u;

/** Enrols an account, or another key for it, and answers the key. */
export async function enrol(life: Life, enrolment: Enrolment): Promise<Directed> {
  const { tenant, by, delegator, ...account } = enrolment;
  const { key, keyId } = freshKey(life, account.kind);
  const result = await direct(life, {
    tenant,
    by,
    change: { kind: 'enrol', account, keyId, keyHash: hashOf(key), delegator },
  });
  return result.kind === 'written' ? { kind: 'enrolled', key, keyId } : result;
}

/** Makes another key for an account there is; those it has stay good until they are revoked. */
export async function addKey(
  life: Life,
  asked: Pick<Enrolment, 'tenant' | 'kind' | 'name' | 'delegator' | 'by'>,
): Promise<Directed> {
  const { tenant, by, kind, name, delegator } = asked;
  const { key, keyId } = freshKey(life, kind);
  const result = await direct(life, {
    tenant,
    by,
    change: { kind: 'add-key', account: kind, name, keyId, keyHash: hashOf(key), delegator },
  });
  return result.kind === 'written' ? { kind: 'enrolled', key, keyId } : result;
}

/** A key, and a name for it that tells nothing about it. */
function freshKey(life: Life, kind: AccountKind): { readonly key: string; readonly keyId: string } {
  const secret = Buffer.from(life.randomness.bytes(32)).toString('base64url');
  const keyId = Buffer.from(life.randomness.bytes(4)).toString('hex');
  return { key: `exq_${kind}_${secret}`, keyId };
}

/** Revokes an account or changes its roles. It binds every crossing after it is acknowledged. */
export async function direct(
  life: Life,
  parts: {
    readonly tenant: TenantName;
    readonly by: PersonName | 'operator';
    readonly change: DirectoryChange;
  },
): Promise<Directed> {
  const { tenant, by, change } = parts;
  const result = await life.store.direct(tenant, change, (at) =>
    controlEntry('directory', { tenant, at, by, body: bodyOf(change), salt: life.salt }),
  );
  if (result.kind === 'written') await life.store.wake(tenant, 'all');
  return result;
}

/** Who a presented key belongs to, if it is a key of this sort and its account is live. */
export async function holderOf(
  life: Life,
  kind: AccountKind,
  key: string,
): Promise<(KeyHolder & { readonly tenant: TenantName }) | undefined> {
  if (KEY.exec(key)?.[1] !== kind) return undefined;
  const holder = await life.store.holder(hashOf(key));
  return holder?.kind === kind ? holder : undefined;
}

/** A key has 256 random bits: a plain hash hides it as well as a slow one. */
function hashOf(key: string): Digest {
  const digest = parseDigest(sha256Hex(key));
  if (digest === undefined) throw new Error('a SHA-256 has its form');
  return digest;
}

function bodyOf(change: DirectoryChange): { readonly [name: string]: string | readonly string[] } {
  switch (change.kind) {
    case 'enrol':
      return {
        change: 'enrol',
        account: change.account.kind,
        name: change.account.name,
        roles: change.account.roles,
        owners: change.account.owners,
        key: change.keyId,
      };
    case 'add-key':
    case 'revoke-key':
      return {
        change: change.kind,
        account: change.account,
        name: change.name,
        key: change.keyId,
      };
    case 'revoke':
      return { change: 'revoke', account: change.account, name: change.name };
    case 'roles':
      return { change: 'roles', account: change.account, name: change.name, roles: change.roles };
    default:
      return change satisfies never;
  }
}
