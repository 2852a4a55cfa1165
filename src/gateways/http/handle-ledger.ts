/**
 * The ledger for whoever checks it elsewhere: receipts of single actions, and the whole log as C2SP
 * tlog-tiles has it. A tile is read by itself, so that the size of the log costs nothing.
 */
import { makeReceipt } from '../../engine/receipts.ts';
import type { TenantName } from '../../kernel/id.ts';
import { HASH_BYTES, leafHash, sameHash } from '../../ledger/merkle.ts';
import { NoteError } from '../../ledger/note.ts';
import { readTilePath, tileWidth, TILE_WIDTH, writeBundle } from '../../ledger/tile.ts';
import { MEDIA_TYPES } from '../../protocol/headers.ts';
import { findAction } from './about-action.ts';
import { ApiProblem } from './api-problem.ts';
import {
  parameterOf,
  whoOf,
  type Call,
  type Handlers,
  type LedgerDesk,
  type Served,
} from './call.ts';
import { executedOf, isOpen } from './view-action.ts';

/** How long a checkpoint may be kept by caches. */
const CHECKPOINT_SECONDS = 1;
/** What a tile holds never changes. */
const TILE_SECONDS = 31_536_000;

/** Routes about the ledger. */
export const LEDGER_HANDLERS: Handlers<'receipt' | 'checkpoint' | 'tile'> = {
  async receipt(call) {
    const { checkpoints, signer } = deskOf(call);
    const record = await findAction(call);
    const { tenant, id } = record;
    const reader = whoOf(call).sort === 'agent' ? 'agent' : 'people';
    // An entry names rules and approvers, which is nothing for an agent that could still act on it.
    if (reader === 'agent' && isOpen(record)) {
      throw new ApiProblem('receipt_not_ready', { id, executed: executedOf(record) });
    }
    const { store } = call.served.engine;
    const { receiptBytesMax: bytesMax } = call.served.limits;
    const tools = { store, checkpoints, signer };
    const made = await makeReceipt(tools, { tenant, id, reader, bytesMax });
    if (made.kind === 'refused') {
      const executed = executedOf(record);
      throw new ApiProblem(made.code, { detail: made.message, id, executed });
    }
    return bytesReply(made.bytes, {
      'content-type': MEDIA_TYPES.receipt,
      'content-disposition': `attachment; filename="${id}.receipt.json"`,
      'cache-control': 'no-store',
    });
  },

  async checkpoint(call) {
    const { checkpoints } = deskOf(call);
    try {
      return {
        status: 200,
        body: await checkpoints.newest(tenantOf(call)),
        headers: { 'cache-control': cachedFor(call, CHECKPOINT_SECONDS) },
      };
    } catch (error) {
      if (error instanceof NoteError) throw new ApiProblem('ledger_unsigned');
      throw error;
    }
  },

  async tile(call) {
    deskOf(call);
    const place = readTilePath(`tile/${parameterOf(call, 'tile')}`);
    if (place === undefined) throw new ApiProblem('tile_unknown');
    const { store } = call.served.engine;
    const tenant = tenantOf(call);
    const { level, index, width } = place;
    const { size } = await store.tree(tenant);
    // A partial tile stays what it was when the whole one is there.
    if (width > tileWidth(level, index, size)) throw new ApiProblem('tile_unknown');
    const bytes =
      level === 'entries'
        ? await bundleOf(call.served, tenant, { index, width })
        : (await store.tile(tenant, level, index)).slice(0, width * HASH_BYTES);
    return bytesReply(bytes, {
      'content-type': MEDIA_TYPES.bytes,
      'cache-control': `${cachedFor(call, TILE_SECONDS)}, immutable`,
    });
  },
};

type AnyCall = Pick<Call<unknown, unknown>, 'served' | 'who'>;

function deskOf({ served }: Pick<AnyCall, 'served'>): LedgerDesk {
  if (served.ledger === undefined) throw new ApiProblem('ledger_off');
  return served.ledger;
}

function tenantOf({ served, who }: AnyCall): TenantName {
  return who?.tenant ?? served.ring.tenant;
}

/** What only some may read is kept by nobody on the way. */
function cachedFor({ served }: Pick<AnyCall, 'served'>, seconds: number): string {
  const whose = served.ledger?.isPublic === true ? 'public' : 'private';
  return `${whose}, max-age=${String(seconds)}`;
}

/** Entries that somebody changed behind the layer are not shown as the log's. */
async function bundleOf(
  { engine: { store } }: Served,
  tenant: TenantName,
  { index, width }: { readonly index: number; readonly width: number },
): Promise<Uint8Array> {
  const rows = await store.ledger(tenant, index * TILE_WIDTH, width);
  const hashes = await store.tile(tenant, 0, index);
  const isLogs = rows.every(({ bytes }, place) =>
    sameHash(leafHash(bytes), hashes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES)),
  );
  if (rows.length !== width || !isLogs) throw new ApiProblem('ledger_changed');
  return writeBundle(rows.map(({ bytes }) => bytes));
}

function bytesReply(bytes: Uint8Array, headers: Readonly<Record<string, string>>): Response {
  return new Response(new Uint8Array(bytes), {
    headers: {
      ...headers,
      'content-length': String(bytes.length),
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
  });
}
