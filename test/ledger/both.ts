/** Asks both verifiers, which have to agree to the code. */
import assert from 'node:assert/strict';
import { readTrustPolicy, verifyExport, verifyReceipt } from '../../src/ledger/verify.ts';
import { noSecondVerifier, secondVerdicts } from './second-verifier.ts';

/** Something to verify, and what it should come to: `genuine`, or the code of a doubt. */
export interface Case {
  readonly name: string;
  readonly file: Uint8Array;
  readonly expected: string;
}

/** What verifies them. */
export interface Given {
  readonly policy: Uint8Array;
  readonly since?: readonly string[];
}

/** The word of the first verifier on one file: `genuine` or a code. */
export async function firstWord(file: Uint8Array, given: Given): Promise<string> {
  const trust = { policy: readTrustPolicy(given.policy), now: Date.now() };
  const told =
    file[0] === 0x7b
      ? await verifyReceipt(file, trust)
      : await verifyExport([file], trust, given.since);
  return told.status === 'genuine' ? 'genuine' : told.code;
}

/** Holds each case against both verifiers. */
export async function assertBoth(cases: readonly Case[], given: Given): Promise<void> {
  const first: string[] = [];
  for (const { file } of cases) first.push(await firstWord(file, given));
  const told = cases.map(({ name }, index) => `${name}: ${first[index] ?? ''}`);
  assert.deepEqual(
    told,
    cases.map(({ name, expected }) => `${name}: ${expected}`),
  );
  if (noSecondVerifier !== false) return;
  const second = secondVerdicts({ ...given, files: cases.map(({ file }) => file) });
  assert.deepEqual(
    cases.map(({ name }, index) => `${name}: ${second[index]?.code ?? 'genuine'}`),
    told,
  );
}
