package matter

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestCleanName(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want string
	}{
		{"plain", "Alice Müller", "Alice Müller"},
		{"Chinese", "王伟", "王伟"},
		{"ends are trimmed, a pasted line break too", "\u3000 Bob \r\n", "Bob"},
		{"composed", "Zoe\u0308", "Zoë"},
		{"Hangul composed", "\u1112\u1161\u11ab", "한"},
		{"emoji with joiner", "Ops 👩\u200d🚒", "Ops 👩\u200d🚒"},
		{"Arabic", "محمد", "محمد"},
		{"a rare character of plane 3", "\U00031350", "\U00031350"},
		{"a character of plane 2 added after Unicode 15.0", "\U0002EBF0明", "\U0002EBF0明"},
		{"two hundred", strings.Repeat("名", 200), strings.Repeat("名", 200)},
		{"two hundred once composed", strings.Repeat("e\u0301", 200), strings.Repeat("é", 200)},
		{"eight marks", "e" + strings.Repeat("\u0323", 8), "\u1eb9" + strings.Repeat("\u0323", 7)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CleanName(tt.in)
			if err != nil || got != tt.want {
				t.Errorf("CleanName(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestCleanNameRefuses(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want NameReason
	}{
		{"nothing", "", NameEmpty},
		{"white space", " \t\n\u3000\u00a0", NameEmpty},
		{"201 characters", strings.Repeat("a", 201), NameLong},
		{"10,000 characters", strings.Repeat("名", 10000), NameLong},
		{"broken UTF-8", "a\xffb", NameEncoding},
		{"half a surrogate", "a\xed\xa0\x80", NameEncoding},
		{"line break inside", "a\nb", NameControl},
		{"line separator inside", "a\u2028b", NameControl},
		{"zero byte", "a\x00b", NameControl},
		{"escape", "a\x1b[31mb", NameControl},
		{"C1 control", "a\u009bb", NameControl},
		{"override", "invoice\u202efdp.exe", NameDirection},
		{"embedding", "a\u202ab", NameDirection},
		{"isolate", "\u2066a", NameDirection},
		{"zero-width only", "\u200b\u200d\ufeff", NameInvisible},
		{"Hangul filler", "\u3164\u3164", NameInvisible},
		{"nine marks", "e" + strings.Repeat("\u0323", 9), NameMarks},
		{"marks that become two each", "e" + strings.Repeat("\u0344", 5), NameMarks},
		{"marks in disguise", "\u0f40" + strings.Repeat("\u0f73", 9), NameMarks},
		{"unassigned", "a\u0378", NameUnknown},
		{"noncharacter", "a\ufffe", NameUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CleanName(tt.in)
			var refused *NameError
			if !errors.As(err, &refused) || refused.Reason != tt.want || got != "" {
				t.Fatalf("CleanName(%q) = %q, %v, want reason %d", tt.in, got, err, tt.want)
			}
			if text, hint := refused.Words(); text == "" || hint == "" {
				t.Errorf("no words for reason %d", tt.want)
			}
		})
	}
}

// What CleanName returns it must return again; else two programs disagree.
func TestCleanNameIsStable(t *testing.T) {
	// Every character that composition touches, and some that it does not.
	var touched []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		p := norm.NFC.PropertiesString(string(r))
		if nameable(r) && !(r > 0xac10 && r < 0xd7a0) && (p.LeadCCC() != 0 || !p.BoundaryBefore() || len(p.Decomposition()) > 0) {
			touched = append(touched, r)
		}
	}
	part := rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.OneOf(
			rapid.SampledFrom(touched),
			rapid.SampledFrom([]rune("eoaAΩω \u3000\u200b\u0f40\u1112\u1161\u11ab名")),
			rapid.SampledFrom([]rune("\u0301\u0323\u0308\u0344\u0f73")),
		)),
	)
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		in := part.Draw(t, "name")
		once, err := CleanName(in)
		if err != nil {
			return
		}
		accepted++
		if twice, err := CleanName(once); err != nil || twice != once {
			t.Fatalf("CleanName(%q) = %q, and again %q, %v", in, once, twice, err)
		}
		if !norm.NFC.IsNormalString(once) || utf8.RuneCountInString(once) > MaxName {
			t.Fatalf("CleanName(%q) = %q", in, once)
		}
		if strings.Count(once, norm.GraphemeJoiner) > strings.Count(in, norm.GraphemeJoiner) {
			t.Fatalf("CleanName(%q) put a character in: %q", in, once)
		}
	})
	t.Logf("%d names were accepted", accepted)
	if accepted == 0 {
		t.Error("no name was accepted: this test is about nothing")
	}
}

// The frozen set is what it says it is, as long as Go has the same Unicode version;
// with a later one it may only lack characters.
func TestNameable(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		assigned := false
		for name, table := range unicode.Categories {
			assigned = assigned || len(name) == 2 && name != "Cn" && name != "LC" && unicode.Is(table, r)
		}
		want := assigned && !(r >= 0xd800 && r < 0xe000) ||
			r >= 0x20000 && r <= 0x2f7ff || r >= 0x2fa20 && r <= 0x3fffd
		if got := nameable(r); got != want && (unicode.Version == "15.0.0" || got) {
			t.Fatalf("nameable(%#x) = %v, want %v", r, got, want)
		}
	}
}
