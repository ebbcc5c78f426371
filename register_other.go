//go:build !windows && (!linux || android)

package main

import "context"

// register does nothing: elsewhere, the package says which links the app opens.
func register(context.Context, string) error { return nil }
