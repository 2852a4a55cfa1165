/** What the store answers about its logs: trees, proofs, and what was signed last. */
import type { LogState, StoredPayload, TreeHead } from '../../engine/ports.ts';
import {
  consistencyProof,
  emptyRoot,
  Frontier,
  inclusionProof,
  type Hash,
} from '../../ledger/merkle.ts';
import { readDigest } from './columns.ts';
import { blob, integer, textOrNone, type Connection } from './connection.ts';
import type { Context } from './context.ts';

/** The tree of a tenant that nothing was ever written for. */
export const NO_TREE: TreeHead = { size: 0, root: emptyRoot() };

/** The tree as it is, or as it was at a size. */
export function treeOf({ ledger }: Context, tenant: number, size: number | undefined): TreeHead {
  const head = ledger.trees.head(tenant);
  if (size === undefined || size === head.size) return head;
  if (!Number.isSafeInteger(size) || size < 0 || size > head.size) throw beyond(size, head);
  return { size, root: new Frontier(size, ledger.trees.nodes(tenant)).root() };
}

/** That an entry is in the tree of a size. */
export function inclusionIn(
  { ledger }: Context,
  tenant: number,
  { sequence, size }: { readonly sequence: number; readonly size: number },
): readonly Hash[] {
  const head = ledger.trees.head(tenant);
  if (size > head.size) throw beyond(size, head);
  return inclusionProof(sequence - 1, size, ledger.trees.nodes(tenant));
}

/** That the tree of one size begins with that of another. */
export function consistencyIn(
  { ledger }: Context,
  tenant: number,
  { earlier, later }: { readonly earlier: number; readonly later: number },
): readonly Hash[] {
  const head = ledger.trees.head(tenant);
  if (later > head.size) throw beyond(later, head);
  return consistencyProof(earlier, later, ledger.trees.nodes(tenant));
}

/** Which log it is, and the newest checkpoint. */
export function logOf(db: Connection, tenant: number): LogState {
  const row = db.get('SELECT generation, checkpoint FROM log WHERE tenant = ?', tenant);
  if (row === undefined) return { generation: 1, checkpoint: undefined };
  return { generation: integer(row, 'generation'), checkpoint: textOrNone(row, 'checkpoint') };
}

/** Keeps a checkpoint as the newest. */
export function keepCheckpoint(db: Connection, tenant: number, note: string): void {
  db.one(
    `INSERT INTO log (tenant, generation, checkpoint) VALUES (?, 1, ?)
     ON CONFLICT DO UPDATE SET checkpoint = excluded.checkpoint`,
    tenant,
    note,
  );
}

/** Begins another generation of a log, after the one that is known: nothing of it is signed yet. */
export function nextGeneration(db: Connection, tenant: number, known: number): number {
  const generation = Math.max(logOf(db, tenant).generation, known) + 1;
  db.one(
    `INSERT INTO log (tenant, generation, checkpoint) VALUES (?1, ?2, NULL)
     ON CONFLICT DO UPDATE SET generation = ?2, checkpoint = NULL`,
    tenant,
    generation,
  );
  return generation;
}

/** The payloads of an entry that are not erased. */
export function payloadsOf(
  { ledger }: Pick<Context, 'ledger'>,
  tenant: number,
  sequence: number,
): StoredPayload[] {
  return ledger.payloadRows(tenant, sequence).map((row) => ({
    digest: readDigest(row, 'digest'),
    salt: blob(row, 'salt'),
    bytes: blob(row, 'bytes'),
  }));
}

function beyond(size: number, head: TreeHead): RangeError {
  return new RangeError(`the ledger has ${String(head.size)} entries and not \`${String(size)}\``);
}
