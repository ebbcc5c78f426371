package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"causa/e2e/rig"
)

// A stage is where the demonstration happens: a folder with the hub's data and one home
// for each person.
type stage struct {
	dir      string
	programs rig.Programs
	hub      *rig.Hub
	talkers  []*talker
}

func (s *stage) hubDir() string            { return filepath.Join(s.dir, "hub") }
func (s *stage) home(person string) string { return filepath.Join(s.dir, person) }

// startHub starts the hub on a free port of this computer and returns its founding link.
func (s *stage) startHub(ctx context.Context) (link string, err error) {
	if s.hub, err = rig.StartHub(ctx, rig.HubOptions{Program: s.programs.Hub, Data: s.hubDir()}); err != nil {
		return "", err
	}
	return s.hub.Link(ctx)
}

// close ends whatever is still running.
func (s *stage) close() error {
	for _, t := range s.talkers {
		_ = t.cmd.Process.Kill() // it may have ended already
		_ = t.cmd.Wait()
	}
	if s.hub == nil {
		return nil
	}
	return s.hub.Kill()
}

// ctl runs one command of a person's causactl and returns what it prints.
func (s *stage) ctl(ctx context.Context, person string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	cmd := exec.CommandContext(ctx, s.programs.Causactl, append([]string{"--home", s.home(person)}, args...)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: causactl %s: %w: %s", person, args[0], err, errOut.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// A talker is a person's causactl talk.
type talker struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	heard chan message
}

type message struct {
	Seq    uint64    `json:"seq"`
	Time   time.Time `json:"time"`
	Author string    `json:"author"`
	Text   string    `json:"text"`
}

func (s *stage) talk(ctx context.Context, person, matter string) (*talker, error) {
	t := &talker{heard: make(chan message, 100)}
	t.cmd = exec.CommandContext(ctx, s.programs.Causactl, "--json", "--home", s.home(person), "talk", matter)
	t.cmd.Stderr = os.Stderr
	in, err := t.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.in = in
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	s.talkers = append(s.talkers, t)
	go func() {
		defer close(t.heard)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var m message
			if json.Unmarshal(lines.Bytes(), &m) == nil && m.Text != "" && m.Seq > 0 {
				t.heard <- m
			}
		}
	}()
	return t, nil
}

func (t *talker) say(text string) error {
	_, err := fmt.Fprintln(t.in, text)
	return err
}

// hear waits until the talker's screen shows a text.
func (t *talker) hear(ctx context.Context, text string) (message, error) {
	timeout := time.After(patience)
	for {
		select {
		case m, ok := <-t.heard:
			if !ok {
				return m, errors.New("the process has ended")
			}
			if m.Text == text {
				return m, nil
			}
		case <-timeout:
			return message{}, errors.New("nothing came")
		case <-ctx.Done():
			return message{}, ctx.Err()
		}
	}
}

// end closes the talker's input and waits until its process has ended.
func (t *talker) end() error {
	if err := t.in.Close(); err != nil {
		return err
	}
	for range t.heard {
		// What is left was heard before.
	}
	return t.cmd.Wait()
}
