package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"causa/matter"
)

// A Tx is the open transaction of [DB.Write]. It reads what it has written itself.
// It is valid only inside the function that Write calls.
type Tx struct {
	conn *sql.Conn
	all  []*sql.Stmt // the ones below

	begin, commit, rollback *sql.Stmt

	setMeta, appendLog, logEntry *sql.Stmt

	addDevice, device, setCounter *sql.Stmt

	matter, matterDevices, addMatter, setMatter, setGroupInfo *sql.Stmt
	addEntry, sentAs, addCommit, commitOf                     *sql.Stmt
	oldest, trimEntries, trimCommits, setFloor                *sql.Stmt
	addParticipant, endParticipant                            *sql.Stmt

	addWelcomeBody, addWelcome, dropWelcome, dropBody, countWelcomes *sql.Stmt

	addKeyPackage, dropLastResort, stocks, dropOldest       *sql.Stmt
	takeKeyPackage, lastResort, dropKeyPackages, dropStocks *sql.Stmt
}

func (tx *Tx) prepare(ctx context.Context) error {
	for _, s := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&tx.begin, `BEGIN IMMEDIATE`},
		{&tx.commit, `COMMIT`},
		{&tx.rollback, `ROLLBACK`},

		{&tx.setMeta, `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`},
		{&tx.appendLog, `INSERT INTO org_log (idx, entry) VALUES (?, ?)`},
		{&tx.logEntry, `SELECT entry FROM org_log WHERE idx = ?`},

		{&tx.addDevice, `INSERT INTO devices (id) VALUES (?) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING no`},
		{&tx.device, `SELECT no, counter FROM devices WHERE id = ?`},
		{&tx.setCounter, `UPDATE devices SET counter = ? WHERE no = ?`},

		{&tx.matter, `SELECT no, creator, digest, epoch, head, time_ms FROM matters WHERE id = ?`},
		{&tx.matterDevices, `SELECT device FROM participants WHERE matter = ? AND until_seq IS NULL ORDER BY device`},
		{&tx.addMatter, `INSERT INTO matters (id, creator, digest, epoch, head, time_ms) VALUES (?, ?, ?, ?, ?, ?) RETURNING no`},
		{&tx.setMatter, `UPDATE matters SET epoch = ?, head = ?, time_ms = ? WHERE no = ?`},
		{&tx.setGroupInfo, `INSERT INTO group_infos (matter, epoch, info) VALUES (?, ?, ?)
			ON CONFLICT (matter) DO UPDATE SET epoch = excluded.epoch, info = excluded.info`},

		{&tx.addEntry, `INSERT INTO entries (matter, seq, time_ms, kind, sender, epoch, counter, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`},
		{&tx.sentAs, `SELECT matter, seq, time_ms FROM entries WHERE sender = ? AND counter = ? AND counter > 0`},
		{&tx.addCommit, `INSERT INTO commits (matter, epoch, seq, digest) VALUES (?, ?, ?, ?)`},
		{&tx.commitOf, `SELECT c.seq, c.digest, e.time_ms, e.sender FROM commits c JOIN entries e ON e.matter = c.matter AND e.seq = c.seq
			WHERE c.matter = ? AND c.epoch = ?`},

		// The entries' times don't run backwards: those that are too old come first.
		{&tx.oldest, `SELECT m.floor, coalesce(max(e.seq), 0) FROM matters m LEFT JOIN
			(SELECT seq, time_ms FROM entries WHERE matter = ?1 AND seq > (SELECT floor FROM matters WHERE no = ?1) ORDER BY seq LIMIT ?2) e
			ON e.time_ms < ?3 WHERE m.no = ?1 GROUP BY m.no`},
		{&tx.trimEntries, `DELETE FROM entries WHERE matter = ?1 AND seq <= ?2`},
		{&tx.trimCommits, `DELETE FROM commits WHERE matter = ?1 AND seq <= ?2`},
		{&tx.setFloor, `UPDATE matters SET floor = ?2 WHERE no = ?1`},

		{&tx.addParticipant, `INSERT INTO participants (matter, device, from_seq) VALUES (?, ?, ?)`},
		{&tx.endParticipant, `UPDATE participants SET until_seq = ? WHERE matter = ? AND device = ? AND until_seq IS NULL`},

		{&tx.addWelcomeBody, `INSERT INTO welcome_bodies (body) VALUES (?) RETURNING id`},
		{&tx.addWelcome, `INSERT INTO welcomes (device, matter, seq, sender, body) VALUES (?, ?, ?, ?, ?) RETURNING id`},
		{&tx.dropWelcome, `DELETE FROM welcomes WHERE id = ? AND device = ? RETURNING body`},
		{&tx.dropBody, `DELETE FROM welcome_bodies WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM welcomes WHERE body = ?1)`},

		{&tx.countWelcomes, `SELECT count(*) FROM welcomes WHERE device = ?`},

		{&tx.addKeyPackage, `INSERT INTO key_packages (device, suite, last_resort, not_after_ms, digest, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`},
		{&tx.dropLastResort, `DELETE FROM key_packages WHERE device = ? AND suite = ? AND last_resort = 1`},
		{&tx.stocks, `SELECT suite, count(*) FROM key_packages WHERE device = ? AND last_resort = 0 GROUP BY suite`},
		{&tx.dropOldest, `DELETE FROM key_packages WHERE id IN
			(SELECT id FROM key_packages WHERE device = ? AND suite = ? AND last_resort = 0 ORDER BY id DESC LIMIT -1 OFFSET ?)`},
		{&tx.takeKeyPackage, `DELETE FROM key_packages WHERE id =
			(SELECT id FROM key_packages WHERE device = ? AND suite = ? AND last_resort = 0 AND not_after_ms > ? ORDER BY id LIMIT 1) RETURNING body`},
		{&tx.lastResort, `SELECT body FROM key_packages WHERE device = ? AND suite = ? AND last_resort = 1 AND not_after_ms > ?`},
		{&tx.dropKeyPackages, `DELETE FROM key_packages WHERE device = ?`},
		{&tx.dropStocks, `DELETE FROM key_packages WHERE last_resort = 0`},
	} {
		var err error
		if *s.to, err = tx.conn.PrepareContext(ctx, s.query); err != nil {
			return fmt.Errorf("prepare %q: %w", s.query, classify(err))
		}
		tx.all = append(tx.all, *s.to)
	}
	return nil
}

// run executes a statement whose result is of no interest.
func run(s *sql.Stmt, what string, args ...any) error {
	if _, err := s.Exec(args...); err != nil { //nolint:noctx // a batch is never abandoned halfway
		return fmt.Errorf("%s: %w", what, classify(err))
	}
	return nil
}

// one scans the only row of a query and reports whether there was one.
func one(s *sql.Stmt, what string, args []any, to ...any) (bool, error) {
	err := s.QueryRow(args...).Scan(to...) //nolint:noctx // a batch is never abandoned halfway
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", what, classify(err))
	}
	return true, nil
}

// SetMeta keeps a value under a name.
func (tx *Tx) SetMeta(name string, value []byte) error {
	return run(tx.setMeta, "set meta", name, value)
}

// AppendLog stores an entry of the organisation log.
func (tx *Tx) AppendLog(index uint64, entry []byte) error {
	return run(tx.appendLog, "append to organisation log", int64(index), entry)
}

// LogEntry returns an entry of the organisation log.
func (tx *Tx) LogEntry(index uint64) (entry []byte, ok bool, err error) {
	ok, err = one(tx.logEntry, "read organisation log", []any{clamp(index)}, &entry)
	return entry, ok, err
}

// AddDevice gives a device its number; it keeps the one it has.
func (tx *Tx) AddDevice(id matter.DeviceID) (no DeviceNo, err error) {
	_, err = one(tx.addDevice, "add device", []any{id[:]}, &no)
	return no, err
}

// Device returns a device's number and the last counter taken from it.
func (tx *Tx) Device(id matter.DeviceID) (no DeviceNo, counter uint64, ok bool, err error) {
	ok, err = one(tx.device, "find device", []any{id[:]}, &no, &counter)
	return no, counter, ok, err
}

// SetCounter keeps the last counter taken from a device.
func (tx *Tx) SetCounter(no DeviceNo, counter uint64) error {
	return run(tx.setCounter, "set counter", int64(counter), int64(no))
}

// DropKeyPackages empties a device's stock.
func (tx *Tx) DropKeyPackages(no DeviceNo) error {
	return run(tx.dropKeyPackages, "drop key packages", int64(no))
}

// DropStocks drops the key packages of all devices but those of last resort.
func (tx *Tx) DropStocks() error { return run(tx.dropStocks, "drop key packages") }

// clamp makes a number from outside fit SQLite's integers.
func clamp(n uint64) int64 { return int64(min(n, 1<<63-1)) }

// Waiting counts what is held for a device: its key packages (the last-resort one
// aside) and its welcomes.
func (tx *Tx) Waiting(no DeviceNo) (keyPackages []Stock, welcomes int, err error) {
	if keyPackages, err = tx.keyPackageStocks(no); err != nil {
		return nil, 0, err
	}
	_, err = one(tx.countWelcomes, "count welcomes", []any{int64(no)}, &welcomes)
	return keyPackages, welcomes, err
}
