package db

// AddKeyPackages adds to a device's stocks, of each of which it keeps the newest keep; a
// last-resort one replaces the earlier one of its suite. It returns how many are there
// now, those of last resort not counted.
func (tx *Tx) AddKeyPackages(device DeviceNo, kps []KeyPackage, keep int) ([]Stock, error) {
	suites := map[uint16]bool{}
	for _, kp := range kps {
		suites[kp.Suite] = true
		last := 0
		if kp.LastResort {
			last = 1
			if err := tx.exec("replace key package", `DELETE FROM key_packages WHERE device = $1 AND suite = $2 AND last_resort = 1`,
				int64(device), kp.Suite); err != nil {
				return nil, err
			}
		}
		if err := tx.exec("add key package", `INSERT INTO key_packages (device, suite, last_resort, not_after_ms, digest, body)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO NOTHING`,
			int64(device), kp.Suite, last, kp.NotAfterMS, kp.Digest[:], kp.Body); err != nil {
			return nil, err
		}
	}
	// -1 is SQLite's word for no limit, and NULL PostgreSQL's.
	oldest := `DELETE FROM key_packages WHERE id IN
		(SELECT id FROM key_packages WHERE device = $1 AND suite = $2 AND last_resort = 0 ORDER BY id DESC
		LIMIT ` + tx.conn.Pick("-1", "NULL") + ` OFFSET $3)`
	for suite := range suites {
		if err := tx.exec("trim key packages", oldest, int64(device), suite, keep); err != nil {
			return nil, err
		}
	}
	return tx.keyPackageStocks(device)
}

func (tx *Tx) keyPackageStocks(device DeviceNo) (out []Stock, err error) {
	err = ask(tx.conn, "count key packages", func(r Row) (bool, error) {
		var s Stock
		err := r.Scan(&s.Suite, &s.Count)
		out = append(out, s)
		return true, err
	}, `SELECT suite, count(*) FROM key_packages WHERE device = $1 AND last_resort = 0 GROUP BY suite ORDER BY suite`, int64(device))
	return out, err
}

// TakeKeyPackage takes the oldest valid key package of a suite out of a device's stock;
// when there is none, it returns the last-resort one, which stays.
func (tx *Tx) TakeKeyPackage(device DeviceNo, suite uint16, nowMS int64) (body []byte, ok bool, err error) {
	// Of two hubs that take at once, each takes another.
	oldest := `DELETE FROM key_packages WHERE id =
		(SELECT id FROM key_packages WHERE device = $1 AND suite = $2 AND last_resort = 0 AND not_after_ms > $3
		ORDER BY id LIMIT 1 ` + tx.conn.Pick("", "FOR UPDATE SKIP LOCKED") + `) RETURNING body`
	ok, err = one(tx.conn, "take key package", []any{&body}, oldest, int64(device), suite, nowMS)
	if err != nil || ok {
		return body, ok, err
	}
	ok, err = one(tx.conn, "take key package", []any{&body},
		`SELECT body FROM key_packages WHERE device = $1 AND suite = $2 AND last_resort = 1 AND not_after_ms > $3`, int64(device), suite, nowMS)
	return body, ok, err
}

// DropKeyPackages empties a device's stock.
func (tx *Tx) DropKeyPackages(no DeviceNo) error {
	return tx.exec("drop key packages", `DELETE FROM key_packages WHERE device = $1`, int64(no))
}

// DropStocks drops the key packages of all devices but those of last resort.
func (tx *Tx) DropStocks() error {
	return tx.exec("drop key packages", `DELETE FROM key_packages WHERE last_resort = 0`)
}
