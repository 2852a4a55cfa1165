-- A third kind of account: an executor elsewhere, which redeems permits. The check of a column cannot be
-- changed in place, so the accounts and what refers to them move over.

CREATE TABLE moved_account (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  kind TEXT NOT NULL CHECK (kind IN ('agent', 'person', 'executor')),
  name TEXT NOT NULL,
  roles TEXT NOT NULL,
  owners TEXT NOT NULL,
  aliases TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  UNIQUE (tenant, kind, name)
) STRICT;

INSERT INTO moved_account SELECT * FROM account;

CREATE TABLE moved_access_key (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES moved_account (id),
  hash BLOB NOT NULL UNIQUE,
  delegator TEXT,
  created_at INTEGER NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  revoked_at INTEGER
) STRICT;

INSERT INTO moved_access_key (id, account, hash, delegator, created_at, name, revoked_at)
SELECT id, account, hash, delegator, created_at, name, revoked_at FROM access_key;

DROP TABLE access_key;
DROP TABLE account;
ALTER TABLE moved_account RENAME TO account;
ALTER TABLE moved_access_key RENAME TO access_key;

CREATE UNIQUE INDEX access_key_name ON access_key (account, name);
