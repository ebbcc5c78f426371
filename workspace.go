package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"causa/hub"
	"causa/internal/fault"
)

// A workspace is the hub that this computer may be for an organisation created on it.
// It lives in the folder hub of the home, and runs while the app does.
type workspace struct {
	home string
	flag string // --listen
	log  *slog.Logger

	mu    sync.Mutex // guards stop and ended
	stop  context.CancelFunc
	ended chan struct{} // closed when the hub has stopped
}

// Where the hub listens and is reached, kept beside its data: devices know it by this
// address, so that it has to stay.
type place struct {
	Listen  string
	Address string
}

func newWorkspace(home, listen string, log *slog.Logger) *workspace {
	return &workspace{home: home, flag: listen, log: log}
}

func (w *workspace) file() string { return filepath.Join(w.home, "workspace.json") }

// Suggest returns the address under which colleagues can probably reach this computer.
func (w *workspace) Suggest() string {
	if w.flag != "" {
		return w.flag
	}
	if p, err := w.read(); err == nil {
		return p.Address // the hub was made, and its founder has not joined yet
	}
	port := "7443"
	if l, err := net.Listen("tcp", ":"+port); err != nil { //nolint:noctx // a moment, to see whether the port is free
		if l, err := net.Listen("tcp", ":0"); err == nil { //nolint:noctx // likewise
			_, port, _ = net.SplitHostPort(l.Addr().String())
			_ = l.Close() // only its number was wanted
		}
	} else {
		_ = l.Close() // it was only a question
	}
	return net.JoinHostPort(ownAddress(), port)
}

// ownAddress returns this computer's address in the local network. Nothing is sent:
// connecting a UDP socket only makes the system choose a way.
func ownAddress() string {
	c, err := net.Dial("udp", "192.0.2.1:9") //nolint:noctx // returns at once
	if err != nil {
		return "127.0.0.1"
	}
	defer func() { _ = c.Close() }()
	if a, ok := c.LocalAddr().(*net.UDPAddr); ok && !a.IP.IsUnspecified() {
		return a.IP.String()
	}
	return "127.0.0.1"
}

// Start starts the hub so that it is reached at address, and returns the link with
// which its founder joins.
func (w *workspace) Start(_ context.Context, address string) (link string, err error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", &fault.Error{Text: "“%s” is not an address.", TextArgs: []any{address}, Hint: "Write it as a name or number, a colon and a port, such as 192.168.1.20:7443.", Err: err}
	}
	p := place{Listen: net.JoinHostPort("", port), Address: address}
	if w.flag != "" {
		p.Listen = w.flag
	}
	h, err := w.open(p)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(p)
	if err == nil {
		err = os.WriteFile(w.file(), b, 0o600)
	}
	if err != nil {
		w.close()
		return "", fmt.Errorf("keep the hub's address: %w", err)
	}
	link, ok := h.FoundingLink()
	if !ok {
		return "", &fault.Error{Text: "An organisation was founded on this computer already.", Hint: "Ask its owner for an invite, or use another folder."}
	}
	return link, nil
}

func (w *workspace) read() (p place, err error) {
	b, err := os.ReadFile(w.file())
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	return p, err
}

// resume starts the hub again if there is one.
func (w *workspace) resume() error {
	p, err := w.read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the hub's address: %w", err)
	}
	_, err = w.open(p)
	return err
}

// open runs the hub; one that runs already is closed first.
func (w *workspace) open(p place) (*hub.Hub, error) {
	w.close()
	h, err := hub.Open(hub.Options{Data: filepath.Join(w.home, "hub"), Listen: p.Listen, PublicURL: p.Address, Log: w.log.With("part", "hub")})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	w.mu.Lock()
	w.stop, w.ended = stop, ended
	w.mu.Unlock()
	go func() {
		defer close(ended)
		if err := h.Serve(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("serve the hub", "err", err)
		}
	}()
	return h, nil
}

// close stops the hub and waits for it.
func (w *workspace) close() {
	w.mu.Lock()
	stop, ended := w.stop, w.ended
	w.stop, w.ended = nil, nil
	w.mu.Unlock()
	if stop != nil {
		stop()
		<-ended
	}
}
