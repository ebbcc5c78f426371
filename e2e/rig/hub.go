package rig

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// How long a hub may take to say that it listens, and to end after it was asked to.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
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
	o    HubOptions
	addr string // empty before the first start

	cmd    *exec.Cmd // nil while no process runs
	output *output
	exited chan error // gets the process's one result
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
	if h.cmd != nil {
		return errors.New("the hub runs already")
	}
	listen := h.addr
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	args := append([]string{"serve", "--data", h.o.Data, "--listen", listen}, h.o.Args...)
	cmd := exec.CommandContext(ctx, h.o.Program, args...)
	cmd.Env = h.o.Env
	out := newOutput()
	cmd.Stdout, cmd.Stderr = out, out
	// Pipes inherited by a grandchild must not keep Wait from returning.
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the hub: %w", err)
	}
	exited := make(chan error, 1)
	go func() {
		exited <- cmd.Wait()
		out.end()
	}()
	h.cmd, h.output, h.exited = cmd, out, exited

	addr, err := out.find(ctx, startTimeout, addressLine)
	if err != nil {
		err = fmt.Errorf("the hub does not listen: %w\n%s", err, out.String())
		return errors.Join(err, h.Kill())
	}
	h.addr = addr
	return nil
}

// Link is the link that founds the organisation, which a new hub prints.
func (h *Hub) Link(ctx context.Context) (string, error) {
	if h.output == nil {
		return "", errors.New("the hub was never started")
	}
	link, err := h.output.find(ctx, startTimeout, foundingLink)
	if err != nil {
		return "", fmt.Errorf("no founding link: %w\n%s", err, h.output.String())
	}
	return link, nil
}

// Addr is where the hub listens, as host:port.
func (h *Hub) Addr() string { return h.addr }

// Output is everything the current or last process has printed.
func (h *Hub) Output() string {
	if h.output == nil {
		return ""
	}
	return h.output.String()
}

// Running reports whether there is a process that was neither stopped nor killed.
func (h *Hub) Running() bool { return h.cmd != nil }

// Stop asks the hub to end and waits. A hub that does not end by itself, or does not end
// well, gives an error; either way no process is left.
func (h *Hub) Stop() error {
	if h.cmd == nil {
		return errors.New("the hub does not run")
	}
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(fmt.Errorf("stop the hub: %w", err), h.Kill())
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case err := <-h.exited:
		h.cmd = nil
		if err != nil {
			return fmt.Errorf("the hub ended badly: %w\n%s", err, h.Output())
		}
		return nil
	case <-timer.C:
		err := fmt.Errorf("the hub did not end within %v of being asked to", stopTimeout)
		return errors.Join(err, h.Kill())
	}
}

// Kill ends the process at once, as a power cut would, and waits for it to be gone.
// Without a process it does nothing.
func (h *Hub) Kill() error {
	if h.cmd == nil {
		return nil
	}
	err := h.cmd.Process.Kill()
	<-h.exited // the signal's own exit status is what was asked for
	h.cmd = nil
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the hub: %w", err)
	}
	return nil
}

// An output keeps what a process prints and lets others wait for a line of it.
//
// It is safe for concurrent use.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ended bool
	grown chan struct{} // closed and replaced whenever text grows
}

func newOutput() *output { return &output{grown: make(chan struct{})} }

var _ io.Writer = (*output)(nil)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	close(o.grown)
	o.grown = make(chan struct{})
	return n, err
}

// end tells those who wait that nothing more will come.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	close(o.grown)
	o.grown = make(chan struct{})
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits for a whole line that matches and returns the pattern's first group, or the
// match when it has none.
func (o *output) find(ctx context.Context, timeout time.Duration, pattern *regexp.Regexp) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		o.mu.Lock()
		text, ended, grown := bytes.Clone(o.text.Bytes()), o.ended, o.grown
		o.mu.Unlock()

		if end := bytes.LastIndexByte(text, '\n'); end >= 0 {
			lines := bufio.NewScanner(bytes.NewReader(text[:end+1]))
			for lines.Scan() {
				if m := pattern.FindStringSubmatch(lines.Text()); m != nil {
					return m[len(m)-1], nil
				}
			}
			if err := lines.Err(); err != nil {
				return "", err
			}
		}
		if ended {
			return "", errors.New("the process has ended")
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
