/**
 * Ledger entries in their final canonical form. An entry says what happened, and names what could be
 * personal or secret only by salted digest: those payloads lie beside the log and can be erased
 * without breaking it (DESIGN section 8).
 */
import { saltedDigest, type Digest } from '../kernel/digest.ts';
import type { Instant } from '../kernel/instant.ts';
import { canonicalBytes } from '../kernel/json/write.ts';
import type { JsonObject } from '../kernel/json/value.ts';

/** What an entry can be about. */
export type LedgerKind =
  | 'proposed'
  | 'decided'
  | 'approved'
  | 'confirmed'
  | 'rejected'
  | 'withdrawn'
  | 'crossed'
  | 'barred'
  | 'settled'
  | 'resolved'
  | 'halted'
  | 'resumed'
  | 'directory'
  | 'epoch'
  | 'purged'
  | 'restored'
  | 'erased';

/** An entry to be appended: its bytes, and the payloads it names. */
export interface LedgerDraft {
  readonly kind: LedgerKind;
  /** The action it is about, if any. */
  readonly action: string | undefined;
  readonly bytes: Uint8Array;
  readonly payloads: readonly LedgerPayload[];
}

/** A payload beside the log. */
export interface LedgerPayload {
  readonly digest: Digest;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What {@link draftEntry} is given. `salt` makes 32 fresh random bytes. */
export interface EntryParts {
  readonly kind: LedgerKind;
  readonly tenant: string;
  readonly at: Instant;
  readonly action?: string;
  /** Public facts: names, ids, digests, codes. */
  readonly body: JsonObject;
  /** Erasable content by name: plain JSON structures. */
  readonly payloads?: Readonly<Record<string, unknown>>;
  readonly salt: () => Uint8Array;
}

/** The longest entry that a log's tiles can hold (C2SP tlog-tiles). */
export const ENTRY_BYTES_MAX = 65_535;

/** Writes an entry: version, tenant, instant, kind, action, body, and the salted digests of its payloads. */
export function draftEntry(parts: EntryParts): LedgerDraft {
  const drafted = draft(parts);
  if (drafted.bytes.length <= ENTRY_BYTES_MAX) return drafted;
  // What stands in lists goes beside the log, whole; what names the action and what became of it stays.
  const body = Object.fromEntries(
    Object.entries(parts.body).filter(([, value]) => typeof value !== 'object' || value === null),
  );
  return draft({ ...parts, body, payloads: { ...parts.payloads, body: parts.body } });
}

function draft(parts: EntryParts): LedgerDraft {
  const payloads: LedgerPayload[] = [];
  const digests: Record<string, Digest> = {};
  for (const [name, value] of Object.entries(parts.payloads ?? {})) {
    const bytes = canonicalBytes(value);
    const salt = parts.salt();
    const digest = saltedDigest({ salt, bytes });
    payloads.push({ digest, salt, bytes });
    digests[name] = digest;
  }
  const entry: JsonObject = {
    ...(parts.action === undefined ? {} : { action: parts.action }),
    at: parts.at,
    body: parts.body,
    kind: parts.kind,
    payloads: digests,
    tenant: parts.tenant,
    v: 1,
  };
  return { kind: parts.kind, action: parts.action, bytes: canonicalBytes(entry), payloads };
}
