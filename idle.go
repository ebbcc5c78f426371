//go:build !android && !ios

package main

import (
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw"
)

// How an idle app waits.
const (
	idleAfter = time.Second // without input
	idleNap   = time.Second // at most: what Fyne does by itself, such as following the system's theme, waits that long
)

// idle makes Fyne's loop, which looks for input sixty times a second, sleep in the window
// system while nobody touches anything. Input ends a nap at once, and so does [wake]. The
// function returned ends that, after the loop has ended.
func idle() (end func()) {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		slept := make(chan time.Duration, 1)
		for rest := idleAfter; ; {
			select {
			case <-done:
				return
			case <-time.After(rest):
			}
			fyne.Do(func() { slept <- nap() })
			select {
			case <-done:
				return
			case d := <-slept:
				rest = time.Millisecond // for one turn of Fyne's loop
				if d < idleNap*9/10 {
					rest = idleAfter // there was input
				}
			}
		}
	})
	return func() {
		close(done)
		ended.Wait()
	}
}

// wake ends a nap, since something is to be drawn. It may be called from any goroutine.
func wake() {
	defer func() { _ = recover() }() // as in nap
	glfw.PostEmptyEvent()
}

// nap waits for input and returns for how long.
func nap() time.Duration {
	// Fyne calls this even when its loop and the window system have just ended, which
	// the library calls a panic.
	defer func() { _ = recover() }()
	began := time.Now()
	glfw.WaitEventsTimeout(idleNap.Seconds())
	return time.Since(began)
}
