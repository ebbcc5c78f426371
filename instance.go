package main

import (
	"bufio"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// An instance is how a second start of the app finds the first one of the same home, and
// hands over the link it was started with. The file instance.json in the home says where
// the first listens, on this computer only, and a word that whoever calls must know.
type instance struct {
	listener net.Listener
	file     string
	word     string
	open     func(link string) // called on a goroutine of its own
	log      *slog.Logger
	calls    sync.WaitGroup
}

// A card is what instance.json says.
type card struct{ Address, Word string }

// A call is what a second start says, in one line.
type call struct{ Word, Link string }

const (
	callLimit   = 16 << 10
	callTimeout = 3 * time.Second
	callTaken   = "taken\n"
)

func cardFile(home string) string { return filepath.Join(home, "instance.json") }

// handOver has the app that is open on a home come to the front and take a link, and
// reports whether there was one.
func handOver(home, link string) bool {
	b, err := os.ReadFile(cardFile(home))
	if err != nil {
		return false
	}
	var at card
	if err := json.Unmarshal(b, &at); err != nil || at.Word == "" {
		return false
	}
	c, err := net.DialTimeout("tcp", at.Address, callTimeout) //nolint:noctx // it has a timeout
	if err != nil {
		return false // it crashed
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(callTimeout)); err != nil {
		return false
	}
	if err := json.NewEncoder(c).Encode(call{at.Word, link}); err != nil {
		return false
	}
	answer, err := bufio.NewReader(io.LimitReader(c, int64(len(callTaken)))).ReadString('\n')
	return err == nil && answer == callTaken
}

// listen lets later starts find this one. Without it there is only less comfort, so that
// a failure is none of the app.
func listen(home string, log *slog.Logger, open func(link string)) *instance {
	i := &instance{file: cardFile(home), word: rand.Text(), open: open, log: log}
	if err := i.start(home); err != nil {
		log.Warn("listen for a second start", "err", err)
	}
	return i
}

func (i *instance) start(home string) (err error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	if i.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // returns at once
		return err
	}
	b, err := json.Marshal(card{i.listener.Addr().String(), i.word})
	if err == nil {
		err = os.WriteFile(i.file+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(i.file+".new", i.file)
	}
	if err != nil {
		return errors.Join(err, i.listener.Close())
	}
	i.calls.Go(func() {
		for {
			c, err := i.listener.Accept()
			if err != nil {
				return // closed
			}
			if err := i.answer(c); err != nil {
				i.log.Warn("answer a second start", "err", err)
			}
		}
	})
	return nil
}

// answer takes one call. One after the other is enough for people.
func (i *instance) answer(c net.Conn) error {
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(callTimeout)); err != nil {
		return err
	}
	line, err := bufio.NewReader(io.LimitReader(c, callLimit)).ReadBytes('\n')
	if err != nil {
		return err
	}
	var said call
	if err := json.Unmarshal(line, &said); err != nil {
		return fmt.Errorf("read a call: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(said.Word), []byte(i.word)) != 1 {
		return errors.New("the caller does not know the word")
	}
	if said.Link != "" && !isLink(said.Link) {
		return errors.New("the caller brings no link of ours")
	}
	i.open(said.Link)
	_, err = io.WriteString(c, callTaken)
	return err
}

// close ends it, and waits for it.
func (i *instance) close() {
	if i.listener == nil {
		return
	}
	_ = os.Remove(i.file) // a file left over leads nowhere
	_ = i.listener.Close()
	i.calls.Wait()
}
