package hub

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"causa/internal/fault"
)

// acmeFolder holds the account at the authority and what it has issued.
const acmeFolder = "acme"

// acmeProtocol is the protocol by which an authority checks that a name leads here (RFC
// 8737), at the port at which the hub listens.
const acmeProtocol = "acme-tls/1"

// hostName is what a certificate of an authority may be for: wildcards can't be checked
// at a port.
var hostName = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

// ACME says how a hub gets certificates from a public authority by itself (RFC 8555).
// The zero value says that it does not.
//
// Whatever is issued is for the hub's own key, which links pin: so they outlive every
// renewal, and the hub may turn to another authority, or to none.
type ACME struct {
	// Domains are the names that the certificate is for. Each must lead to this hub at
	// port 443.
	Domains []string
	// Email is where the authority writes when something is wrong. It may be empty.
	Email string
	// Directory is the authority's ACME address; empty stands for Let's Encrypt.
	Directory string
	// Roots is a PEM file of the certificates to trust in calling the authority; empty
	// stands for the system's.
	Roots string
	// Agreed says that the operator has agreed to the authority's terms of service.
	Agreed bool
}

// check refuses what can't work.
func (a ACME) check(o Options) error {
	switch {
	case len(a.Domains) == 0:
		return nil
	case o.Certificate != "":
		return &fault.Error{
			Text: "The hub can't use its own certificate and get one from an authority.",
			Hint: "Leave certificate and key empty, or the domains under [acme].",
		}
	case !a.Agreed:
		return &fault.Error{
			Text: "Nobody has agreed to the terms of the certificate authority.",
			Hint: "Read them, then write agree-to-terms = true under [acme] in the configuration file.",
		}
	}
	for _, d := range a.Domains {
		if !hostName.MatchString(d) || certmagic.SubjectIsIP(d) {
			return &fault.Error{
				Text:     "%s is not a name that a certificate can be for.",
				TextArgs: []any{d},
				Hint:     "Write names such as hub.example.com, without a port.",
			}
		}
	}
	return nil
}

// An authority keeps the hub's certificate from a public authority. The hub serves its
// self-signed one until there is one, and whenever there is none that fits its key.
type authority struct {
	own   *tls.Certificate
	key   *ecdsa.PrivateKey
	magic *certmagic.Config
	cache *certmagic.Cache
	stop  context.CancelFunc
}

// GenerateKey implements certmagic.KeyGenerator.
func (a *authority) GenerateKey() (crypto.PrivateKey, error) { return a.key, nil }

// newAuthority prepares to serve; nothing is asked of the authority before start.
func newAuthority(o Options, own *tls.Certificate, listen net.Addr) (*authority, error) {
	key, ok := own.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("the hub's own key is of another kind")
	}
	a := &authority{own: own, key: key}
	host, portText, err := net.SplitHostPort(listen.String())
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	template := certmagic.ACMEIssuer{
		CA: o.ACME.Directory, Email: o.ACME.Email, Agreed: o.ACME.Agreed, Logger: zap.NewNop(),
		DisableHTTPChallenge: true, DisableDistributedSolvers: true,
		ListenHost: host, AltTLSALPNPort: port, // where the hub is already: it answers by itself
	}
	if template.CA == "" {
		template.CA = certmagic.LetsEncryptProductionCA
	}
	if o.ACME.Roots != "" {
		pem, err := os.ReadFile(o.ACME.Roots)
		template.TrustedRoots = x509.NewCertPool()
		if err != nil || !template.TrustedRoots.AppendCertsFromPEM(pem) {
			return nil, &fault.Error{
				Text: "The certificates to trust in calling the authority can't be used.",
				Hint: "Give a PEM file that the hub can read.",
				Err:  err,
			}
		}
	}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		Logger:           zap.NewNop(),
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage:           &certmagic.FileStorage{Path: filepath.Join(o.Data, acmeFolder)},
		KeySource:         a,
		DefaultServerName: o.ACME.Domains[0],
		OCSP:              certmagic.OCSPConfig{DisableStapling: true},
		Logger:            zap.NewNop(),
		OnEvent:           func(_ context.Context, event string, data map[string]any) error { tell(o.Log, event, data); return nil },
	})
	a.magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(a.magic, template)}
	return a, nil
}

// tell logs what the operator should know.
func tell(log *slog.Logger, event string, data map[string]any) {
	switch event {
	case "cert_obtained":
		log.Info("the authority has issued a certificate", "renewal", data["renewal"])
	case "cert_failed":
		log.Warn("the authority issues no certificate", "err", data["error"])
	}
}

// start gets certificates, and renews them, until close.
func (a *authority) start(domains []string) error {
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	if err := a.magic.ManageAsync(ctx, domains); err != nil {
		return fmt.Errorf("manage certificates: %w", err)
	}
	return nil
}

func (a *authority) close() {
	if a.stop != nil {
		a.stop()
	}
	a.cache.Stop()
}

// certificate chooses what a connection is served with.
func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := a.magic.GetCertificate(hello)
	if slices.Contains(hello.SupportedProtos, acmeProtocol) {
		return cert, err
	}
	if err != nil || cert.Leaf == nil || !a.key.PublicKey.Equal(cert.Leaf.PublicKey) {
		return a.own, nil //nolint:nilerr // devices go by the key alone: they are served in any case
	}
	return cert, nil
}
