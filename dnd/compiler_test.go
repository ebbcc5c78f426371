package dnd

import (
	"sync"
	"testing"
	"time"
)

// Many goroutines compile and judge at once, as in a hub; the race detector watches.
func TestCompilerIsShared(t *testing.T) {
	var c Compiler
	shared, err := c.Compile(exampleFloor(), exampleRules())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 15, 30, 0, 0, time.UTC)
	want := shared.Judge(Message{}, at)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				r := exampleRules()
				r.Zone = Zones()[(i+j*8)%40]
				p, err := c.Compile(exampleFloor(), r)
				if err != nil {
					t.Error(err)
					return
				}
				p.Judge(Message{}, at)
				if got := shared.Judge(Message{}, at); got != want {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
	wg.Wait()
	if len(c.zones) != 41 {
		t.Errorf("%d zones are kept", len(c.zones))
	}
}
