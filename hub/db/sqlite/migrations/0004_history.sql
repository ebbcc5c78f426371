-- The first entry that a device was granted besides its own time in a matter.
ALTER TABLE participants ADD COLUMN history INTEGER;
