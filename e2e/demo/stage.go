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
)

// A stage is where the demonstration happens: a folder with the hub's data and one home
// for each person.
type stage struct {
	bin, dir string
	hub      *exec.Cmd
	talkers  []*talker
}

func (s *stage) hubDir() string            { return filepath.Join(s.dir, "hub") }
func (s *stage) home(person string) string { return filepath.Join(s.dir, person) }

// startHub starts the hub on a free port of this computer and returns its founding link.
func (s *stage) startHub(ctx context.Context) (link string, err error) {
	s.hub = exec.CommandContext(ctx, filepath.Join(s.bin, "causa-hub"), "serve", "--data", s.hubDir(), "--listen", "127.0.0.1:0")
	out, err := s.hub.StdoutPipe()
	if err != nil {
		return "", err
	}
	s.hub.Stderr = os.Stderr
	if err := s.hub.Start(); err != nil {
		s.hub = nil
		return "", err
	}
	found := make(chan string, 1)
	go func() {
		defer close(found)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if i := strings.Index(lines.Text(), "causa://found?"); i >= 0 {
				found <- strings.Fields(lines.Text()[i:])[0]
			}
		}
	}()
	select {
	case link, ok := <-found:
		if !ok {
			return "", errors.New("the hub did not start")
		}
		return link, nil
	case <-time.After(patience):
		return "", errors.New("the hub printed no founding link")
	}
}

// stopHub ends the hub as an operator would and waits for it.
func (s *stage) stopHub() error {
	if s.hub == nil {
		return nil
	}
	hub := s.hub
	s.hub = nil
	if err := hub.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return hub.Wait()
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
	_ = s.hub.Process.Kill() // an error of the demonstration is being reported already
	_ = s.hub.Wait()
	return nil
}

// ctl runs one command of a person's causactl and returns what it prints.
func (s *stage) ctl(ctx context.Context, person string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "causactl"), append([]string{"--home", s.home(person)}, args...)...)
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
	t.cmd = exec.CommandContext(ctx, filepath.Join(s.bin, "causactl"), "--json", "--home", s.home(person), "talk", matter)
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
	for range t.heard { //nolint:revive // drains what is left
	}
	return t.cmd.Wait()
}
