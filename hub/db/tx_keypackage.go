package db

import (
	"context"
	"fmt"
)

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
			if err := run(tx.dropLastResort, "replace key package", int64(device), kp.Suite); err != nil {
				return nil, err
			}
		}
		if err := run(tx.addKeyPackage, "add key package", int64(device), kp.Suite, last, kp.NotAfterMS, kp.Digest[:], kp.Body); err != nil {
			return nil, err
		}
	}
	for suite := range suites {
		if err := run(tx.dropOldest, "trim key packages", int64(device), suite, keep); err != nil {
			return nil, err
		}
	}
	return tx.keyPackageStocks(device)
}

func (tx *Tx) keyPackageStocks(device DeviceNo) (out []Stock, err error) {
	rows, err := tx.stocks.QueryContext(context.Background(), int64(device))
	if err != nil {
		return nil, fmt.Errorf("count key packages: %w", classify(err))
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var s Stock
		if err := rows.Scan(&s.Suite, &s.Count); err != nil {
			return nil, fmt.Errorf("count key packages: %w", classify(err))
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count key packages: %w", classify(err))
	}
	return out, nil
}

// TakeKeyPackage takes the oldest valid key package of a suite out of a device's stock;
// when there is none, it returns the last-resort one, which stays.
func (tx *Tx) TakeKeyPackage(device DeviceNo, suite uint16, nowMS int64) (body []byte, ok bool, err error) {
	ok, err = one(tx.takeKeyPackage, "take key package", []any{int64(device), suite, nowMS}, &body)
	if err != nil || ok {
		return body, ok, err
	}
	ok, err = one(tx.lastResort, "take key package", []any{int64(device), suite, nowMS}, &body)
	return body, ok, err
}
