-- The quiet hours that members have published: the newest version, as its device signed it.
CREATE TABLE quiet_rules (
    member    BLOB NOT NULL PRIMARY KEY,
    version   INTEGER NOT NULL,
    device    BLOB NOT NULL,
    rules     BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Where devices are woken.
CREATE TABLE wake_endpoints (
    device INTEGER PRIMARY KEY REFERENCES devices (no),
    url    TEXT NOT NULL
) STRICT;

-- Wake-ups that wait for the end of quiet hours: one for each matter and sender. until_s is
-- when it was last thought to be due.
CREATE TABLE held_wakes (
    member  BLOB NOT NULL,
    matter  BLOB NOT NULL,
    sender  BLOB NOT NULL,
    urgent  INTEGER NOT NULL,
    until_s INTEGER NOT NULL,
    PRIMARY KEY (member, matter, sender, urgent)
) STRICT, WITHOUT ROWID;

-- Urgent messages of the last day, to be counted.
CREATE TABLE urgent_sent (
    member  BLOB NOT NULL,
    device  INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (device, counter)
) STRICT, WITHOUT ROWID;

CREATE INDEX urgent_sent_by_member ON urgent_sent (member, time_ms);
