-- Devices that say they have destroyed a message that was taken back.
CREATE TABLE receipt (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq    INTEGER NOT NULL,
	device BLOB NOT NULL,
	PRIMARY KEY (matter, seq, device)
) STRICT, WITHOUT ROWID;
