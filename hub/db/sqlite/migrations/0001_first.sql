-- The hub's first tables. Ciphertext, ids and public keys: nothing that can be read.
-- Devices and matters have small numbers of their own, so that the log's keys are short.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The organisation log, as its authors signed it.
CREATE TABLE org_log (
    idx   INTEGER PRIMARY KEY,
    entry BLOB NOT NULL
) STRICT;

-- counter: the last SendContent counter taken.
CREATE TABLE devices (
    no      INTEGER PRIMARY KEY,
    id      BLOB NOT NULL UNIQUE,
    counter INTEGER NOT NULL DEFAULT 0
) STRICT;

-- digest: SHA-256 of the GroupInfo that the matter was created with.
CREATE TABLE matters (
    no      INTEGER PRIMARY KEY,
    id      BLOB NOT NULL UNIQUE,
    creator INTEGER NOT NULL REFERENCES devices (no),
    digest  BLOB NOT NULL,
    epoch   INTEGER NOT NULL,
    head    INTEGER NOT NULL,
    time_ms INTEGER NOT NULL
) STRICT;

-- The current GroupInfo of a matter, apart because it is large and rarely changes.
CREATE TABLE group_infos (
    matter INTEGER PRIMARY KEY REFERENCES matters (no),
    epoch  INTEGER NOT NULL,
    info   BLOB NOT NULL
) STRICT;

-- The log of each matter, clustered: catching up reads it from one place.
CREATE TABLE entries (
    matter  INTEGER NOT NULL REFERENCES matters (no),
    seq     INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    sender  INTEGER NOT NULL REFERENCES devices (no),
    epoch   INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (matter, seq)
) STRICT, WITHOUT ROWID;

-- Each counter of a device stands for one entry: a resend finds it.
CREATE UNIQUE INDEX entries_once ON entries (sender, counter) WHERE counter > 0;

-- Which commit ended an epoch. digest: SHA-256 over its whole bundle.
CREATE TABLE commits (
    matter INTEGER NOT NULL REFERENCES matters (no),
    epoch  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (matter, epoch)
) STRICT, WITHOUT ROWID;

-- Who is and was in a matter: from the commit that added the device up to the one that
-- removed it (NULL: it is in it).
CREATE TABLE participants (
    matter    INTEGER NOT NULL REFERENCES matters (no),
    device    INTEGER NOT NULL REFERENCES devices (no),
    from_seq  INTEGER NOT NULL,
    until_seq INTEGER,
    PRIMARY KEY (matter, device, from_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX participants_by_device ON participants (device, matter);

CREATE TABLE key_packages (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    device       INTEGER NOT NULL REFERENCES devices (no),
    suite        INTEGER NOT NULL,
    last_resort  INTEGER NOT NULL,
    not_after_ms INTEGER NOT NULL,
    digest       BLOB NOT NULL UNIQUE,
    body         BLOB NOT NULL
) STRICT;

CREATE INDEX key_packages_by_device ON key_packages (device, suite, last_resort, id);

-- One Welcome can be for many devices: its bytes are kept once.
CREATE TABLE welcome_bodies (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE welcomes (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    device INTEGER NOT NULL REFERENCES devices (no),
    matter INTEGER NOT NULL REFERENCES matters (no),
    seq    INTEGER NOT NULL,
    sender INTEGER NOT NULL REFERENCES devices (no),
    body   INTEGER NOT NULL REFERENCES welcome_bodies (id)
) STRICT;

CREATE INDEX welcomes_by_device ON welcomes (device, id);
CREATE INDEX welcomes_by_body ON welcomes (body);
