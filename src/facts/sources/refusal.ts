/** Why a fact could not be had. */

/** The codes of a fact that is `failed`, in order of precedence. */
const FACT_CODES = [
  /** The source did not answer within the fact's timeout, or the advance ended. */
  'fact_timeout',
  /** There is no such file, host or address, it may not be reached, or it answered with an error. */
  'fact_unreachable',
  /** The answer has more bytes than `FACT_BYTES_MAX`. */
  'fact_too_large',
  /** The answer is no strict JSON, has nothing at the pointer, or is not of the declared type. */
  'fact_malformed',
] as const;

/** A stable code of `FACT_CODES`. */
export type FactCode = (typeof FACT_CODES)[number];

/** Thrown while one fact is fetched and caught by its source; never leaves this folder. */
export class FactRefusal extends Error {
  override readonly name = 'FactRefusal';
  readonly code: FactCode;

  constructor(code: FactCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The system's code of an error, such as `ENOENT`, which names no content. */
export function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
