-- Search: an index over the texts of messages and the titles of matters. It holds no
-- text; see search_index.go for what goes in. A matter's lines all go to the table
-- search_NN with NN = num % 32, so that deleting a matter means rewriting one small
-- index and not a large one.

-- A matter's number in the index. A row is num << 32 | seq there; seq 0 is the title.
CREATE TABLE search_matter (
	num    INTEGER PRIMARY KEY AUTOINCREMENT,
	matter BLOB NOT NULL UNIQUE,
	title  TEXT NOT NULL DEFAULT '' -- as it stands in the index
) STRICT;

-- The days (as 20261121, UTC) on which anything was said.
CREATE TABLE search_day (
	day INTEGER PRIMARY KEY
) STRICT;

-- Indexes from which something was deleted and that still have to be rewritten.
CREATE TABLE search_purge (
	shard INTEGER PRIMARY KEY
) STRICT;

-- Files that belong to messages, in parts so that a large one never has to be in memory.
CREATE TABLE blob (
	id      BLOB PRIMARY KEY,
	matter  BLOB NOT NULL REFERENCES matter(id) ON DELETE CASCADE,
	message BLOB NOT NULL,
	name    TEXT NOT NULL,
	type    TEXT NOT NULL,
	size    INTEGER NOT NULL,
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_message ON blob(matter, message);

CREATE TABLE blob_part (
	blob  BLOB NOT NULL REFERENCES blob(id) ON DELETE CASCADE,
	n     INTEGER NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (blob, n)
) STRICT;

-- pgsz: a leaf of the index fits in a page, which has 4056 bytes for it. deletemerge: the
-- purger rewrites an index after deletions, so the commit must not do it as well.
CREATE VIRTUAL TABLE search_00 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_01 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_02 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_03 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_04 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_05 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_06 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_07 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_08 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_09 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_10 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_11 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_12 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_13 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_14 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_15 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_16 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_17 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_18 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_19 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_20 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_21 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_22 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_23 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_24 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_25 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_26 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_27 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_28 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_29 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_30 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_31 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
INSERT INTO search_00(search_00, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_01(search_01, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_02(search_02, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_03(search_03, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_04(search_04, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_05(search_05, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_06(search_06, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_07(search_07, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_08(search_08, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_09(search_09, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_10(search_10, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_11(search_11, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_12(search_12, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_13(search_13, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_14(search_14, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_15(search_15, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_16(search_16, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_17(search_17, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_18(search_18, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_19(search_19, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_20(search_20, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_21(search_21, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_22(search_22, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_23(search_23, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_24(search_24, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_25(search_25, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_26(search_26, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_27(search_27, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_28(search_28, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_29(search_29, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_30(search_30, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
INSERT INTO search_31(search_31, rank) VALUES('pgsz', 3990), ('deletemerge', 0);
