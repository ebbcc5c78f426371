//go:build !darwin

package main

import "fyne.io/fyne/v2"

// still makes Fyne's widgets change at once instead of moving: the fading cursor alone
// has Fyne draw the whole window sixty times a second for as long as an entry has the
// keyboard. On macOS, Fyne asserts that the current app is its own, so there it moves.
func still(a fyne.App) { fyne.SetCurrentApp(stillApp{a}) }

type stillApp struct{ fyne.App }

// Settings are Fyne's, but for animations.
func (a stillApp) Settings() fyne.Settings { return stillSettings{a.App.Settings()} }

type stillSettings struct{ fyne.Settings }

// ShowAnimations reports that nothing moves.
func (stillSettings) ShowAnimations() bool { return false }
