package core

import (
	"context"
	"encoding/binary"
	"errors"

	"causa/internal/fault"
	"causa/store"
)

// highWaterSetting holds the highest counter under which this device has handed anything
// to the hub. It is stored before the hub sees that counter, so a hub that has taken a
// higher one has it from a later state of this store: the store was put back, or copied.
// No encryption of the store can notice that by itself.
const highWaterSetting = "high water"

func setHighWater(tx *store.Tx, counter uint64) error {
	return tx.SetSetting(highWaterSetting, binary.BigEndian.AppendUint64(nil, counter))
}

func highWater(tx *store.Tx) (uint64, error) {
	b, err := tx.Setting(highWaterSetting)
	if errors.Is(err, store.ErrNone) {
		return 0, nil
	}
	if err == nil && len(b) != 8 {
		err = errors.New("the stored counter is damaged")
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}

// checkHighWater tells when the hub has taken more from this device than its store knows
// of, and goes on from there.
func (c *Client) checkHighWater(ctx context.Context, taken uint64) error {
	back := false
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		known, err := highWater(tx)
		if err != nil || taken <= known {
			return err
		}
		back = true
		return setHighWater(tx, taken)
	})
	if err == nil && back {
		c.log.Warn("the store is older than what the hub has from this device")
		c.setStatus(func(s *Status) { s.Problem = storeBehind() })
	}
	return err
}

// storeBehind tells that this device's store was put back or copied.
func storeBehind() error {
	return &fault.Error{
		Text: "What Causa keeps on this device was put back to an earlier state.",
		Hint: "The hub brings back what it has; drafts and what was not sent yet are gone. If nobody restored or copied the folder, tell your administrator.",
		Err:  errors.New("the hub took a later counter than the store knows"),
	}
}
