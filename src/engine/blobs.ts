/**
 * Blobs: large inputs of actions, put before they are named. A blob belongs to each agent that put it,
 * and to no other: an agent learns nothing of what another one put. It goes away once it was not used
 * for a while; an action that names it uses it until it has ended.
 */
import type { Digest } from '../kernel/digest.ts';
import { blobsNamed, blobsPossible } from '../kernel/blob.ts';
import type { AgentName, TenantName } from '../kernel/id.ts';
import type { Operation } from '../kernel/inventory.ts';
import type { JsonObject } from '../kernel/json/value.ts';
import { readAction } from '../kernel/read-action.ts';
import type { ActionRecord, Store } from './ports.ts';

/** One blob of one agent. */
export interface BlobUse {
  readonly tenant: TenantName;
  readonly agent: AgentName;
  /** SHA-256 of its bytes. */
  readonly digest: Digest;
}

/** A blob on its way in. */
export interface BlobUpload extends BlobUse {
  /** How many bytes the sender announced, if it did. */
  readonly bytesDeclared: number | undefined;
  /** Read once, at the pace of the disk. What it throws is thrown on, and nothing is kept. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Why a blob was not kept, in order of precedence. */
export type BlobRefusalCode =
  | 'blob_too_large'
  | 'too_many_uploads'
  | 'blobs_of_agent_full'
  | 'blobs_full'
  | 'store_full'
  | 'blob_digest_mismatch';

/** What became of an upload; the same whether or not the bytes were there before. */
export type BlobPut =
  | { readonly kind: 'stored'; readonly bytes: number }
  | { readonly kind: 'refused'; readonly code: BlobRefusalCode; readonly message: string };

/** A stored blob, opened. Whoever reads it checks the digest: its file may have been changed. */
export interface OpenBlob {
  /** How many bytes were put. */
  readonly bytes: number;
  /** At most one byte more than `bytes`. */
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Where blobs are kept. */
export interface BlobStore {
  put(upload: BlobUpload): Promise<BlobPut>;
  /** Whether this agent has it; then it is kept for the usual time from now on. */
  keep(use: BlobUse): boolean;
  /** Whether this agent has it. */
  has(use: BlobUse): boolean;
  /** `undefined` where no agent of the tenant has it. */
  open(tenant: TenantName, digest: Digest): Promise<OpenBlob | undefined>;
  /** Lets go of what is neither in use nor used lately; answers how many files that were. */
  expire(inUse: readonly BlobUse[]): Promise<number>;
}

/** Whether the agent has put every blob that its action names; what is there is kept from now on. */
export function keepNamed(
  blobs: Pick<BlobStore, 'keep'> | undefined,
  owner: Omit<BlobUse, 'digest'>,
  {
    operation,
    args,
  }: { readonly operation: Pick<Operation, 'arguments'> | undefined; readonly args: JsonObject },
): boolean {
  if (operation === undefined) return true;
  const { tenant, agent } = owner;
  return blobsNamed(operation.arguments, args).every(
    (digest) => blobs?.keep({ tenant, agent, digest }) ?? false,
  );
}

/** Actions read at once while looking for what is in use. */
const PAGE_COUNT = 200;

/** What the open actions of a tenant name, read from their stored bytes. */
export async function blobsInUse(
  store: Pick<Store, 'actions'>,
  tenant: TenantName,
): Promise<readonly BlobUse[]> {
  const uses: BlobUse[] = [];
  let page: readonly ActionRecord[] = [];
  do {
    const before = page.at(-1)?.id;
    page = await store.actions({
      tenant,
      states: ['held', 'executing', 'unknown'],
      ...(before === undefined ? {} : { before }),
      count: PAGE_COUNT,
    });
    for (const { bytes, digest, agent } of page) {
      const args = readAction(bytes, digest)?.args ?? {};
      for (const named of blobsPossible(args)) uses.push({ tenant, agent, digest: named });
    }
  } while (page.length === PAGE_COUNT);
  return uses;
}
