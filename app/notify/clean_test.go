package notify

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// attacks are what has run code, broken markup or fooled people elsewhere, with what of it
// may reach PowerShell and AppleScript, and what a program that takes text as data.
var attacks = []struct{ in, clean, line string }{
	{`$(calc.exe)`, `calc.exe`, `$(calc.exe)`},
	{"`whoami`", "whoami", "`whoami`"},
	{"a`$(x)b", "a x b", "a`$(x)b"},
	{`"; Start-Process calc; "`, `Start Process calc`, `"; Start-Process calc; "`},
	{`'; rm -rf / #`, `rm rf`, `'; rm -rf / #`},
	{`]]><script>alert(1)</script>`, `script alert 1 script`, `]]><script>alert(1)</script>`},
	{`&lt;b&gt; & <b>bold</b>`, `lt b gt b bold b`, `&lt;b&gt; & <b>bold</b>`},
	{"”; calc; “", "calc", "”; calc; “"}, // PowerShell takes these for quotes
	{"‘x’ ‚y‛ „z", "x y z", "‘x’ ‚y‛ „z"},
	{"“@\r\n$x\r\n@”", "x", "“@ $x @”"},
	{"line one\nline two\r\n\x00three\x1b[31m", "line one line two three 31m", "line one line two three [31m"},
	{"%USERPROFILE% ${env:PATH} #{x} {{y}}", "USERPROFILE env:PATH x y", "%USERPROFILE% ${env:PATH} #{x} {{y}}"},
	{"pay\u202egpj.exe", "paygpj.exe", "paygpj.exe"},
	{"\u2066a\u2069\u200e\u200f\u061c\u200bb\ufeff", "ab", "ab"},
	{"a" + strings.Repeat("\u0301", 50), "a\u0301\u0301", "a\u0301\u0301"},
	{strings.Repeat("\u0301", 5) + "a", "a", "a"},
	{"--icon=/etc/passwd", "icon etc passwd", "--icon=/etc/passwd"},
	{`\u0024\x24\\server\share`, `u0024 x24 server share`, `\u0024\x24\\server\share`},
	{"供货合同：3,500 元！", "供货合同：3,500 元！", "供货合同：3,500 元！"},
	{"Grüße, Ελλάδα", "Grüße, Ελλάδα", "Grüße, Ελλάδα"},
	{"\xff\xfe", "", ""},
	{"   ", "", ""},
	{"", "", ""},
}

func TestAttacks(t *testing.T) {
	for _, tt := range attacks {
		if got := Clean(tt.in, maxBody); got != tt.clean {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.clean)
		}
		if got := Line(tt.in, maxBody); got != tt.line {
			t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.line)
		}
	}
}

// harmless is the other way round of saying what Clean lets pass: nothing that any of the
// programs behind it takes for more than a letter.
func harmless(r rune) bool {
	switch {
	case r == ' ', r == '.', r == ',', r == ':', r == '!', r == '?', r == '+', r == '…', r == '·':
		return true
	case r < 0x80:
		return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	case strings.ContainsRune("，。：！？、（）《》", r):
		return true
	}
	return unicode.In(r, unicode.L, unicode.Nd, unicode.Mn, unicode.Mc)
}

// Whatever comes in, what goes out is short, one line, and harmless; and what is clean
// stays as it is.
func TestCleanIsHarmless(t *testing.T) {
	nasty := rapid.SampledFrom([]string{"$(", ")", "`", "\"", "'", "”", "’", "]]>", "<", "&", "\n", "\x00", "\u202e", "\u2028", "\u0301", "%", "{", "\\", "#", "@", "-", "a", "好", " ", "\ufffd", "\xff"})
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(nasty), func(s []string) string { return strings.Join(s, "") }))
	rapid.Check(t, func(t *rapid.T) {
		in, limit := text.Draw(t, "text"), rapid.IntRange(1, 200).Draw(t, "limit")
		for name, f := range map[string]func(string, int) string{"Clean": Clean, "Line": Line} {
			out := f(in, limit)
			if !utf8.ValidString(out) || utf8.RuneCountInString(out) > limit || strings.TrimSpace(out) != out || strings.Contains(out, "  ") {
				t.Fatalf("%s(%q, %d) = %q", name, in, limit, out)
			}
			for _, r := range out {
				if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || name == "Clean" && !harmless(r) {
					t.Fatalf("%s(%q, %d) = %q, which has %U", name, in, limit, out, r)
				}
			}
			if again := f(out, limit); again != out {
				t.Fatalf("%s(%q) = %q, not the same again", name, out, again)
			}
		}
	})
}
