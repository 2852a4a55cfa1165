/** Receipts as nobody should make them: parts of good ones put together without a look at what they say. */
import { canonicalBytes } from '../../src/kernel/json/write.ts';
import { writeBase64 } from '../../src/ledger/base64.ts';
import { writeTlogProof } from '../../src/ledger/tlog-proof.ts';
import type { SampleLog } from './sample-log.ts';

/** A receipt as plain JSON, to be tampered with. */
export interface LooseReceipt {
  format: string;
  statement: {
    payload: string;
    payloadType: string;
    signatures: { keyid: string; sig: string }[];
  };
  entries: LooseEntry[];
}

/** One of its entries. */
export interface LooseEntry {
  entry: string;
  proof: string;
  payloads: Record<string, { salt: string; bytes: string }>;
}

/** A receipt taken apart. */
export function loosened(file: Uint8Array): LooseReceipt {
  return JSON.parse(new TextDecoder().decode(file));
}

/** A receipt put together again. */
export function fastened(receipt: LooseReceipt): Uint8Array {
  return canonicalBytes(receipt);
}

/** Entries of a log with their proofs, under the statement of another receipt; `erased` as in `SampleLog`. */
export function looseReceipt(
  log: SampleLog,
  indexes: readonly number[],
  statementOf: Uint8Array,
  erased: readonly string[] = [],
): Uint8Array {
  const checkpoint = log.checkpoint();
  const entries = indexes.map((index): LooseEntry => {
    const { bytes, proof, payloads } = log.entry(index, erased);
    return {
      entry: writeBase64(bytes),
      proof: writeTlogProof({ index, hashes: proof, checkpoint }),
      payloads: Object.fromEntries(
        [...payloads].map(([name, salted]) => [
          name,
          { salt: writeBase64(salted.salt), bytes: writeBase64(salted.bytes) },
        ]),
      ),
    };
  });
  return fastened({ ...loosened(statementOf), entries });
}
