package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
)

var (
	addressLine  = regexp.MustCompile(`\blistening on .*?\b(127\.0\.0\.1:[0-9]+)\b`)
	foundingLink = regexp.MustCompile(`causa://found\?\S+`)
)

// HubOptions say how to run a hub.
type HubOptions struct {
	Program string   // path of causa-hub
	Data    string   // its data folder
	Env     []string // nil: this process's environment
	Args    []string // further arguments of "serve"
}

// A Hub is one causa-hub and its process, which may be ended and started again. It
// listens on 127.0.0.1, at a port that stays the same.
//
// A Hub is not safe for concurrent use.
type Hub struct {
	o       HubOptions
	addr    string   // empty before the first start
	process *Process // the current or last one
}

// StartHub starts a hub and waits until it listens. The process ends with ctx at the
// latest.
func StartHub(ctx context.Context, o HubOptions) (*Hub, error) {
	h := &Hub{o: o}
	if err := h.Start(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// Start starts a hub that was stopped or killed, on the port it had.
func (h *Hub) Start(ctx context.Context) error {
	if h.Running() {
		return errors.New("the hub runs already")
	}
	listen := h.addr
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	args := append([]string{"serve", "--data", h.o.Data, "--listen", listen}, h.o.Args...)
	cmd := exec.CommandContext(ctx, h.o.Program, args...)
	cmd.Env = h.o.Env
	process, err := StartProcess(cmd)
	if err != nil {
		return fmt.Errorf("start the hub: %w", err)
	}
	h.process = process
	addr, err := process.Find(ctx, addressLine)
	if err != nil {
		return errors.Join(fmt.Errorf("the hub does not listen: %w", err), process.Kill())
	}
	h.addr = addr
	return nil
}

// Link is the link that founds the organisation, which a new hub prints.
func (h *Hub) Link(ctx context.Context) (string, error) {
	if h.process == nil {
		return "", errors.New("the hub was never started")
	}
	return h.process.Find(ctx, foundingLink)
}

// Addr is where the hub listens, as host:port.
func (h *Hub) Addr() string { return h.addr }

// PID is the current or last process's number.
func (h *Hub) PID() int { return h.process.PID() }

// Output is everything the current or last process has printed.
func (h *Hub) Output() string {
	if h.process == nil {
		return ""
	}
	return h.process.Output()
}

// Running reports whether there is a process that was neither stopped nor killed.
func (h *Hub) Running() bool { return h.process != nil && h.process.Running() }

// Stop asks the hub to end and waits. A hub that does not end by itself, or does not end
// well, gives an error; either way no process is left.
func (h *Hub) Stop() error {
	if !h.Running() {
		return errors.New("the hub does not run")
	}
	if err := h.process.Stop(); err != nil {
		return fmt.Errorf("stop the hub: %w", err)
	}
	return nil
}

// Kill ends the process at once, as a power cut would, and waits for it to be gone.
// Without a process it does nothing.
func (h *Hub) Kill() error {
	if !h.Running() {
		return nil
	}
	if err := h.process.Kill(); err != nil {
		return fmt.Errorf("kill the hub: %w", err)
	}
	return nil
}
