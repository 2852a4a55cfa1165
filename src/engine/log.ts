/** The ledger as a log: what a store knows of its tree, for checkpoints, proofs and receipts. */
import type { Digest } from '../kernel/digest.ts';
import type { TenantName } from '../kernel/id.ts';
import type { Hash } from '../ledger/merkle.ts';

/** A tree by its size and root. */
export interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

/** Which log a tenant's ledger is, and what was signed of it last. */
export interface LogState {
  /** 1, and one more after each restored backup: such a log is another one. */
  readonly generation: number;
  /** The newest checkpoint as a signed note. */
  readonly checkpoint: string | undefined;
}

/** A payload beside the log, with the salt that its digest was made with. */
export interface StoredPayload {
  readonly digest: Digest;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What a store can be asked about its logs. Sizes and sequence numbers beyond the tree reject. */
export interface LogStore {
  /** The tree as it is, or as it was at a size. */
  tree(tenant: TenantName, size?: number): Promise<TreeHead>;
  /** The hashes of a tile as it is, side by side: as many as there are. */
  tile(tenant: TenantName, level: number, index: number): Promise<Uint8Array>;
  /** That the entry with this sequence number is in the tree of `size`. */
  inclusion(tenant: TenantName, sequence: number, size: number): Promise<readonly Hash[]>;
  /** That the tree of `later` entries begins with that of `earlier` ones. */
  consistency(tenant: TenantName, earlier: number, later: number): Promise<readonly Hash[]>;
  log(tenant: TenantName): Promise<LogState>;
  /** Keeps a signed checkpoint as the newest. */
  keepCheckpoint(tenant: TenantName, note: string): Promise<void>;
  /** The payloads of one entry that are not erased, in their order. */
  payloads(tenant: TenantName, sequence: number): Promise<readonly StoredPayload[]>;
}
