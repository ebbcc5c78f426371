package matter

import (
	"strings"
	"testing"
)

func TestFileName(t *testing.T) {
	tests := []struct{ in, want string }{
		{"report.pdf", "report.pdf"},
		{"合同 最终版.docx", "合同 最终版.docx"},
		{"../../etc/passwd", "_.._etc_passwd"},
		{`..\..\boot.ini`, `_.._boot.ini`},
		{"C:\\Users\\x\\a.txt", "C__Users_x_a.txt"},
		{"/", "_"},
		{"..", "file"},
		{".", "file"},
		{"", "file"},
		{" . ", "file"},
		{".bashrc", "bashrc"},
		{"name.", "name"},
		{"a\x00b\nc\x1b[31m.txt", "abc[31m.txt"},
		{"invoice\u202efdp.exe", "invoicefdp.exe"},
		{"a\u200b\ufeffb\u2066c", "abc"},
		{"CON", "_CON"},
		{"con.txt", "_con.txt"},
		{"nul .tar.gz", "_nul .tar.gz"},
		{"Lpt1", "_Lpt1"},
		{"COM¹.txt", "_COM¹.txt"},
		{"common.txt", "common.txt"},
		{"a\xff\xfeb", "a_b"},
		{"a b", "a b"},
		{strings.Repeat("长", 100) + ".pdf", strings.Repeat("长", 65) + ".pdf"},
	}
	for _, tt := range tests {
		if got := FileName(tt.in); got != tt.want {
			t.Errorf("FileName(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"a.txt", "../x", "con .x", strings.Repeat("x. ", 100), "\u202e.exe", "COM1", "_", strings.Repeat("com1.", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := FileName(s)
		switch {
		case name == "" || len(name) > maxFileName+1:
			t.Errorf("%q has %d bytes", name, len(name))
		case strings.ContainsAny(name, "/\\:\x00\n"):
			t.Errorf("%q can be a path", name)
		case strings.Trim(name, ". ") != name || reserved(name):
			t.Errorf("%q is no file's name everywhere", name)
		case FileName(name) != name:
			t.Errorf("%q becomes %q", name, FileName(name))
		}
	})
}
