package app

import "causa/app/thread"

// The places that tests lead to.
const (
	Matters  = placeMatters
	People   = placePeople
	Search   = placeSearch
	Admin    = placeAdmin
	Settings = placeSettings
)

// Search is what Ctrl+K does; Fyne's test canvas has no shortcuts.
func (a *App) Search() { a.switchTo() }

// Details is what a press on the header of a narrow window does.
func (a *App) Details() { a.toggleDetails() }

// ThreadForTest is the screen on which one reads and writes.
func (a *App) ThreadForTest() *thread.Thread { return a.thread }
