/** The gateway's named limits. Each is tested at it and one past it. */
import { RECEIPT_BYTES_MAX } from '../../ledger/receipt.ts';
import { BODY_BYTES_MAX } from '../../protocol/headers.ts';

/** Every bound the HTTP gateway keeps; durations in milliseconds. */
export interface HttpLimits {
  /** A request's body, and how long it may take to arrive. */
  readonly bodyBytesMax: number;
  readonly bodyMsMax: number;
  /** How long an upload of bytes may take; a pause in it no longer than `bodyMsMax`. */
  readonly uploadMsMax: number;
  /** A request's line and headers, and how long they may take. */
  readonly headerBytesMax: number;
  readonly headerMsMax: number;
  /** Requests that are being answered at once; above it, they are shed. */
  readonly requestsMax: number;
  /** Requests that wait for an action, in all and for one key; above it, they are answered at once. */
  readonly waitingMax: number;
  readonly waitingPerKeyMax: number;
  /** Event streams, in all and for one key. */
  readonly streamsMax: number;
  readonly streamsPerKeyMax: number;
  /** Ledger entries read for a stream at once; a stream that is not read holds no more than these. */
  readonly streamBatchCountMax: number;
  /** How often a stream says that it is alive, and how long one that nobody reads is kept. */
  readonly heartbeatMs: number;
  readonly streamStalledMsMax: number;
  /** Ledger entries in the history of one action, the newest where there are more. */
  readonly historyCountMax: number;
  /** Bytes of one receipt. */
  readonly receiptBytesMax: number;
  /** Connections at once, and how long an idle one is kept. */
  readonly connectionsMax: number;
  readonly idleMsMax: number;
}

/** The limits unless configured otherwise. */
export const HTTP_LIMITS: HttpLimits = {
  bodyBytesMax: BODY_BYTES_MAX,
  bodyMsMax: 10_000,
  uploadMsMax: 3_600_000,
  headerBytesMax: 16_384,
  headerMsMax: 10_000,
  requestsMax: 2048,
  waitingMax: 1024,
  waitingPerKeyMax: 256,
  streamsMax: 256,
  streamsPerKeyMax: 8,
  streamBatchCountMax: 100,
  heartbeatMs: 15_000,
  streamStalledMsMax: 60_000,
  historyCountMax: 1000,
  receiptBytesMax: RECEIPT_BYTES_MAX,
  connectionsMax: 4096,
  idleMsMax: 65_000,
};
