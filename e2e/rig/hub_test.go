package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test program stands in for a hub: it prints what one prints, listens and ends as
// one does. The real one is driven by the scripts.
func TestMain(m *testing.M) {
	switch os.Getenv("RIG_TEST_PROGRAM") {
	case "":
		os.Exit(m.Run())
	case "hub":
		os.Exit(standInHub(os.Args[1:]))
	case "deaf hub":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("listening on 127.0.0.1:1")
		time.Sleep(time.Hour)
	case "no hub":
		fmt.Println("usage: something else")
		os.Exit(2)
	}
}

func standInHub(args []string) int {
	var data, listen string
	for i := 1; i+1 < len(args); i += 2 {
		switch args[i] {
		case "--data":
			data = args[i+1]
		case "--listen":
			listen = args[i+1]
		}
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM) // before anybody knows that this runs
	// The link may come on either side of the address, and in pieces.
	out := bufio.NewWriterSize(os.Stdout, 1)
	fmt.Fprintf(out, "Found it with causa://found?hub=%s&key=a\n", l.Addr())
	fmt.Fprintf(out, "level=INFO msg=\"listening on %s\"\n", l.Addr())
	if err := out.Flush(); err != nil {
		return 1
	}
	if err := os.WriteFile(filepath.Join(data, "address"), []byte(l.Addr().String()), 0o600); err != nil {
		return 1
	}
	<-asked
	return 0
}

func start(t *testing.T, program string) (*Hub, error) {
	t.Helper()
	h, err := StartHub(t.Context(), HubOptions{
		Program: os.Args[0],
		Data:    t.TempDir(),
		Env:     append(os.Environ(), "RIG_TEST_PROGRAM="+program),
	})
	if err == nil {
		t.Cleanup(func() {
			if err := h.Kill(); err != nil {
				t.Error(err)
			}
		})
	}
	return h, err
}

func TestHubKeepsItsPort(t *testing.T) {
	h, err := start(t, "hub")
	if err != nil {
		t.Fatal(err)
	}
	addr := h.Addr()
	link, err := h.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "causa://found?hub=" + addr + "&key=a"; link != want {
		t.Errorf("Link() = %q, want %q", link, want)
	}
	for _, end := range []func() error{h.Stop, h.Kill} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close() // it should not even be there
			t.Fatal("something still listens after the hub's end")
		}
		if err := h.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h.Addr() != addr {
			t.Errorf("Addr() = %s after a restart, want %s", h.Addr(), addr)
		}
	}
	if err := h.Start(t.Context()); err == nil {
		t.Error("a second start while the hub runs succeeded")
	}
}

func TestWhatIsNoHubDoesNotStart(t *testing.T) {
	_, err := start(t, "no hub")
	if err == nil || !strings.Contains(err.Error(), "usage: something else") {
		t.Errorf("StartHub = %v, want an error with what the program said", err)
	}
}

func TestContextEndsTheHub(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := &Hub{o: HubOptions{
		Program: os.Args[0],
		Data:    t.TempDir(),
		Env:     append(os.Environ(), "RIG_TEST_PROGRAM=deaf hub"),
	}}
	if err := h.Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	var exit *exec.ExitError
	if err := <-h.process.exited; !errors.As(err, &exit) && !errors.Is(err, context.Canceled) {
		t.Errorf("the process ended with %v, want that it was killed", err)
	}
}
