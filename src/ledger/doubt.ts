/**
 * Why something could not be verified. Verification stops at the first doubt: nothing is half proved.
 *
 * `not_genuine` says that something contradicts what was signed; `cannot_tell` that too little is there
 * to say either.
 */

/** Every code of a doubt, with what it comes to. */
export const DOUBT_CODES = {
  too_large: 'cannot_tell',
  malformed: 'cannot_tell',
  unknown_version: 'cannot_tell',
  unknown_kind: 'cannot_tell',
  no_key: 'cannot_tell',
  forged_signature: 'not_genuine',
  no_quorum: 'cannot_tell',
  truncated: 'cannot_tell',
  extra_entries: 'not_genuine',
  root_mismatch: 'not_genuine',
  other_log: 'cannot_tell',
  older_than_checkpoint: 'not_genuine',
  forked: 'not_genuine',
  not_in_log: 'not_genuine',
  payload_mismatch: 'not_genuine',
  erased: 'cannot_tell',
  statement_mismatch: 'not_genuine',
  story_mismatch: 'not_genuine',
} as const;

/** The stable code of a doubt. */
export type DoubtCode = keyof typeof DOUBT_CODES;

/** Stops a verification; caught where it began. The message is one sentence for people. */
export class Doubt extends Error {
  override readonly name = 'Doubt';
  readonly code: DoubtCode;

  constructor(code: DoubtCode, message: string) {
    super(message);
    this.code = code;
  }
}
