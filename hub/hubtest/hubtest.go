// Package hubtest runs real hubs inside a test: the product's own, with TLS and a
// database in a temporary folder, at a free port of this machine.
package hubtest

import (
	"context"
	"testing"
	"time"

	"causa/hub"
)

// A Hub is a hub that ends with its test. Its address and pin stay the same over
// [Hub.Restart]. It is for use by one goroutine; the hub inside is not bound by that.
type Hub struct {
	*hub.Hub

	t       testing.TB
	options hub.Options
	served  chan error
}

// Start starts a hub. Options that are left out get values that suit tests: a
// temporary folder, a free port, and rates that no test meets by accident.
func Start(t testing.TB, options ...func(*hub.Options)) *Hub {
	t.Helper()
	fast := hub.Rate{PerSecond: 1e6, Burst: 1e6}
	o := hub.Options{
		Listen: "127.0.0.1:0", Sends: fast, Commits: fast, Claims: fast, Requests: fast, Connections: fast, MaxJoining: 1e6, RestoreGrace: -1,
	}
	for _, set := range options {
		set(&o)
	}
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	h := &Hub{t: t, options: o}
	h.open()
	t.Cleanup(h.Stop)
	return h
}

func (h *Hub) open() {
	h.t.Helper()
	opened, err := hub.Open(h.options)
	if err != nil {
		h.t.Fatalf("open hub: %v", err)
	}
	h.Hub = opened
	h.options.Listen = opened.Addr()
	served := make(chan error, 1)
	h.served = served
	go func() { served <- opened.Serve(context.Background()) }()
}

// Stop stops the hub as its operator would. It does nothing when it is stopped.
func (h *Hub) Stop() {
	h.t.Helper()
	if h.served == nil {
		return
	}
	if err := h.Close(); err != nil {
		h.t.Errorf("close hub: %v", err)
	}
	select {
	case err := <-h.served:
		if err != nil {
			h.t.Errorf("serve: %v", err)
		}
	case <-time.After(30 * time.Second):
		h.t.Error("hub does not stop serving")
	}
	h.served = nil
}

// Restart stops the hub, if it runs, and opens it again on the same folder and at the
// same address.
func (h *Hub) Restart() {
	h.t.Helper()
	h.Stop()
	h.open()
}

// Data returns the hub's data folder.
func (h *Hub) Data() string { return h.options.Data }

// Database returns the URL of the hub's database, if it is not in the folder.
func (h *Hub) Database() string { return h.options.Database }

// Founding returns the founding link of a hub that nobody has founded.
func (h *Hub) Founding() string {
	h.t.Helper()
	link, ok := h.FoundingLink()
	if !ok {
		h.t.Fatal("the hub has an organisation already")
	}
	return link
}
