-- What signed changes have made of a matter: matter.Life as JSON. ref is in a column of
-- its own so that a matter is found by it.
ALTER TABLE matter ADD COLUMN life TEXT NOT NULL DEFAULT '{}';
ALTER TABLE matter ADD COLUMN ref TEXT NOT NULL DEFAULT '';
CREATE INDEX matter_ref ON matter(ref) WHERE ref <> '';

-- The commit by which this device came in, and whether it has been told since how the
-- matter stands.
ALTER TABLE matter ADD COLUMN base INTEGER NOT NULL DEFAULT 0;
ALTER TABLE matter ADD COLUMN described INTEGER NOT NULL DEFAULT 0;

-- The hash over all entries up to this one; NULL while it is not known here.
ALTER TABLE entry_digest ADD COLUMN chain BLOB;

-- own: this person wished it; else it follows from what stands in the matter.
ALTER TABLE wanted ADD COLUMN own INTEGER NOT NULL DEFAULT 1;

-- Entries that can't be judged before this device knows how the matter stands.
CREATE TABLE held_entry (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq    INTEGER NOT NULL,
	entry  BLOB NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

-- How the matter stood, by this device's own account, when a commit let somebody in.
CREATE TABLE account (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq    INTEGER NOT NULL,
	body   BLOB NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

-- Lines that warn, one for each device that gave cause. They stand before the entry that
-- did.
CREATE TABLE warning (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	device BLOB NOT NULL,
	seq    INTEGER NOT NULL,
	time   INTEGER NOT NULL,
	author BLOB NOT NULL,
	kind   INTEGER NOT NULL,
	PRIMARY KEY (matter, device)
) STRICT, WITHOUT ROWID;
