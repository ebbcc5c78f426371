package hub

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"causa/internal/fault"
	"causa/wire"
)

// keyFile holds the hub's own TLS key. Links pin it: without it, every device has to
// be invited anew.
const keyFile = "tls-key.pem"

// certificate returns the hub's TLS certificate and its pin: the operator's own, or
// one made at every start for the key in the data folder.
func certificate(o Options) (tls.Certificate, [32]byte, error) {
	if o.Certificate != "" || o.Key != "" {
		cert, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
		if err != nil {
			return tls.Certificate{}, [32]byte{}, &fault.Error{
				Text: "The TLS certificate or its key can't be used.",
				Hint: "Give both as PEM files that belong together, and let the hub read them.",
				Err:  err,
			}
		}
		return cert, wire.PinOf(cert.Leaf.RawSubjectPublicKeyInfo), nil
	}
	key, err := ownKey(filepath.Join(o.Data, keyFile))
	if err != nil {
		return tls.Certificate{}, [32]byte{}, err
	}
	cert, err := selfSigned(key, o.now())
	if err != nil {
		return tls.Certificate{}, [32]byte{}, err
	}
	return cert, wire.PinOf(cert.Leaf.RawSubjectPublicKeyInfo), nil
}

// ownKey reads the hub's key or, at the first start, makes it.
func ownKey(path string) (*ecdsa.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read TLS key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, damagedKey(errors.New("no PEM block"))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, damagedKey(err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, damagedKey(errors.New("not an ECDSA key"))
	}
	return key, nil
}

func damagedKey(err error) error {
	return &fault.Error{
		Text: "The hub's own TLS key in the data folder is damaged.",
		Hint: "Restore tls-key.pem from a backup: all devices know the hub by this key.",
		Err:  err,
	}
}

func makeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make TLS key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make TLS key: %w", err)
	}
	if err := writeFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, fmt.Errorf("keep TLS key: %w", err)
	}
	return key, nil
}

// selfSigned makes a certificate for a key. Devices go by the pin alone, so its names
// and dates are only for tools that insist on them.
func selfSigned(key *ecdsa.PrivateKey, now time.Time) (tls.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Causa hub"},
		DNSNames:     []string{"localhost"},
		NotBefore:    now.AddDate(0, 0, -1),
		NotAfter:     now.AddDate(20, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// writeFile puts a file in place whole or not at all, readable by its owner alone.
func writeFile(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // the first error counts
			_ = os.Remove(f.Name()) // nothing of use is in it
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
