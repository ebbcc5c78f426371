package core

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/zalando/go-keyring"
)

// A Keystore is the operating system's own place for secrets: what is in it does not go
// along when a folder is copied. It is safe for concurrent use.
type Keystore interface {
	// Secret returns what was put under a name, nil when there is nothing.
	Secret(name string) ([]byte, error)
	// SetSecret puts something under a name.
	SetSecret(name string, secret []byte) error
	// DropSecret takes it away. It is fine if there is nothing.
	DropSecret(name string) error
}

// SystemKeystore returns the keystore of the person who runs this, nil when the system
// has none: a server, a container, a phone of which this program does not know the way in.
func SystemKeystore() Keystore {
	if runtime.GOOS != "windows" && runtime.GOOS != "darwin" && !sessionBus() {
		return nil // asking for one would start a bus
	}
	k := systemKeystore{}
	const probe = "probe"
	if err := k.SetSecret(probe, []byte{1}); err != nil {
		return nil
	}
	if err := k.DropSecret(probe); err != nil {
		return nil
	}
	return k
}

// sessionBus reports whether there is a desktop session that could have a keystore.
func sessionBus() bool {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus"))
	return err == nil
}

type systemKeystore struct{}

const keystoreService = "im.causa.Causa"

func (systemKeystore) Secret(name string) ([]byte, error) {
	s, err := keyring.Get(keystoreService, name)
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(s)
}

func (systemKeystore) SetSecret(name string, secret []byte) error {
	return keyring.Set(keystoreService, name, base64.StdEncoding.EncodeToString(secret))
}

func (systemKeystore) DropSecret(name string) error {
	if err := keyring.Delete(keystoreService, name); !errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	return nil
}
