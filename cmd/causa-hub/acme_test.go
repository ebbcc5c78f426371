package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"causa/hub"
	"causa/hub/hubtest"
	"causa/wire"
)

const acmeDomain = "hub.example.com"

// newAuthority runs Let's Encrypt's own test authority, whose certificates are good for
// a few seconds and who finds acmeDomain on this machine at a port. It returns its
// directory's address and a file of the root to call it with.
func newAuthority(t *testing.T, port int) (directory, roots string) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default", ValidityPeriod: 4}})
	front := wfe.New(quiet, store, va.New(quiet, 0, port, false, newResolver(t), store), issuer, []string{"pebble"}, false, false, 1, 1)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	roots = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL + wfe.DirectoryPath, roots
}

// newResolver runs a name server for which every name is this machine.
func newResolver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = []dns.RR{&dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
				A:   net.IPv4(127, 0, 0, 1),
			}}
		}
		_ = w.WriteMsg(m) // who asked may be gone
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.ActivateAndServe() }) // ends with Shutdown
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return l.Addr().String()
}

// served is the certificate that a hub shows.
func served(t *testing.T, addr string) *x509.Certificate {
	t.Helper()
	d := tls.Dialer{Config: &tls.Config{ServerName: acmeDomain, InsecureSkipVerify: true}} //nolint:gosec // what it shows is looked at
	c, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }() // nothing was said
	conn, ok := c.(*tls.Conn)
	if !ok {
		t.Fatal("a TLS connection is something else")
	}
	return conn.ConnectionState().PeerCertificates[0]
}

// awaitCertificate waits for the hub to show a certificate of the authority's that is
// another than one it showed before.
func awaitCertificate(t *testing.T, addr string, before *x509.Certificate) *x509.Certificate {
	t.Helper()
	for range 300 {
		cert := served(t, addr)
		if strings.HasPrefix(cert.Issuer.CommonName, "Pebble") && (before == nil || !cert.Equal(before)) {
			return cert
		}
		time.Sleep(100 * time.Millisecond) // another process's work: nothing tells when it is done
	}
	t.Fatal("the authority's certificate is not served")
	return nil
}

// A hub gets its certificate from an authority and renews it, all for one key: a link
// made before the first certificate is good after the second.
func TestACME(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("a TCP address is something else")
	}
	directory, roots := newAuthority(t, tcp.Port)
	data, config := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "hub.toml")
	text := fmt.Sprintf("data = %q\nlisten = %q\n[acme]\ndomains = [%q]\ndirectory = %q\nroots = %q\nagree-to-terms = true\n", data, addr, acmeDomain, directory, roots)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := parseServe([]string{"--config", config})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil { // the hub takes its place
		t.Fatal(err)
	}
	h := hubtest.Start(t, func(o *hub.Options) { o.Data, o.Listen, o.ACME = s.Data, s.Listen, s.ACME })
	company, _, err := hubtest.Found(h.Addr(), h.Founding())
	if err != nil {
		t.Fatal(err)
	}
	first := awaitCertificate(t, addr, nil)
	pin := h.Pin()
	if wire.PinOf(first.RawSubjectPublicKeyInfo) != pin || first.VerifyHostname(acmeDomain) != nil {
		t.Error("the certificate is for another key or name")
	}
	time.Sleep(time.Until(first.NotAfter) + time.Second) // until it is due to be renewed
	h.Restart()
	second := awaitCertificate(t, addr, first)
	if h.Pin() != pin || wire.PinOf(second.RawSubjectPublicKeyInfo) != pin {
		t.Error("a renewed certificate is for another key")
	}
	p, _, err := company.Owner().Connect()
	if err != nil {
		t.Fatalf("connect after a renewal: %v", err)
	}
	p.Close()

	info, err := os.Stat(filepath.Join(data, "acme"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the folder of certificates: %v, %v", info, err)
	}
}

// While the authority can't be reached, devices are served all the same.
func TestACMEWithoutAuthority(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	h := hubtest.Start(t, func(o *hub.Options) {
		o.ACME = hub.ACME{Domains: []string{acmeDomain}, Directory: dead.URL, Agreed: true}
	})
	if _, _, err := hubtest.Found(h.Addr(), h.Founding()); err != nil {
		t.Fatal(err)
	}
	if got := wire.PinOf(served(t, h.Addr()).RawSubjectPublicKeyInfo); got != h.Pin() {
		t.Error("another key is served")
	}
}

func TestACMERefusals(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	tests := []struct{ name, config, want string }{
		{"terms not agreed to", "domains = ['hub.example.com']", "Nobody has agreed to the terms"},
		{"an address", "domains = ['127.0.0.1']\nagree-to-terms = true", "127.0.0.1 is not a name"},
		{"a wildcard", "domains = ['*.example.com']\nagree-to-terms = true", "is not a name"},
		{"a port", "domains = ['hub.example.com:443']\nagree-to-terms = true", "is not a name"},
		{"no roots", "domains = ['hub.example.com']\nroots = 'none.pem'\nagree-to-terms = true", "The certificates to trust"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "hub.toml")
			if err := os.WriteFile(config, []byte("listen = '127.0.0.1:0'\n[acme]\n"+tt.config), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if code := run(context.Background(), []string{"serve", "--config", config, "--data", filepath.Join(t.TempDir(), "data")}, &out, &out); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("output %q does not have %q", out.String(), tt.want)
			}
		})
	}
}
