-- The first entry that this device can read, and up to where it takes entries a second
-- time because it was handed the ones before (see Rewind).
ALTER TABLE matter ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE matter ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;

-- Devices that are to be handed a matter's history by this one.
CREATE TABLE heir (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	device BLOB NOT NULL,
	PRIMARY KEY (matter, device)
) STRICT, WITHOUT ROWID;
