-- Quiet hours (core/quiet.go).

-- A matter of one's own devices only: they keep each other up to date in it. No list
-- shows it.
ALTER TABLE matter ADD COLUMN personal INTEGER NOT NULL DEFAULT 0;

-- Messages whose notification waits for the end of quiet hours. A row goes when its
-- message was listed in a digest or read.
CREATE TABLE held (
	matter    BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq       INTEGER NOT NULL,
	until     INTEGER NOT NULL,
	urgent    INTEGER NOT NULL,
	announced INTEGER NOT NULL DEFAULT 0, -- this device has told that the digest is there
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_until ON held(until);

-- What another device of this person has listed before it came here.
CREATE TABLE listed (
	matter BLOB NOT NULL,
	seq    INTEGER NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

-- Urgent messages that count as such. rings and next are about this person's reminders:
-- next is 0 when there are no more.
CREATE TABLE urgent (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	id     BLOB NOT NULL,
	seq    INTEGER NOT NULL,
	author BLOB NOT NULL,
	time   INTEGER NOT NULL,
	rings  INTEGER NOT NULL DEFAULT 0,
	next   INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (matter, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX urgent_author ON urgent(author, time);

-- Who has acknowledged an urgent message.
CREATE TABLE acknowledged (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	id     BLOB NOT NULL,
	member BLOB NOT NULL,
	time   INTEGER NOT NULL,
	PRIMARY KEY (matter, id, member)
) STRICT, WITHOUT ROWID;

-- When what waits in the outbox may be sent; 0: at once.
ALTER TABLE outbox ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
