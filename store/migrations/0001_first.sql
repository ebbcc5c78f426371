-- The first release's tables. Times are Unix milliseconds, ids are raw bytes.

-- What this device is: identity key, home hub, organisation (see settings.go).
CREATE TABLE setting (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The organisation log, entry by entry, as signed.
CREATE TABLE log_entry (
	idx   INTEGER PRIMARY KEY,
	bytes BLOB NOT NULL
) STRICT;

-- Private halves of the key packages published for this device.
CREATE TABLE key_package (
	ref         BLOB PRIMARY KEY,
	suite       INTEGER NOT NULL,
	secrets     BLOB NOT NULL,
	last_resort INTEGER NOT NULL,
	created     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE matter (
	id       BLOB PRIMARY KEY,
	title    TEXT NOT NULL,
	class    TEXT NOT NULL,
	state    INTEGER NOT NULL,
	owner    BLOB NOT NULL,
	due      INTEGER NOT NULL,           -- 0: none
	opened   INTEGER NOT NULL,
	opener   BLOB NOT NULL,
	active   INTEGER NOT NULL,
	removed  INTEGER NOT NULL DEFAULT 0, -- this member is no longer in it
	unborn   INTEGER NOT NULL DEFAULT 0, -- opened here, not known to the hub yet
	adder    BLOB NOT NULL,              -- the device whose description is believed first
	cursor   INTEGER NOT NULL,           -- last sequence taken from the hub
	read_seq INTEGER NOT NULL DEFAULT 0,
	unread   INTEGER NOT NULL DEFAULT 0,
	draft    TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX matter_active ON matter(active DESC);

CREATE TABLE participant (
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	member   BLOB NOT NULL,
	position INTEGER NOT NULL,
	PRIMARY KEY (matter, member)
) STRICT, WITHOUT ROWID;

-- Members somebody here wants in or out, until a commit has done it.
CREATE TABLE wanted (
	matter  BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	member  BLOB NOT NULL,
	present INTEGER NOT NULL,
	PRIMARY KEY (matter, member)
) STRICT, WITHOUT ROWID;

-- One MLS group per matter; pending is an own commit the hub has not answered yet.
CREATE TABLE mls_group (
	matter  BLOB PRIMARY KEY REFERENCES matter(id) ON DELETE CASCADE,
	epoch   INTEGER NOT NULL,
	since   INTEGER NOT NULL,            -- when the epoch began
	state   BLOB NOT NULL,
	pending BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE content_secret (
	matter BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	epoch  INTEGER NOT NULL,
	secret BLOB NOT NULL,
	PRIMARY KEY (matter, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	seq      INTEGER NOT NULL,
	id       BLOB NOT NULL,
	time     INTEGER NOT NULL,
	author   BLOB NOT NULL,
	device   BLOB NOT NULL,
	kind     INTEGER NOT NULL,
	text     TEXT NOT NULL,
	subjects BLOB NOT NULL,
	PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_id ON message(matter, device, id);

-- What was said here and has not been acknowledged. counter is 0 until it was handed
-- to the hub for the first time.
CREATE TABLE outbox (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	id       BLOB NOT NULL,
	time     INTEGER NOT NULL,
	content  BLOB NOT NULL,
	counter  INTEGER NOT NULL DEFAULT 0,
	failed   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_matter ON outbox(matter);
