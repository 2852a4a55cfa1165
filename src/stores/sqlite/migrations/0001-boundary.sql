-- The first schema: actions with their one execution, what people and limits say about them, the
-- directory, and the ledger. Every key begins with the tenant or with a row that belongs to one.
-- Large rows have integer keys, so that appending stays appending; UUIDv7 columns grow in order; no
-- index over a whole table stands on random values, but the one of idempotency keys, which has to.

CREATE TABLE clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- No instant the store has given out is later than this one.
  mark INTEGER NOT NULL
) STRICT;

INSERT INTO clock (id, mark) VALUES (1, 0);

CREATE TABLE tenant (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE epoch (
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  number INTEGER NOT NULL,
  digest BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  kind TEXT NOT NULL CHECK (kind IN ('agent', 'person')),
  name TEXT NOT NULL,
  roles TEXT NOT NULL,
  owners TEXT NOT NULL,
  aliases TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  UNIQUE (tenant, kind, name)
) STRICT;

CREATE TABLE access_key (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account (id),
  hash BLOB NOT NULL UNIQUE,
  delegator TEXT,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX access_key_account ON access_key (account);

CREATE TABLE halt (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  uuid BLOB NOT NULL,
  scope TEXT NOT NULL,
  reason TEXT NOT NULL,
  by TEXT NOT NULL,
  at INTEGER NOT NULL,
  resumed_at INTEGER,
  UNIQUE (tenant, uuid)
) STRICT;

CREATE INDEX halt_standing ON halt (tenant) WHERE resumed_at IS NULL;

CREATE TABLE action (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  uuid BLOB NOT NULL,
  state TEXT NOT NULL CHECK (
    state IN (
      'held', 'executing', 'succeeded', 'failed', 'not_executed',
      'unknown', 'denied', 'rejected', 'withdrawn', 'expired'
    )
  ),
  revision INTEGER NOT NULL,
  agent TEXT NOT NULL,
  delegator TEXT,
  target TEXT NOT NULL,
  operation TEXT NOT NULL,
  conflict_key TEXT NOT NULL,
  effect_key BLOB,
  -- 1 where the operation declared `once` when it was last decided: a success then occupies the key.
  once INTEGER NOT NULL,
  deadline INTEGER NOT NULL,
  -- When a hold is looked at again: its wake-up time or its deadline, whichever is first.
  due_at INTEGER NOT NULL,
  proposed_at INTEGER NOT NULL,
  asked_since INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  ended_by TEXT,
  ended_reason TEXT,
  UNIQUE (tenant, uuid)
) STRICT;

-- What is large, apart from what changes often: a settlement rewrites a short row.
CREATE TABLE content (
  action INTEGER PRIMARY KEY REFERENCES action (id),
  request_digest BLOB NOT NULL,
  digest BLOB NOT NULL,
  nonce TEXT NOT NULL,
  note TEXT,
  bytes BLOB NOT NULL,
  decision TEXT,
  subject TEXT
) STRICT;

CREATE INDEX action_agent ON action (tenant, agent, uuid);

-- SQLite uses a partial index only where a query repeats its condition or one side of its OR.
CREATE INDEX action_due ON action (due_at) WHERE state = 'held';
CREATE INDEX action_open ON action (tenant, state, agent) WHERE state = 'held' OR state = 'unknown';
CREATE INDEX action_effect ON action (tenant, effect_key, state, uuid)
  WHERE effect_key IS NOT NULL AND (state = 'held' OR state = 'executing' OR state = 'unknown');
CREATE INDEX action_done ON action (tenant, effect_key)
  WHERE once = 1 AND effect_key IS NOT NULL AND state = 'succeeded';
CREATE INDEX action_executing ON action (tenant, conflict_key, uuid) WHERE state = 'executing';

-- Hashes of idempotency keys, by agent: sixteen bytes of SHA-256, so that the index stays small.
CREATE TABLE idempotency (
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  key BLOB NOT NULL,
  action INTEGER NOT NULL REFERENCES action (id),
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE execution (
  action INTEGER PRIMARY KEY REFERENCES action (id),
  uuid BLOB NOT NULL,
  crossed_at INTEGER NOT NULL,
  engine TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  effect BLOB NOT NULL,
  outcome TEXT,
  settled_at INTEGER,
  resolved_by TEXT,
  resolved_reason TEXT
) STRICT;

CREATE INDEX execution_open ON execution (engine, uuid) WHERE settled_at IS NULL;

CREATE TABLE approval (
  id INTEGER PRIMARY KEY,
  action INTEGER NOT NULL REFERENCES action (id),
  uuid BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('approval', 'confirmation')),
  requirement BLOB NOT NULL,
  consent BLOB NOT NULL,
  subject TEXT NOT NULL,
  approver TEXT NOT NULL,
  at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  consumed INTEGER NOT NULL CHECK (consumed IN (0, 1)),
  UNIQUE (action, uuid)
) STRICT;

-- Only the hash of a challenge is kept: the file never holds what would let somebody answer.
CREATE TABLE challenge (
  id INTEGER PRIMARY KEY,
  action INTEGER NOT NULL REFERENCES action (id),
  person TEXT NOT NULL,
  hash BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX challenge_person ON challenge (action, person);

-- What a hold waits for; the rows of an action are gone once it is no longer held.
CREATE TABLE wait (
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  key TEXT NOT NULL,
  action INTEGER NOT NULL REFERENCES action (id),
  PRIMARY KEY (tenant, key, action)
) STRICT, WITHOUT ROWID;

CREATE INDEX wait_action ON wait (action);

-- What executions hold under limits until their outcome is known: reserved, or unknown.
CREATE TABLE reservation (
  action INTEGER NOT NULL REFERENCES action (id),
  key TEXT NOT NULL,
  per_ms INTEGER NOT NULL,
  amount TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('reserved', 'unknown')),
  PRIMARY KEY (action, key, per_ms)
) STRICT, WITHOUT ROWID;

-- The exact sum of a key's reservations.
CREATE TABLE limit_open (
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  key TEXT NOT NULL,
  amount TEXT NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

-- The exact sum of what was posted in one bucket. A bucket is named by the instant it ends, so that it
-- keeps its meaning when a rule's period changes.
CREATE TABLE limit_posted (
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  key TEXT NOT NULL,
  ends_at INTEGER NOT NULL,
  per_ms INTEGER NOT NULL,
  amount TEXT NOT NULL,
  PRIMARY KEY (tenant, key, ends_at, per_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE conflict (
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  key TEXT NOT NULL,
  settled_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE last_success (
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  target TEXT NOT NULL,
  operation TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant, target, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  -- 1, 2, 3 … without gaps in each tenant.
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  action BLOB,
  bytes BLOB NOT NULL,
  UNIQUE (tenant, sequence)
) STRICT;

CREATE INDEX ledger_action ON ledger (tenant, action) WHERE action IS NOT NULL;

-- Beside the log: erasing a row here leaves the entry, and the digest in it, as they are.
CREATE TABLE payload (
  -- The entry's own key times 64, plus the payload's place in it: found by range, without an index.
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL,
  salt BLOB NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
