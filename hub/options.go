package hub

import (
	"log/slog"
	"time"

	"causa/hub/blob"
)

// DefaultListen is the address a hub listens at when none is given.
const DefaultListen = ":7443"

// Options say how a hub runs. Only Data is needed: every other zero value stands for
// what suits a small company.
type Options struct {
	// Data is the folder that holds everything the hub keeps. It is made when missing.
	Data string
	// Database is the postgres:// URL of a database that other hubs may share. Empty: a
	// file in the data folder.
	Database string
	// Listen is the address to listen at, host:port; a port of 0 takes a free one.
	Listen string
	// PublicURL is where devices reach the hub: an https or wss URL, or host:port. It
	// goes into the founding link. Empty: what Listen says.
	PublicURL string
	// Certificate and Key are PEM files of an own TLS certificate. Empty: a key made
	// at the first start, which links pin.
	Certificate, Key string
	// ACME is for certificates from a public authority.
	ACME ACME
	// NATS is where the hubs that share Database tell each other what is new. Empty: they
	// look for it every few seconds.
	NATS string
	// Log gets what the operator should know. It never gets names, content or keys.
	Log *slog.Logger

	// Metrics is an address at which metrics are served, in the clear and to whoever
	// can reach it: one of this machine. Empty: nowhere.
	Metrics string

	// Vault is the file that holds the hub's halves of the devices' slots. It must not be
	// in any backup: what is destroyed in it has to stay so. Empty: vault/slots.db in the
	// data folder.
	Vault string

	// Retention is how long entries of matters are kept. Zero: for ever.
	Retention time.Duration

	// Bucket is where encrypted files are kept. Empty: in the data folder.
	Bucket blob.S3Options
	// BlobsPerDevice and BlobsTotal are how many bytes of files one device may have
	// here, and all together.
	BlobsPerDevice, BlobsTotal int64
	// BlobExpiry is how long an unfinished upload, or a file that no message names, is
	// kept.
	BlobExpiry time.Duration

	// WakeHosts are the hosts (HOST, or HOST:PORT where it is not 443) at which devices
	// may be woken over HTTPS. Empty: nowhere.
	WakeHosts []string
	// WakePrivate allows addresses of private networks and this machine, and HTTP.
	WakePrivate bool
	// RestoreGrace is how long a hub that was restored from a backup takes nothing new
	// after a start, so that devices can first offer again what it has lost. Negative:
	// not at all.
	RestoreGrace time.Duration

	// Rates of one device.
	Sends    Rate // messages handed over
	Commits  Rate // changes of matters, of the organisation log and of its key packages
	Claims   Rate // key packages claimed
	Requests Rate // everything else

	// Connections are those of one address (of one /64 network in IPv6).
	Connections Rate
	// MaxJoining is how many connections may be there without a sign-in: of one
	// address, and sixteen times that in all.
	MaxJoining int

	// PingEvery is how long a connection may be silent before the hub pings it. It is
	// closed after three times that.
	PingEvery time.Duration

	now func() time.Time // for tests
}

func (o Options) place() Place { return Place{Data: o.Data, Database: o.Database} }

// A Rate is how often something may be done: Burst at once, PerSecond in the long run.
type Rate struct {
	PerSecond float64
	Burst     float64
}

func (r Rate) or(perSecond, burst float64) Rate {
	if r.PerSecond <= 0 {
		r.PerSecond = perSecond
	}
	if r.Burst < 1 {
		r.Burst = max(burst, r.PerSecond)
	}
	return r
}

// Defaults returns the options that a hub runs with when nothing is said.
func Defaults() Options { return Options{}.withDefaults() }

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Sends = o.Sends.or(50, 200)
	o.Commits = o.Commits.or(10, 100)
	o.Claims = o.Claims.or(100, 2000)
	o.Requests = o.Requests.or(200, 2000)
	o.Connections = o.Connections.or(100, 1000)
	if o.BlobsPerDevice <= 0 {
		o.BlobsPerDevice = 20 << 30
	}
	if o.BlobsTotal <= 0 {
		o.BlobsTotal = 1 << 40
	}
	if o.BlobExpiry <= 0 {
		o.BlobExpiry = 7 * 24 * time.Hour
	}
	if o.MaxJoining <= 0 {
		o.MaxJoining = 256
	}
	if o.RestoreGrace == 0 {
		o.RestoreGrace = time.Minute
	}
	if o.PingEvery <= 0 {
		o.PingEvery = 30 * time.Second
	}
	if o.now == nil {
		o.now = time.Now
	}
	return o
}
