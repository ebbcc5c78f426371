package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// A printer writes a command's results: text for people, or one JSON object a line.
type printer struct {
	w    io.Writer
	json bool
	err  error // the first failure to write
}

// line prints one result in both forms.
func (p *printer) line(object any, format string, args ...any) {
	var b []byte
	var err error
	if p.json {
		if b, err = json.Marshal(object); err != nil {
			p.err = err
			return
		}
		b = append(b, '\n')
	} else {
		for i, a := range args {
			if s, ok := a.(string); ok {
				args[i] = clean(s)
			}
		}
		b = fmt.Appendf(nil, format+"\n", args...)
	}
	if _, err := p.w.Write(b); err != nil && p.err == nil {
		p.err = err
	}
}

// clean makes text from others harmless to a terminal: control characters and those that
// reverse the direction of text are shown as what they are.
func clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c:
			_, _ = fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
