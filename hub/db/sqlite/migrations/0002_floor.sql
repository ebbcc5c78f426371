-- floor: the entries up to this sequence are no longer kept.
ALTER TABLE matters ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
