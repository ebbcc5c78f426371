-- Files that messages bring: what is needed to fetch and verify one, and how much of it
-- is here. Its bytes, when they are, are the blob called local.
CREATE TABLE attachment (
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	device   BLOB NOT NULL,                 -- whose message it is
	message  BLOB NOT NULL,
	remote   BLOB NOT NULL,                 -- the blob at the hub
	key      BLOB NOT NULL,
	digest   BLOB NOT NULL,                 -- SHA-256 of the file
	name     TEXT NOT NULL,
	type     TEXT NOT NULL,
	size     INTEGER NOT NULL,
	duration INTEGER NOT NULL,              -- milliseconds
	local    BLOB NOT NULL,
	here     INTEGER NOT NULL DEFAULT 0,    -- whole and verified
	wanted   INTEGER NOT NULL DEFAULT 0,    -- to be fetched by itself
	preview  BLOB NOT NULL DEFAULT x'',
	PRIMARY KEY (matter, device, message)
) STRICT;

-- Files on their way to the hub. Their messages are sent when they are there.
CREATE TABLE upload (
	position INTEGER PRIMARY KEY AUTOINCREMENT,
	matter   BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	message  BLOB NOT NULL,
	time     INTEGER NOT NULL,
	caption  TEXT NOT NULL,
	path     TEXT NOT NULL,                 -- empty: the bytes are here, as a blob
	changed  INTEGER NOT NULL,              -- when the file at path was, nanoseconds
	done     INTEGER NOT NULL DEFAULT 0,    -- bytes of the file that the hub has ...
	state    BLOB NOT NULL DEFAULT x'',     -- ... and the hash of them, so far
	failed   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX upload_matter ON upload(matter);
