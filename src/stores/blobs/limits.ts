/** The bounds of stored blobs. Each is tested at it and one past it. */

/** How much is kept, and for how long; sizes in bytes, durations in milliseconds. */
export interface BlobLimits {
  /** How long a blob is kept after it was last put or named, or after the last action that names it ended. */
  readonly keepMs: number;
  /** Of one blob. */
  readonly bytesMax: number;
  /** Of all blobs together, and of those that one agent put. */
  readonly bytesTotalMax: number;
  readonly bytesPerAgentMax: number;
  /** Uploads at once, in all and of one agent. */
  readonly uploadsMax: number;
  readonly uploadsPerAgentMax: number;
}

/** The limits unless configured otherwise. */
export const BLOB_LIMITS: BlobLimits = {
  keepMs: 86_400_000,
  bytesMax: 268_435_456,
  bytesTotalMax: 4_294_967_296,
  bytesPerAgentMax: 1_073_741_824,
  uploadsMax: 16,
  uploadsPerAgentMax: 4,
};

/** What a blob counts at least, so that a multitude of tiny ones is bounded too. */
export const BYTES_COUNTED_MIN = 65_536;
