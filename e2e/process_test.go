package e2e

import (
	"context"
	"errors"
	"os/exec"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptContext lasts as long as the script.
func scriptContext(ts *testscript.TestScript) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(cancel)
	return ctx
}

// environment is the script's, for processes that are not started by testscript.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LANGUAGE"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// killed reports whether err is from a process that did not end by itself, or ended in a
// panic (Go's exit status 2 is also that of a usage error, which no script needs).
func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && !exit.Exited()
}
