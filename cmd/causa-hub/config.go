package main

import (
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"

	"causa/hub"
	"causa/hub/blob"
	"causa/internal/fault"
)

// defaultConfig is the configuration file with every setting at its default.
//
//go:embed hub.toml
var defaultConfig string

// settings are what serve is told: the file's, and the command line's over them.
type settings struct {
	hub.Options
	level  slog.Level
	config string
}

// A file is the configuration file.
type file struct {
	Data        string `toml:"data"`
	Database    string `toml:"database"`
	Listen      string `toml:"listen"`
	PublicURL   string `toml:"public-url"`
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	Metrics     string `toml:"metrics"`
	Retention   int    `toml:"retention-days"`
	Vault       string `toml:"vault"`
	Grace       int    `toml:"restore-grace-seconds"`
	NATS        string `toml:"nats"`
	LogLevel    string `toml:"log-level"`
	Wake        struct {
		Hosts   []string `toml:"hosts"`
		Private bool     `toml:"private"`
	} `toml:"wake"`
	Files struct {
		PerDevice int    `toml:"per-device-gib"`
		Total     int    `toml:"total-gib"`
		Expire    int    `toml:"expire-days"`
		Endpoint  string `toml:"s3-endpoint"`
		Bucket    string `toml:"s3-bucket"`
		Prefix    string `toml:"s3-prefix"`
		Region    string `toml:"s3-region"`
		Access    string `toml:"s3-access-key"`
		Secret    string `toml:"s3-secret-key-file"`
		Plain     bool   `toml:"s3-without-tls"`
	} `toml:"files"`
	ACME struct {
		Domains   []string `toml:"domains"`
		Email     string   `toml:"email"`
		Directory string   `toml:"directory"`
		Roots     string   `toml:"roots"`
		Agreed    bool     `toml:"agree-to-terms"`
	} `toml:"acme"`
	Limits struct {
		Sends       []float64 `toml:"sends"`
		Commits     []float64 `toml:"commits"`
		Claims      []float64 `toml:"claims"`
		Requests    []float64 `toml:"requests"`
		Connections []float64 `toml:"connections"`
		Joining     int       `toml:"joining"`
	} `toml:"limits"`
}

// maxRetention is the most days that retention-days can say.
const maxRetention = 36500

// maxGrace is the most seconds that restore-grace-seconds can say.
const maxGrace = 3600

// A usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func serveFlags(s *settings) *pflag.FlagSet {
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.Usage = func() {}
	fs.StringVar(&s.Data, "data", "", "folder for everything the hub keeps; made when missing")
	fs.StringVar(&s.Database, "database", "", "postgres:// URL of a database that hubs share (default: a file in the data folder)")
	fs.StringVar(&s.NATS, "nats", "", "nats:// URL at which hubs that share a database tell each other what is new")
	fs.StringVar(&s.Listen, "listen", "", "address to listen at (default \""+hub.DefaultListen+"\")")
	fs.StringVar(&s.PublicURL, "public-url", "", "where devices reach the hub: https://HOST[:PORT] or HOST:PORT")
	fs.StringVar(&s.Certificate, "certificate", "", "PEM file of an own TLS certificate (default: one made by the hub)")
	fs.StringVar(&s.Key, "key", "", "PEM file of the certificate's key")
	fs.StringVar(&s.Metrics, "metrics", "", "address of this machine for Prometheus metrics, as localhost:9464 (default: none)")
	fs.StringVar(&s.config, "config", "", "configuration file; flags go over it")
	return fs
}

// parseServe reads serve's command line and the configuration file that it names.
func parseServe(args []string) (*settings, error) {
	s := new(settings)
	fs := serveFlags(s)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil, err
		}
		return nil, &usageError{err}
	}
	if fs.NArg() > 0 {
		return nil, &usageError{fmt.Errorf("unexpected argument %q", fs.Arg(0))}
	}
	if s.config != "" {
		if err := s.readFile(fs); err != nil {
			return nil, err
		}
	}
	if s.Data == "" {
		return nil, &usageError{errors.New("serve needs --data DIR")}
	}
	if (s.Certificate == "") != (s.Key == "") {
		return nil, &usageError{errors.New("--certificate and --key belong together")}
	}
	return s, nil
}

// readFile fills in what the command line leaves open.
func (s *settings) readFile(fs *pflag.FlagSet) error {
	bad := func(err error) error {
		return &fault.Error{
			Text:     "The configuration file %s can't be used: %s.",
			TextArgs: []any{s.config, err.Error()},
			Hint:     "Run causa-hub config to see a complete one.",
			Err:      err,
		}
	}
	var f file
	meta, err := toml.DecodeFile(s.config, &f)
	if err != nil {
		return bad(err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return bad(fmt.Errorf("it has an unknown setting %q", unknown[0].String()))
	}
	for _, o := range []struct {
		flag string
		to   *string
		from string
	}{
		{"data", &s.Data, f.Data},
		{"database", &s.Database, f.Database},
		{"nats", &s.NATS, f.NATS},
		{"listen", &s.Listen, f.Listen},
		{"public-url", &s.PublicURL, f.PublicURL},
		{"certificate", &s.Certificate, f.Certificate},
		{"key", &s.Key, f.Key},
		{"metrics", &s.Metrics, f.Metrics},
	} {
		if !fs.Changed(o.flag) {
			*o.to = o.from
		}
	}
	if f.LogLevel != "" {
		if err := s.level.UnmarshalText([]byte(strings.ToUpper(f.LogLevel))); err != nil {
			return bad(err)
		}
	}
	for _, r := range []struct {
		name string
		to   *hub.Rate
		from []float64
	}{
		{"sends", &s.Sends, f.Limits.Sends},
		{"commits", &s.Commits, f.Limits.Commits},
		{"claims", &s.Claims, f.Limits.Claims},
		{"requests", &s.Requests, f.Limits.Requests},
		{"connections", &s.Connections, f.Limits.Connections},
	} {
		if r.from == nil {
			continue
		}
		if len(r.from) != 2 || !(r.from[0] > 0) || !(r.from[1] >= 1) {
			return bad(fmt.Errorf("limits.%s is not [per second, at once] with at least 1 at once", r.name))
		}
		*r.to = hub.Rate{PerSecond: r.from[0], Burst: r.from[1]}
	}
	if f.Grace < 0 || f.Grace > maxGrace {
		return bad(fmt.Errorf("restore-grace-seconds is not between 0 and %d", maxGrace))
	}
	if s.RestoreGrace = time.Duration(f.Grace) * time.Second; meta.IsDefined("restore-grace-seconds") && f.Grace == 0 {
		s.RestoreGrace = -1
	}
	s.ACME = hub.ACME(f.ACME)
	if f.Retention < 0 || f.Retention > maxRetention {
		return bad(fmt.Errorf("retention-days is not between 0 and %d", maxRetention))
	}
	s.Vault = f.Vault
	s.Retention = time.Duration(f.Retention) * 24 * time.Hour
	if err := s.readFiles(&f); err != nil {
		return bad(err)
	}
	for _, host := range f.Wake.Hosts {
		if u, err := url.Parse("https://" + host); err != nil || u.Host != host || u.Hostname() == "" {
			return bad(fmt.Errorf("wake.hosts: %q is neither HOST nor HOST:PORT", host))
		}
	}
	s.WakeHosts, s.WakePrivate = f.Wake.Hosts, f.Wake.Private
	if f.Limits.Joining < 0 {
		return bad(errors.New("limits.joining is negative"))
	}
	s.MaxJoining = f.Limits.Joining
	return nil
}

// readFiles takes over where encrypted files are kept, and how much.
func (s *settings) readFiles(f *file) error {
	for _, n := range []struct {
		name     string
		from, to int
	}{
		{"per-device-gib", f.Files.PerDevice, 1 << 30},
		{"total-gib", f.Files.Total, 1 << 30},
		{"expire-days", f.Files.Expire, maxRetention},
	} {
		if n.from < 0 || n.from > n.to {
			return fmt.Errorf("files.%s is not between 0 and %d", n.name, n.to)
		}
	}
	s.BlobsPerDevice, s.BlobsTotal = int64(f.Files.PerDevice)<<30, int64(f.Files.Total)<<30
	s.BlobExpiry = time.Duration(f.Files.Expire) * 24 * time.Hour
	if f.Files.Bucket == "" {
		return nil
	}
	if f.Files.Endpoint == "" || f.Files.Access == "" || f.Files.Secret == "" {
		return errors.New("files.s3-bucket needs s3-endpoint, s3-access-key and s3-secret-key-file")
	}
	secret, err := os.ReadFile(f.Files.Secret)
	if err != nil {
		return fmt.Errorf("files.s3-secret-key-file: %w", err)
	}
	s.Bucket = blob.S3Options{
		Endpoint: f.Files.Endpoint, Bucket: f.Files.Bucket, Prefix: f.Files.Prefix, Region: f.Files.Region,
		Access: f.Files.Access, Secret: strings.TrimSpace(string(secret)), Plain: f.Files.Plain,
	}
	return nil
}
