package core

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"causa/matter"
	"causa/orglog"
	"causa/store"
)

// accountSetting is the setting that holds the account.
const accountSetting = "account"

// An account is what this device is and where it belongs.
type account struct {
	Identity []byte          // Ed25519 seed
	Hub      string          // host:port
	Pin      [32]byte        // fingerprint of the hub's TLS key
	Org      orglog.Hash     // the organisation's id
	Member   matter.MemberID // whose device this is
	Name     string          // the device's name
	Joined   bool            // the organisation log lists this device
	Invite   []byte          // seed of the invite's key, until joined
}

func (a *account) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(a.Identity) }

func (a *account) device() matter.DeviceID {
	return matter.DeviceOf(a.key().Public().(ed25519.PublicKey))
}

func readAccount(tx *store.Tx) (*account, error) {
	b, err := tx.Setting(accountSetting)
	if errors.Is(err, store.ErrNone) {
		return nil, ErrNoAccount
	}
	if err != nil {
		return nil, err
	}
	a := &account{}
	if err := json.Unmarshal(b, a); err != nil || len(a.Identity) != ed25519.SeedSize {
		return nil, fmt.Errorf("account is damaged: %w", err)
	}
	return a, nil
}

func (a *account) write(tx *store.Tx) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return tx.SetSetting(accountSetting, b)
}
