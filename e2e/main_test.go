// Package e2e drives the real programs against a real hub: scripts in testdata/script,
// and tests too long or too regular for a script. Everything stays on 127.0.0.1.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"causa/e2e/rig"
)

// programs were built once for all tests of this package.
var programs rig.Programs

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "causa-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	// Nothing bounds the build but go test's own timeout: no test has begun.
	programs, err = rig.Build(context.Background(), dir)
	if err != nil {
		return 0, err
	}
	return m.Run(), nil
}
