-- The documents that epochs were made from, so that what was decided under one can be decided again from
-- this file alone. A document that several epochs share is kept once.

CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL REFERENCES tenant (id),
  digest BLOB NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (tenant, digest)
) STRICT;

-- The sequence number of the entry that began the epoch; unknown for epochs from before this.
ALTER TABLE epoch ADD COLUMN entry INTEGER;
