/** Agents, people and executors elsewhere with their keys, as the store keeps them, and how the directory changes. */
import type { Digest } from '../kernel/digest.ts';
import type { PersonName } from '../kernel/id.ts';
import type { Instant } from '../kernel/instant.ts';

/** Whom a key can belong to. An executor redeems the permits that are for it, and nothing else. */
export type AccountKind = 'agent' | 'person' | 'executor';

/** An account, as enrolled. */
export interface Account {
  readonly kind: AccountKind;
  readonly name: string;
  readonly roles: readonly string[];
  /** Of an agent. */
  readonly owners: readonly PersonName[];
  /** People with the same alias are one to separation of duty. */
  readonly aliases: readonly PersonName[];
  readonly live: boolean;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | undefined;
}

/** Who a key belongs to. A delegator is proven by the key itself: it was issued for that person. */
export interface KeyHolder {
  readonly kind: AccountKind;
  readonly name: string;
  readonly delegator: PersonName | undefined;
}

/** A key of an account, without anything that it could be found out from. */
export interface AccountKey {
  /** Eight hex digits, unique for the account. */
  readonly id: string;
  readonly delegator: PersonName | undefined;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | undefined;
  /** When it was last presented since the store was opened. */
  readonly usedAt: Instant | undefined;
}

/** A change of the directory. */
export type DirectoryChange =
  | {
      readonly kind: 'enrol';
      readonly account: Pick<Account, 'kind' | 'name' | 'roles' | 'owners' | 'aliases'>;
      readonly keyId: string;
      readonly keyHash: Digest;
      readonly delegator: PersonName | undefined;
    }
  /** Another key beside those there are. */
  | {
      readonly kind: 'add-key';
      readonly account: AccountKind;
      readonly name: string;
      readonly keyId: string;
      readonly keyHash: Digest;
      readonly delegator: PersonName | undefined;
    }
  /** Ends one key; the account and its other keys go on. */
  | {
      readonly kind: 'revoke-key';
      readonly account: AccountKind;
      readonly name: string;
      readonly keyId: string;
    }
  | { readonly kind: 'revoke'; readonly account: AccountKind; readonly name: string }
  | {
      readonly kind: 'roles';
      readonly account: AccountKind;
      readonly name: string;
      readonly roles: readonly string[];
    };
