-- Messages that leave their matter when their copies have their places in another one.
CREATE TABLE moving (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	batch    BLOB NOT NULL,    -- what is moved together
	target   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	copy     BLOB NOT NULL,    -- the message there
	source   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	device   BLOB NOT NULL,    -- the message here: who wrote it, and ...
	message  BLOB NOT NULL,    -- ... its id
	arrived  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX moving_copy ON moving(target, copy);
CREATE INDEX moving_batch ON moving(batch);
