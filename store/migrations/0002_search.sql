-- Search: an index over the texts of messages and the titles of matters. It holds no
-- text; see search_index.go for what goes in. A matter's lines all go to the table
-- search_NN with NN = num % 64, so that deleting a matter means rewriting one small
-- index and not a large one.

-- A matter's number in the index. A row is num << 32 | seq there; seq 0 is the title.
CREATE TABLE search_matter (
	num    INTEGER PRIMARY KEY AUTOINCREMENT,
	matter BLOB NOT NULL UNIQUE,
	title  TEXT NOT NULL DEFAULT '' -- as it stands in the index
) STRICT;

-- The months (year * 100 + month) in which anything was said.
CREATE TABLE search_month (
	month INTEGER PRIMARY KEY
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
CREATE VIRTUAL TABLE search_32 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_33 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_34 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_35 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_36 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_37 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_38 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_39 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_40 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_41 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_42 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_43 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_44 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_45 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_46 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_47 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_48 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_49 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_50 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_51 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_52 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_53 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_54 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_55 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_56 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_57 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_58 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_59 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_60 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_61 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_62 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE search_63 USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii');
