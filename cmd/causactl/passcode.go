package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"causa/core"
	"causa/internal/fault"
)

// Where a passcode comes from when nobody types it: the variable itself, or a file that the
// variable names, whose last line break does not count.
const (
	passcodeVariable    = "CAUSA_PASSCODE"
	newPasscodeVariable = "CAUSA_NEW_PASSCODE"
	fileSuffix          = "_FILE"
)

// open opens the account, asking for its passcode where it has one.
func (c *call) open() (*core.Client, error) {
	cl, err := core.Open(c.ctx, c.opts)
	if !errors.Is(err, core.ErrLocked) {
		return cl, err
	}
	if err := c.askPasscode(); err != nil {
		return nil, err
	}
	defer c.clearPasscode()
	return core.Open(c.ctx, c.opts)
}

// askPasscode takes the home's passcode into the options.
func (c *call) askPasscode() (err error) {
	c.opts.Keystore = core.SystemKeystore()
	c.opts.Passcode, err = c.passcode(passcodeVariable, c.tr.T("Passcode: "))
	return err
}

func (c *call) clearPasscode() {
	clear(c.opts.Passcode)
	c.opts.Passcode = nil
}

// passcode takes a passcode from the environment, a file, or the terminal.
func (c *call) passcode(variable, prompt string) ([]byte, error) {
	if code := os.Getenv(variable); code != "" {
		return []byte(code), nil
	}
	if name := os.Getenv(variable + fileSuffix); name != "" {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, &fault.Error{Text: "The file with the passcode can't be read.", Hint: "Look at $CAUSA_PASSCODE_FILE.", Err: err}
		}
		return bytes.TrimRight(b, "\r\n"), nil
	}
	f, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, &fault.Error{
			Text: "Causa is locked on this device.",
			Hint: "Give its passcode at a terminal, in $CAUSA_PASSCODE, or in the file that $CAUSA_PASSCODE_FILE names.",
			Err:  core.ErrLocked,
		}
	}
	if _, err := io.WriteString(c.errOut, prompt); err != nil {
		return nil, err
	}
	b, err := term.ReadPassword(int(f.Fd()))
	_, _ = fmt.Fprintln(c.errOut) // the line break that was not shown
	return b, err
}

func passcodeSet(c *call) func([]string) error {
	return func([]string) error {
		return c.withPasscode(func() error {
			code, err := c.newPasscode()
			if err != nil {
				return err
			}
			defer clear(code)
			return core.SetPasscode(c.ctx, c.opts, code)
		})
	}
}

// newPasscode takes a new passcode; a typed one is typed twice.
func (c *call) newPasscode() ([]byte, error) {
	code, err := c.passcode(newPasscodeVariable, c.tr.T("New passcode: "))
	if err != nil || !typed(newPasscodeVariable) {
		return code, err
	}
	again, err := c.passcode(newPasscodeVariable, c.tr.T("Once more: "))
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if !bytes.Equal(code, again) {
		return nil, &fault.Error{Text: "These are two different passcodes.", Hint: "Try again."}
	}
	return code, nil
}

func passcodeClear(c *call) func([]string) error {
	return func([]string) error {
		return c.withPasscode(func() error { return core.ClearPasscode(c.ctx, c.opts) })
	}
}

// withPasscode calls f with the home's passcode in the options, if it has one.
func (c *call) withPasscode(f func() error) error {
	locked, err := core.HasPasscode(c.opts.Home)
	if err != nil {
		return err
	}
	c.opts.Keystore = core.SystemKeystore()
	if locked {
		if err := c.askPasscode(); err != nil {
			return err
		}
		defer c.clearPasscode()
	}
	return f()
}

func lock(c *call) func([]string) error {
	return func([]string) error {
		c.opts.Keystore = core.SystemKeystore()
		return core.Forget(c.opts)
	}
}

func unlock(c *call) func([]string) error {
	return func([]string) error {
		return c.within(func(cl *core.Client) error {
			l := cl.Lock()
			c.out.line(struct {
				Passcode bool `json:"passcode"`
				Required bool `json:"required"`
				Keystore bool `json:"keystore"`
				Lease    int  `json:"lease_seconds"`
			}{l.Passcode, l.Required, l.Keystore, int(l.Lease.Seconds())}, "%s", c.lockWords(l))
			return nil
		})
	}
}

func (c *call) lockWords(l core.Lock) string {
	switch {
	case !l.Passcode:
		return "there is no passcode: whoever has this folder can open it"
	case l.Lease == 0:
		return "the passcode is right; the hub is needed each time"
	default:
		return "the passcode is right; the hub is not needed for " + l.Lease.Round(time.Minute).String()
	}
}
