/**
 * What is not noticed when a bit is turned in the file behind the layer's back, by table and column. The
 * actions themselves are: their bytes have a digest that is checked before each use. The rest rests on who
 * may write to the file (mode 0600, a directory of the layer's own user), until what surrounds an action
 * is sealed too. Kept exact by the row \`bytes-flipped\`: a gap that closes makes it fail.
 */

/** `decides`: something else is sent or decided. `shows`: people are shown something else. */
export type Gap = 'decides' | 'shows';

/** A field whose change is not noticed, with the flip that shows it. */
export interface KnownGap {
  readonly gap: Gap;
  /** Place of the row in its table. */
  readonly row: number;
  readonly how: string;
}

/** All of them. */
export const GAPS: Readonly<Record<string, KnownGap>> = {
  'action.effect_key': { gap: 'decides', row: 3, how: 'byte 0' },
  'action.once': { gap: 'decides', row: 3, how: 'bit 0' },
  'action.state': { gap: 'decides', row: 3, how: 'byte 0' },
  'action.tenant': { gap: 'decides', row: 3, how: 'bit 0' },
  'challenge.expires_at': { gap: 'decides', row: 0, how: 'bit 41' },
  'halt.scope': { gap: 'decides', row: 1, how: 'byte 18' },
  'halt.tenant': { gap: 'decides', row: 1, how: 'bit 0' },
  'idempotency.key': { gap: 'decides', row: 6, how: 'byte 0' },
  'idempotency.tenant': { gap: 'decides', row: 6, how: 'bit 0' },
  'limit_open.amount': { gap: 'decides', row: 0, how: 'byte 0' },
  'limit_open.key': { gap: 'decides', row: 0, how: 'byte 0' },
  'limit_open.tenant': { gap: 'decides', row: 0, how: 'bit 0' },
  'limit_posted.amount': { gap: 'decides', row: 0, how: 'byte 0' },
  'limit_posted.ends_at': { gap: 'decides', row: 0, how: 'bit 40' },
  'limit_posted.key': { gap: 'decides', row: 0, how: 'byte 0' },
  'limit_posted.tenant': { gap: 'decides', row: 0, how: 'bit 0' },
  'tenant.id': { gap: 'decides', row: 0, how: 'bit 0' },
  'tenant.name': { gap: 'decides', row: 0, how: 'byte 0' },
  'access_key.account': { gap: 'shows', row: 0, how: 'bit 0' },
  'access_key.created_at': { gap: 'shows', row: 0, how: 'bit 0' },
  'access_key.id': { gap: 'shows', row: 3, how: 'bit 22' },
  'access_key.name': { gap: 'shows', row: 0, how: 'byte 0' },
  'account.created_at': { gap: 'shows', row: 0, how: 'bit 0' },
  'account.id': { gap: 'shows', row: 0, how: 'bit 0' },
  'account.kind': { gap: 'shows', row: 0, how: 'byte 0' },
  'account.name': { gap: 'shows', row: 0, how: 'byte 0' },
  'account.tenant': { gap: 'shows', row: 0, how: 'bit 0' },
  'action.agent': { gap: 'shows', row: 0, how: 'byte 0' },
  'action.asked_since': { gap: 'shows', row: 0, how: 'bit 0' },
  'action.conflict_key': { gap: 'shows', row: 0, how: 'byte 0' },
  'action.crossed_at': { gap: 'shows', row: 2, how: 'bit 0' },
  'action.deadline': { gap: 'shows', row: 0, how: 'bit 0' },
  'action.effect': { gap: 'shows', row: 2, how: 'byte 0' },
  'action.engine': { gap: 'shows', row: 2, how: 'byte 0' },
  'action.execution': { gap: 'shows', row: 2, how: 'byte 0' },
  'action.id': { gap: 'shows', row: 3, how: 'bit 22' },
  'action.lease_until': { gap: 'shows', row: 2, how: 'bit 0' },
  'action.operation': { gap: 'shows', row: 0, how: 'byte 0' },
  'action.outcome': { gap: 'shows', row: 2, how: 'byte 36' },
  'action.proposed_at': { gap: 'shows', row: 0, how: 'bit 0' },
  'action.reserves': { gap: 'shows', row: 3, how: 'byte 0' },
  'action.revision': { gap: 'shows', row: 0, how: 'bit 0' },
  'action.settled_at': { gap: 'shows', row: 2, how: 'bit 0' },
  'action.target': { gap: 'shows', row: 0, how: 'byte 0' },
  'action.updated_at': { gap: 'shows', row: 0, how: 'bit 0' },
  'action.uuid': { gap: 'shows', row: 3, how: 'byte 0' },
  'approval.action': { gap: 'shows', row: 0, how: 'bit 0' },
  'approval.approver': { gap: 'shows', row: 0, how: 'byte 0' },
  'approval.at': { gap: 'shows', row: 0, how: 'bit 0' },
  'approval.consent': { gap: 'shows', row: 0, how: 'byte 0' },
  'approval.consumed': { gap: 'shows', row: 0, how: 'bit 0' },
  'approval.expires_at': { gap: 'shows', row: 0, how: 'bit 0' },
  'approval.id': { gap: 'shows', row: 0, how: 'bit 22' },
  'approval.requirement': { gap: 'shows', row: 0, how: 'byte 0' },
  'approval.subject': { gap: 'shows', row: 0, how: 'byte 0' },
  'approval.uuid': { gap: 'shows', row: 0, how: 'byte 0' },
  'content.action': { gap: 'shows', row: 3, how: 'bit 22' },
  'content.bytes': { gap: 'shows', row: 0, how: 'byte 0' },
  'content.decision': { gap: 'shows', row: 0, how: 'byte 311' },
  'content.digest': { gap: 'shows', row: 0, how: 'byte 0' },
  'content.nonce': { gap: 'shows', row: 0, how: 'byte 0' },
  'content.request_digest': { gap: 'shows', row: 0, how: 'byte 0' },
  'content.subject': { gap: 'shows', row: 0, how: 'byte 141' },
  'epoch.digest': { gap: 'shows', row: 0, how: 'byte 0' },
  'epoch.tenant': { gap: 'shows', row: 0, how: 'bit 0' },
  'halt.at': { gap: 'shows', row: 1, how: 'bit 0' },
  'halt.by': { gap: 'shows', row: 1, how: 'byte 0' },
  'halt.reason': { gap: 'shows', row: 1, how: 'byte 0' },
  'halt.uuid': { gap: 'shows', row: 1, how: 'byte 0' },
  'ledger.action': { gap: 'shows', row: 7, how: 'byte 0' },
  'ledger.bytes': { gap: 'shows', row: 0, how: 'byte 0' },
  'payload.bytes': { gap: 'shows', row: 0, how: 'byte 0' },
  'payload.digest': { gap: 'shows', row: 0, how: 'byte 0' },
  'payload.id': { gap: 'shows', row: 0, how: 'bit 22' },
};

/** Tables that the story leaves empty. */
export const EMPTY_TABLES: readonly string[] = ['log', 'source', 'tile'];

/** Fields that are not struck, and why: said aloud and counted as skipped. */
export const UNSTRUCK: Readonly<Record<string, string>> = {};
