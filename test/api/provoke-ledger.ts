/** What gives each error code of the ledger. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { Answer, Layer, LayerParts } from '../fixtures/layer.ts';
import { createTestSigner } from '../fixtures/signer.ts';
import { deploy, startBox } from './box.ts';

type LedgerCode = Extract<ErrorCode, `ledger_${string}` | `receipt_${string}`> | 'tile_unknown';

/** Certainly denied: an entry for the proposal and one for the decision. */
const DENIED = { target: 'box', operation: 'erase', args: { rows: 5000 } };
/** More than whole tiles need. */
const DENIALS = 150;

/** Asks a layer of its own, which ends with the answer. */
async function inBox(
  work: (layer: Layer) => Promise<Answer>,
  changes: Partial<LayerParts> = {},
): Promise<Answer> {
  const layer = await startBox(changes);
  try {
    return await work(layer);
  } finally {
    await layer.close();
  }
}

async function receiptOfDenied(layer: Layer): Promise<Answer> {
  const key = await layer.agentKey();
  const { body } = await layer.propose(key, DENIED);
  return layer.ask(`GET /v1/receipts/${String(body['id'])}`, { key });
}

/** Fills a ledger that is signed, changes the database while the layer is stopped, and asks. */
async function changed(sql: string, ask: (layer: Layer) => Promise<Answer>): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'exequatur-changed-'));
  const parts = { folder, signer: createTestSigner() };
  try {
    let path = '';
    await inBox(async (layer) => {
      ({ path } = layer.store);
      const key = await layer.agentKey();
      await Promise.all(Array.from({ length: DENIALS }, () => layer.propose(key, DENIED)));
      return receiptOfDenied(layer);
    }, parts);
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    return await inBox(ask, parts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** So many rules deny that their codes are more than an entry of a log may hold. */
function longPolicy(): string {
  const rules = Array.from(
    { length: 4200 },
    (_, index) => `  - { id: no-${String(index)}, match: { operation: erase }, deny: No. }`,
  );
  return `version: 1\nrules:\n${rules.join('\n')}\n`;
}

/** What provokes each code. */
export const LEDGER_PROVOCATIONS: Readonly<Record<LedgerCode, () => Promise<Answer>>> = {
  tile_unknown: () =>
    inBox((layer) => layer.ask('GET /v1/ledger/tile/0/900', { key: layer.operatorKey })),
  ledger_off: () => inBox(receiptOfDenied, { ledger: 'off' }),
  receipt_not_ready: () =>
    inBox(async (layer) => {
      const key = await layer.agentKey();
      const { body } = await layer.propose(key, deploy(), { prefer: 'wait=0' });
      return layer.ask(`GET /v1/receipts/${String(body['id'])}`, { key });
    }),
  receipt_too_large: () => inBox(receiptOfDenied, { httpLimits: { receiptBytesMax: 1000 } }),
  receipt_erased: () =>
    inBox(
      async (layer) => {
        const key = await layer.agentKey();
        const { body } = await layer.propose(key, DENIED);
        const id = String(body['id']);
        const erased = await layer.ask(`POST /v1/actions/${id}/erase`, {
          key: layer.operatorKey,
          body: { reason: 'asked for' },
        });
        if (erased.status !== 200) return erased;
        return layer.ask(`GET /v1/receipts/${id}`, { key });
      },
      { policy: longPolicy() },
    ),
  ledger_changed: () =>
    changed(
      `UPDATE ledger SET bytes = CAST(replace(CAST(bytes AS TEXT), 'box', 'bix') AS BLOB)`,
      (layer) => layer.ask('GET /v1/ledger/tile/entries/000', { key: layer.operatorKey }),
    ),
  ledger_unsigned: () =>
    changed(
      'UPDATE tile SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)',
      receiptOfDenied,
    ),
};
