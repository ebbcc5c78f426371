-- What people do with messages. A line answers or changes the line ref; -1 is one that
-- this device does not have. extra is JSON: see store.extra.
ALTER TABLE message ADD COLUMN ref INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN edited INTEGER NOT NULL DEFAULT 0; -- when; 0: never
ALTER TABLE message ADD COLUMN extra TEXT NOT NULL DEFAULT '';
CREATE INDEX message_ref ON message(matter, ref) WHERE ref > 0;

-- What the author of an entry signed, for whoever wants proof.
ALTER TABLE entry_digest ADD COLUMN signed BLOB;

CREATE TABLE reaction (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq    INTEGER NOT NULL,
	emoji  TEXT NOT NULL,
	member BLOB NOT NULL,
	at     INTEGER NOT NULL, -- the entry that brought it
	PRIMARY KEY (matter, seq, emoji, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE pin (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq    INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE task (
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq      INTEGER NOT NULL,
	assignee BLOB NOT NULL,  -- zeros: nobody
	due      INTEGER NOT NULL,
	done_by  BLOB NOT NULL,  -- empty: not done
	done_at  INTEGER NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_open ON task(assignee, due) WHERE done_by = x'';

CREATE TABLE poll (
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq      INTEGER NOT NULL,
	options  TEXT NOT NULL,  -- a JSON list
	multiple INTEGER NOT NULL,
	closed   INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE vote (
	matter  BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq     INTEGER NOT NULL,
	member  BLOB NOT NULL,
	choices INTEGER NOT NULL, -- bit n: option n
	at      INTEGER NOT NULL, -- the entry that brought it
	PRIMARY KEY (matter, seq, member)
) STRICT, WITHOUT ROWID;

-- Messages that call for this member and have had no answer.
CREATE TABLE mention (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq    INTEGER NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;
