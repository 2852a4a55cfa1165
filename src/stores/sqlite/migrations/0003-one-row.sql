-- An action's one execution, and what it reserved, become part of the action's own row: crossing and
-- settling touch one row less each. What is reserved follows from the state: `executing` reserves,
-- `unknown` keeps reserved.

ALTER TABLE action ADD COLUMN execution BLOB;
ALTER TABLE action ADD COLUMN crossed_at INTEGER;
ALTER TABLE action ADD COLUMN engine TEXT;
ALTER TABLE action ADD COLUMN lease_until INTEGER;
ALTER TABLE action ADD COLUMN effect BLOB;
-- Canonical JSON: a list of key, perMs and amount. NULL where nothing was reserved.
ALTER TABLE action ADD COLUMN reserves TEXT;
ALTER TABLE action ADD COLUMN settled_at INTEGER;
ALTER TABLE action ADD COLUMN outcome TEXT;
ALTER TABLE action ADD COLUMN resolved_by TEXT;
ALTER TABLE action ADD COLUMN resolved_reason TEXT;

UPDATE action SET
  execution = old.uuid, crossed_at = old.crossed_at, engine = old.engine,
  lease_until = old.lease_until, effect = old.effect, settled_at = old.settled_at,
  outcome = old.outcome, resolved_by = old.resolved_by, resolved_reason = old.resolved_reason
FROM execution AS old WHERE old.action = action.id;

UPDATE action SET reserves = old.list
FROM (
  SELECT action AS id, json_group_array(json_object('amount', amount, 'key', key, 'perMs', per_ms)) AS list
  FROM reservation GROUP BY action
) AS old WHERE old.id = action.id;

DROP TABLE execution;
DROP TABLE reservation;

CREATE INDEX action_lease ON action (engine, execution) WHERE state = 'executing';

-- An entry's key is its tenant times 2^36, plus its sequence number: 1, 2, 3 … without gaps in each
-- tenant, found and counted without an index beside the table. A payload's is the entry's times 64,
-- plus its place in it.

CREATE TABLE moved_payload (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL,
  salt BLOB NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

INSERT INTO moved_payload (id, digest, salt, bytes)
SELECT (ledger.tenant * 68719476736 + ledger.sequence) * 64 + payload.id % 64, digest, salt, payload.bytes
FROM payload JOIN ledger ON ledger.id = payload.id / 64;

CREATE TABLE moved_ledger (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  action BLOB,
  bytes BLOB NOT NULL
) STRICT;

INSERT INTO moved_ledger (id, kind, action, bytes)
SELECT tenant * 68719476736 + sequence, kind, action, bytes FROM ledger;

DROP TABLE payload;
DROP TABLE ledger;
ALTER TABLE moved_payload RENAME TO payload;
ALTER TABLE moved_ledger RENAME TO ledger;

CREATE INDEX ledger_action ON ledger (action) WHERE action IS NOT NULL;
