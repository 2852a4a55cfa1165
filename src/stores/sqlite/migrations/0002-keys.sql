-- Keys of their own: each has a short name that is no part of it and not made from it, and is revoked
-- alone. Keys that were made before get a name now.

ALTER TABLE access_key ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE access_key ADD COLUMN revoked_at INTEGER;

UPDATE access_key SET name = lower(hex(randomblob(4)));

CREATE UNIQUE INDEX access_key_name ON access_key (account, name);
DROP INDEX access_key_account;
