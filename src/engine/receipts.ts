/**
 * Receipts: everything that the ledger holds about one action, under one signed checkpoint. What is
 * stored is checked against the tree before it is signed: bytes that somebody changed behind the layer
 * are not.
 */
import type { ActionId, TenantName } from '../kernel/id.ts';
import { Doubt } from '../ledger/doubt.ts';
import { objectOf } from '../ledger/fields.ts';
import { leafHash, verifyInclusion } from '../ledger/merkle.ts';
import { NoteError, verifierKey } from '../ledger/note.ts';
import { canonicalValue, type SaltedBytes } from '../ledger/read-entry.ts';
import {
  composeReceipt,
  RECEIPT_BYTES_MAX,
  RECEIPT_ENTRIES_MAX,
  type ReceiptParts,
} from '../ledger/receipt.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { LedgerRow, Signer, Store, StoredPayload } from './ports.ts';

/** What receipts are made with. */
export interface ReceiptTools {
  readonly store: Pick<Store, 'history' | 'inclusion' | 'payloads'>;
  readonly checkpoints: Pick<Checkpoints, 'covering'>;
  readonly signer: Signer;
}

/**
 * A receipt as bytes, or why there is none: `ledger_unsigned` where the log is not signed any more,
 * `ledger_changed` where stored bytes are not those of the log, `receipt_erased` where an entry itself
 * was too long for the log and is erased, `receipt_too_large`.
 */
export type ReceiptMade =
  | { readonly kind: 'made'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'refused';
      readonly code: 'ledger_unsigned' | 'ledger_changed' | 'receipt_erased' | 'receipt_too_large';
      readonly message: string;
    };

/** Which receipt is asked for. */
export interface ReceiptAsked {
  readonly tenant: TenantName;
  readonly id: ActionId;
  /**
   * `agent`: only payloads that an agent knows anyhow; what was decided from, the nonce of consent and
   * the rules’ words are left out, as if they were erased.
   */
  readonly reader: 'agent' | 'people';
  /** `RECEIPT_BYTES_MAX` if absent. */
  readonly bytesMax?: number;
}

/** Makes the receipt of an action as the ledger is now, settled or not. */
export async function makeReceipt(tools: ReceiptTools, asked: ReceiptAsked): Promise<ReceiptMade> {
  try {
    return { kind: 'made', bytes: await receiptOf(tools, asked) };
  } catch (error) {
    if (error instanceof NoteError) return refused('ledger_unsigned', error.message);
    if (!(error instanceof Doubt)) throw error;
    if (error.code === 'too_large') return refused('receipt_too_large', error.message);
    if (error.code === 'erased') return refused('receipt_erased', error.message);
    return refused('ledger_changed', error.message);
  }
}

/** What an agent said itself, what it was answered, and what an entry says that was too long for the log. */
const AGENT_PAYLOADS: ReadonlySet<string> = new Set(['action', 'outcome', 'body']);

async function receiptOf(
  { store, checkpoints, signer }: ReceiptTools,
  { tenant, id, reader, bytesMax = RECEIPT_BYTES_MAX }: ReceiptAsked,
): Promise<Uint8Array> {
  const rows = await store.history(tenant, id);
  const last = rows.at(-1);
  if (last === undefined || rows.length > RECEIPT_ENTRIES_MAX) throw tooLarge();
  const payloads = await payloadsOf(store, tenant, rows, bytesMax);
  const isShown = (name: string): boolean => reader === 'people' || AGENT_PAYLOADS.has(name);
  const { note, checkpoint } = await checkpoints.covering(tenant, last.sequence);
  const entries: ReceiptParts['entries'][number][] = [];
  for (const [place, { sequence, bytes }] of rows.entries()) {
    const { size, root } = checkpoint;
    const proof = await store.inclusion(tenant, sequence, size);
    const index = sequence - 1;
    if (!verifyInclusion({ index, size, leaf: leafHash(bytes), proof, root })) {
      throw new Doubt('not_in_log', `entry ${String(sequence)} is not the one of the log`);
    }
    const shown = [...(payloads[place] ?? [])].filter(([name]) => isShown(name));
    entries.push({ index, bytes, proof, payloads: new Map(shown) });
  }
  const receipt = await composeReceipt({
    entries,
    checkpoint: note,
    sign: (signed) =>
      signer.sign(signed).flatMap((signature, index) => {
        const publicKey = signer.publicKeys[index];
        if (publicKey === undefined) return [];
        return [{ keyId: verifierKey(checkpoint.origin, 'log', publicKey).id, signature }];
      }),
  });
  if (receipt.length > bytesMax) throw tooLarge();
  return receipt;
}

/** Read one entry at a time, and no further than a receipt may hold. */
async function payloadsOf(
  store: ReceiptTools['store'],
  tenant: TenantName,
  rows: readonly LedgerRow[],
  bytesMax: number,
): Promise<readonly ReadonlyMap<string, SaltedBytes>[]> {
  const maps: ReadonlyMap<string, SaltedBytes>[] = [];
  let bytes = 0;
  for (const row of rows) {
    const stored = await store.payloads(tenant, row.sequence);
    bytes += stored.reduce((sum, payload) => sum + payload.bytes.length, row.bytes.length);
    if (bytes > bytesMax) throw tooLarge();
    maps.push(saltedByName(row, stored));
  }
  return maps;
}

/** What is still there, under the names that the entry has for it. */
function saltedByName(
  { sequence, bytes }: LedgerRow,
  stored: readonly StoredPayload[],
): ReadonlyMap<string, SaltedBytes> {
  const where = `entry ${String(sequence)}`;
  const entry = objectOf(canonicalValue(bytes, where), where);
  const byDigest = new Map<unknown, SaltedBytes>(stored.map((each) => [each.digest, each]));
  return new Map(
    Object.entries(objectOf(entry['payloads'], where)).flatMap(([name, digest]) => {
      const payload = byDigest.get(digest);
      return payload === undefined ? [] : [[name, payload] as const];
    }),
  );
}

function tooLarge(): Doubt {
  return new Doubt('too_large', 'the receipt would be larger than verifiers take');
}

function refused(
  code: Extract<ReceiptMade, { kind: 'refused' }>['code'],
  message: string,
): ReceiptMade {
  return { kind: 'refused', code, message };
}
