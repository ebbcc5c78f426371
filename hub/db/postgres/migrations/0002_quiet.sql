-- The quiet hours that members have published: the newest version, as its device signed it.
CREATE TABLE quiet_rules (
    member    bytea NOT NULL PRIMARY KEY,
    version   bigint NOT NULL,
    device    bytea NOT NULL,
    rules     bytea NOT NULL,
    signature bytea NOT NULL
);

-- Where devices are woken.
CREATE TABLE wake_endpoints (
    device bigint NOT NULL PRIMARY KEY REFERENCES devices (no),
    url    text NOT NULL
);

-- Wake-ups that wait for the end of quiet hours: one for each matter and sender. until_s is
-- when it was last thought to be due.
CREATE TABLE held_wakes (
    member  bytea NOT NULL,
    matter  bytea NOT NULL,
    sender  bytea NOT NULL,
    urgent  bigint NOT NULL,
    until_s bigint NOT NULL,
    PRIMARY KEY (member, matter, sender, urgent)
);

-- Urgent messages of the last day, to be counted.
CREATE TABLE urgent_sent (
    member  bytea NOT NULL,
    device  bigint NOT NULL,
    counter bigint NOT NULL,
    time_ms bigint NOT NULL,
    PRIMARY KEY (device, counter)
);

CREATE INDEX urgent_sent_by_member ON urgent_sent (member, time_ms);
