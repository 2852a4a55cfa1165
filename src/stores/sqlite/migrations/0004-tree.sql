-- The ledger's Merkle tree: whole tiles of 256 hashes, written once and never changed. The right edge is
-- made again from what lies here. A row's key is (tenant * 8 + level) * 2^28 + the tile's place.

CREATE TABLE tile (
  id INTEGER PRIMARY KEY,
  hashes BLOB NOT NULL
) STRICT;

-- Which log a tenant's ledger is: a restored backup goes on as the next generation.
CREATE TABLE log (
  tenant INTEGER PRIMARY KEY REFERENCES tenant (id),
  generation INTEGER NOT NULL,
  -- The newest checkpoint, as the note that was signed.
  checkpoint TEXT
) STRICT;
