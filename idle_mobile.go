//go:build android || ios

package main

// idle does nothing: on phones, Fyne's loop waits for the system.
func idle() (end func()) { return func() {} }

func wake() {}
