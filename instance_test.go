package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"causa/assets"
)

// TestHandOver starts the app "twice" on one home: the second hands its link over.
func TestHandOver(t *testing.T) {
	home := t.TempDir()
	if handOver(home, "") {
		t.Fatal("there is somebody before anybody came")
	}
	got := make(chan string, 1)
	first := listen(home, quiet(), func(link string) { got <- link })
	for _, link := range []string{"", "causa://join?x"} {
		if !handOver(home, link) {
			t.Fatalf("nobody took %q", link)
		}
		if l := <-got; l != link {
			t.Errorf("took %q, want %q", l, link)
		}
	}
	if info, err := os.Stat(cardFile(home)); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read where the app listens: %v, %v", info.Mode(), err)
	}
	first.close()
	if handOver(home, "") {
		t.Error("there is still somebody after the app has ended")
	}
}

// TestHandOverToStrangers: what is not the app, and who does not know the word, get
// nothing.
func TestHandOverToStrangers(t *testing.T) {
	home := t.TempDir()
	opened := make(chan string, 8)
	first := listen(home, quiet(), func(link string) { opened <- link })
	defer first.close()
	b, err := os.ReadFile(cardFile(home))
	if err != nil {
		t.Fatal(err)
	}
	var at card
	if err := json.Unmarshal(b, &at); err != nil {
		t.Fatal(err)
	}
	right, err := json.Marshal(at.Word)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{
		"", "\n", "{}\n", "not json\n", `{"Word":"wrong","Link":"causa://join?x"}` + "\n",
		`{"Word":` + string(right) + `,"Link":"file:///etc/passwd"}` + "\n",
		`{"Word":"` + strings.Repeat("x", callLimit) + `"}` + "\n",
	} {
		c, err := net.Dial("tcp", at.Address)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(callTimeout)); err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(said)) // it may hang up in the middle
		if err := c.(*net.TCPConn).CloseWrite(); err == nil {
			answer := make([]byte, 16)
			if n, err := c.Read(answer); err == nil {
				t.Errorf("%.40q was answered with %q", said, answer[:n])
			}
		}
		_ = c.Close()
	}
	// Somebody else listens at an address left over: no app.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		}
	}()
	defer func() { _ = l.Close() }()
	other := t.TempDir()
	b, err = json.Marshal(card{l.Addr().String(), "word"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cardFile(other), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if handOver(other, "causa://join?x") {
		t.Error("a stranger took the link")
	}
	if len(opened) > 0 {
		t.Errorf("a stranger opened %q", <-opened)
	}
}

func TestTemporary(t *testing.T) {
	if !temporary(t.TempDir() + "/causa") {
		t.Error("what lies in a temporary folder is not temporary")
	}
	if temporary("/usr/bin/causa") {
		t.Error("/usr/bin is temporary")
	}
}

func TestDot(t *testing.T) {
	b, err := withDot(assets.Mark)
	if err != nil || bytes.Equal(b, assets.Mark) {
		t.Errorf("no dot on the icon (%v)", err)
	}
	if _, err := withDot([]byte("no picture")); err == nil {
		t.Error("what is no picture gets a dot")
	}
}
