//go:build (windows || darwin) && !ios

package notify

import "github.com/gen2brain/beeep"

// A beeper shows notifications through PowerShell or AppleScript where there is nothing
// better, so only clean text may come to it. It can neither replace nor remove one, nor
// tell of clicks.
type beeper struct{}

func openSurface(func(key string)) (surface, error) {
	beeep.AppName = "Causa"
	return beeper{}, nil
}

func (beeper) show(_ string, n Notification) error {
	return beeep.Notify(Clean(n.Title, maxTitle), Clean(n.Body, maxBody), "")
}

func (beeper) remove(string) error { return nil }
func (beeper) close() error        { return nil }
