-- The latest entries of matters as the hub gave them, to give them back to a hub that was
-- restored from a backup (core/reoffer.go). Sequence 0 is the GroupInfo with which this
-- device opened the matter.
CREATE TABLE recent_entry (
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq      INTEGER NOT NULL,
	received INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	kind     INTEGER NOT NULL,
	sender   BLOB NOT NULL,
	epoch    INTEGER NOT NULL,
	payload  BLOB NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX recent_received ON recent_entry(received);
