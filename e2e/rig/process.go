package rig

import (
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

// How long a process may take to say what is waited for, and to end after it was asked
// to.
const (
	findTimeout = 30 * time.Second
	stopTimeout = 15 * time.Second
)

// A Process is a program that runs until it is told to end. It is not safe for
// concurrent use.
type Process struct {
	cmd    *exec.Cmd
	output *output
	exited chan error // gets the one result
	ended  bool
}

// StartProcess starts cmd, whose outputs it collects.
func StartProcess(cmd *exec.Cmd) (*Process, error) {
	out := newOutput()
	cmd.Stdout, cmd.Stderr = out, out
	// Pipes inherited by a grandchild must not keep Wait from returning.
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, output: out, exited: make(chan error, 1)}
	go func() {
		p.exited <- cmd.Wait()
		out.end()
	}()
	return p, nil
}

// Find waits until the process has printed a whole line that matches, and returns the
// pattern's last group, or the match when it has none.
func (p *Process) Find(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	found, err := p.output.find(ctx, findTimeout, pattern)
	if err != nil {
		return "", fmt.Errorf("no line matches %#q: %w\n%s", pattern, err, p.output)
	}
	return found, nil
}

// Output is everything the process has printed.
func (p *Process) Output() string { return p.output.String() }

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Running reports whether the process was neither stopped nor killed.
func (p *Process) Running() bool { return !p.ended }

// Stop asks the process to end and waits. One that does not end by itself, or does not
// end well, gives an error; either way it is gone.
func (p *Process) Stop() error {
	if p.ended {
		return errors.New("the process was ended before")
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(err, p.Kill())
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case err := <-p.exited:
		p.ended = true
		if err != nil {
			return fmt.Errorf("it ended badly: %w\n%s", err, p.output)
		}
		return nil
	case <-timer.C:
		err := fmt.Errorf("it did not end within %v of being asked to", stopTimeout)
		return errors.Join(err, p.Kill())
	}
}

// Kill ends the process at once, as a power cut would, and waits for it to be gone. When
// it is gone already, Kill does nothing.
func (p *Process) Kill() error {
	if p.ended {
		return nil
	}
	err := p.cmd.Process.Kill()
	_ = p.wait() // the signal's own exit status is what was asked for
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// wait waits until the process is gone and returns how it ended.
func (p *Process) wait() error {
	err := <-p.exited
	p.ended = true
	return err
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

func (o *output) find(ctx context.Context, timeout time.Duration, pattern *regexp.Regexp) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		o.mu.Lock()
		text, ended, grown := bytes.Clone(o.text.Bytes()), o.ended, o.grown
		o.mu.Unlock()

		// What follows the last line end may be half a line.
		for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
			if m := pattern.FindSubmatch(bytes.TrimRight(line, "\r\n")); m != nil {
				return string(m[len(m)-1]), nil
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
