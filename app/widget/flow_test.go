package widget

import (
	"strings"
	"testing"
	"time"

	apptheme "causa/app/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"pgregory.net/rapid"
)

func useTheme(t testing.TB) {
	t.Helper()
	test.NewTempApp(t)
	fyne.CurrentApp().Settings().SetTheme(apptheme.New(apptheme.Light))
}

func lines(text string, width float32) []string {
	out := []string{}
	for _, l := range Flow(text, width, 14, fyne.TextStyle{}) {
		out = append(out, l.Text)
	}
	return out
}

// TestFlowBreaks follows UAX #14: what may not stand at the beginning of a line does not.
func TestFlowBreaks(t *testing.T) {
	useTheme(t)
	text := "对方把账期从 45 天改成了 60 天，财务能接受吗？请看《年度供货合同》（第 4 条），LPR×1.5。Hengda can accept a late fee, but not in an annex."
	for width := float32(90); width < 400; width += 7 {
		got := lines(text, width)
		for i, l := range got {
			first, last := []rune(l)[0], []rune(l)[len([]rune(l))-1]
			if strings.ContainsRune("，。？》）！：；", first) {
				t.Errorf("width %v: line %d begins with %c", width, i, first)
			}
			if strings.ContainsRune("《（", last) {
				t.Errorf("width %v: line %d ends with %c", width, i, last)
			}
			if w := fyne.MeasureText(l, 14, fyne.TextStyle{}).Width; w > width+1 {
				t.Errorf("width %v: line %d is %v wide: %q", width, i, w, l)
			}
		}
		if a, b := strings.Join(strings.Fields(strings.Join(got, " ")), ""), strings.Join(strings.Fields(text), ""); a != b {
			t.Errorf("width %v: the text became %q", width, a)
		}
	}
}

func TestFlowKeepsEmptyLines(t *testing.T) {
	useTheme(t)
	if got := lines("a\n\nb\n", 100); len(got) != 4 || got[0] != "a" || got[1] != "" || got[2] != "b" || got[3] != "" {
		t.Errorf("got %q", got)
	}
	if got := lines("", 100); len(got) != 1 {
		t.Errorf("no text gave %q", got)
	}
}

// TestFlowIsFast lays out the longest message there can be: 200 ms is what one notices.
func TestFlowIsFast(t *testing.T) {
	useTheme(t)
	for name, text := range map[string]string{
		"Chinese":         strings.Repeat("关于跨境数据传输的合规要求，", 64<<10/42),
		"English":         strings.Repeat("quarterly retention settings ", 64<<10/29),
		"no break at all": strings.Repeat("x", 64<<10),
		"zero width":      strings.Repeat("a\u200d", 64<<10/4),
	} {
		Flow(text[:4200], 500, 14, fyne.TextStyle{})
		best := time.Hour
		for range 3 {
			start := time.Now()
			Flow(text, 500, 14, fyne.TextStyle{})
			best = min(best, time.Since(start))
		}
		if best > 200*time.Millisecond {
			t.Errorf("%s: 64 KiB took %v", name, best)
		}
	}
}

func TestShorten(t *testing.T) {
	useTheme(t)
	for _, text := range []string{"short", "与 Hengda Foods 的年度供货合同", strings.Repeat("long ", 100)} {
		for _, width := range []float32{0, 5, 40, 100, 1000} {
			got := Shorten(text, width, 14, fyne.TextStyle{})
			w := fyne.MeasureText(got, 14, fyne.TextStyle{}).Width
			if got != text && (!strings.HasSuffix(got, ellipsis) || width > 20 && w > width+1) {
				t.Errorf("Shorten(%q, %v) = %q, %v wide", text, width, got, w)
			}
		}
	}
}

func TestVisible(t *testing.T) {
	tests := map[string]string{
		"plain 文字":                       "plain 文字",
		"two\nlines\tand\ra\x00\x1b[m":   "two\nlines anda[m",
		"\u202eevil\u202c \u2067x\u2069": "evil x",
		"a\u2028b\u200b\ufeff":           "a\nb",
		"👨‍👩‍👧":                          "👨‍👩‍👧", // joiners hold families together
	}
	for in, want := range tests {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
	if got := OneLine(" a \n\n b\u202e\tc "); got != "a b c" {
		t.Errorf("OneLine gave %q", got)
	}
}

func TestInitial(t *testing.T) {
	for in, want := range map[string]string{"林晓": "林", "anna": "A", " \u202e…øre": "Ø", "👍": "?", "": "?", "7-Eleven": "7"} {
		if got := Initial(in); got != want {
			t.Errorf("Initial(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestFlowSaysWhere holds that each line is found in the text at its place.
func TestFlowSaysWhere(t *testing.T) {
	useTheme(t)
	rapid.Check(t, func(rt *rapid.T) {
		text := Visible(strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"word ", "中文，", "\n", "  ", "12.5 ", "長い", "👍🏽", strings.Repeat("x", 60)})).Draw(rt, "text"), ""))
		at := 0
		for _, l := range Flow(text, float32(rapid.IntRange(20, 300).Draw(rt, "width")), 14, fyne.TextStyle{}) {
			if l.At < at || text[l.At:l.At+len(l.Text)] != l.Text {
				rt.Fatalf("line %q is not at byte %d of %q", l.Text, l.At, text)
			}
			at = l.At + len(l.Text)
		}
	})
}
