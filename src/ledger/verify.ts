/**
 * `exequatur/verify`: checks receipts and ledger exports with nothing but a key policy file. No server,
 * no network, no `node:*` module in the build for browsers.
 */
import { Doubt, DOUBT_CODES, type DoubtCode } from './doubt.ts';
import type { ByteStream } from './export.ts';
import type { Trust } from './trusted-checkpoint.ts';
import { proveExport, type ProvedExport } from './verify-export.ts';
import { proveReceipt, type ProvedReceipt } from './verify-receipt.ts';

export type { DoubtCode } from './doubt.ts';
export type { ByteStream } from './export.ts';
export type { Trust } from './trusted-checkpoint.ts';
export { readTrustPolicy, TrustPolicyError, type TrustPolicy } from './trust-policy.ts';

/** Something is genuine, and here is what that means; or it is not, or nobody can tell, and here is why. */
export type Verified<Proved> =
  | ({ readonly status: 'genuine' } & Proved)
  | {
      readonly status: 'not_genuine' | 'cannot_tell';
      readonly code: DoubtCode;
      /** One sentence. */
      readonly message: string;
    };

/** Verifies the bytes of a receipt. */
export async function verifyReceipt(
  file: Uint8Array,
  trust: Trust,
): Promise<Verified<ProvedReceipt>> {
  return told(async () => proveReceipt(file, trust));
}

/**
 * Verifies a ledger export as it is read. `since` are signed checkpoints that were kept elsewhere: with
 * them an older copy and a fork are found.
 */
export async function verifyExport(
  file: ByteStream,
  trust: Trust,
  since: readonly string[] = [],
): Promise<Verified<ProvedExport>> {
  return told(async () => proveExport(file, trust, since));
}

async function told<Proved>(prove: () => Promise<Proved>): Promise<Verified<Proved>> {
  try {
    return { status: 'genuine', ...(await prove()) };
  } catch (error) {
    if (!(error instanceof Doubt)) throw error;
    return { status: DOUBT_CODES[error.code], code: error.code, message: error.message };
  }
}
