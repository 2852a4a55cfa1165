/** Agents, people and executors over the wire. A key is answered once, when it is made, and never again. */
import * as z from 'zod';
import { instantText, nameText } from './words.ts';

/** Enrols an agent, or makes another key for it. */
export interface AgentRequest {
  readonly name: string;
  readonly roles?: readonly string[];
  /** People who own it: none of them ever approves what it proposes. */
  readonly owners?: readonly string[];
  /** The person on whose behalf this key acts. */
  readonly delegator?: string;
}

/** Enrols a person, or makes another key for them. */
export interface PersonRequest {
  readonly name: string;
  readonly roles?: readonly string[];
  /** Other names of the same human being. */
  readonly aliases?: readonly string[];
}

/** Enrols an executor that redeems permits, or makes another key for it. */
export interface ExecutorRequest {
  readonly name: string;
}

const names = z.array(nameText).max(64);

/** An {@link AgentRequest} as received. */
export const agentRequest: z.ZodType<AgentRequest> = z.strictObject({
  name: nameText,
  roles: names.exactOptional(),
  owners: names.exactOptional(),
  delegator: nameText.exactOptional(),
});

/** A {@link PersonRequest} as received. */
export const personRequest: z.ZodType<PersonRequest> = z.strictObject({
  name: nameText,
  roles: names.exactOptional(),
  aliases: names.exactOptional(),
});

/** An {@link ExecutorRequest} as received. */
export const executorRequest: z.ZodType<ExecutorRequest> = z.strictObject({ name: nameText });

/** Replaces an account's roles. */
export interface RolesRequest {
  readonly roles: readonly string[];
}

/** A {@link RolesRequest} as received. */
export const rolesRequest: z.ZodType<RolesRequest> = z.strictObject({ roles: names });

/** An account. */
export interface AccountView {
  readonly kind: 'agent' | 'person' | 'executor';
  readonly name: string;
  readonly roles: readonly string[];
  readonly owners: readonly string[];
  readonly aliases: readonly string[];
  readonly live: boolean;
  readonly createdAt: string;
  readonly revokedAt?: string;
}

/** An {@link AccountView} as sent. */
export const accountView: z.ZodType<AccountView> = z.object({
  kind: z.enum(['agent', 'person', 'executor']),
  name: z.string(),
  roles: z.array(z.string()),
  owners: z.array(z.string()),
  aliases: z.array(z.string()),
  live: z.boolean(),
  createdAt: instantText,
  revokedAt: instantText.exactOptional(),
});

/** All accounts of one sort. */
export interface AccountList {
  readonly accounts: readonly AccountView[];
}

/** An {@link AccountList} as sent. */
export const accountList: z.ZodType<AccountList> = z.object({ accounts: z.array(accountView) });

/** A fresh key. It is kept nowhere but with whoever reads this answer. */
export interface EnrolledView {
  readonly account: AccountView;
  readonly key: string;
  /** Names the key in lists, and to revoke it alone. */
  readonly keyId: string;
}

/** An {@link EnrolledView} as sent. */
export const enrolledView: z.ZodType<EnrolledView> = z.object({
  account: accountView,
  key: z.string(),
  keyId: z.string(),
});

/** Makes another key for an account; those it has stay good. */
export interface KeyRequest {
  /** The person on whose behalf an agent's key acts. */
  readonly delegator?: string;
}

/** A {@link KeyRequest} as received. */
export const keyRequest: z.ZodType<KeyRequest> = z.strictObject({
  delegator: nameText.exactOptional(),
});

/** A key, without the key. */
export interface KeyView {
  readonly id: string;
  readonly live: boolean;
  readonly delegator?: string;
  readonly createdAt: string;
  /** When it was last presented since the layer started; absent where it was not. */
  readonly usedAt?: string;
  readonly revokedAt?: string;
}

/** A {@link KeyView} as sent. */
export const keyView: z.ZodType<KeyView> = z.object({
  id: z.string(),
  live: z.boolean(),
  delegator: z.string().exactOptional(),
  createdAt: instantText,
  usedAt: instantText.exactOptional(),
  revokedAt: instantText.exactOptional(),
});

/** All keys of one account, oldest first. */
export interface KeyList {
  readonly keys: readonly KeyView[];
}

/** A {@link KeyList} as sent. */
export const keyList: z.ZodType<KeyList> = z.object({ keys: z.array(keyView) });
