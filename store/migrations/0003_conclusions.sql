-- A conclusion is signed over the discussion it closes: the digests of its entries.
CREATE TABLE entry_digest (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq    INTEGER NOT NULL,
	digest BLOB NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

-- What a message has besides its text, as JSON: see matter.Facts.
ALTER TABLE message ADD COLUMN facts TEXT NOT NULL DEFAULT '';
