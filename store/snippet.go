package store

import (
	"strings"
	"unicode/utf8"
)

// A Snippet is a part of a found text with the places of what was found.
type Snippet struct {
	Text  string
	Marks []Mark
}

// A Mark is a part of a snippet's text, in bytes.
type Mark struct{ From, To int }

// A snippet begins at most snippetBefore characters before the first place and has
// at most snippetLength.
const (
	snippetBefore = 24
	snippetLength = 90
)

// snippet cuts the text around its first mark. marks are places in the folded text.
func snippet(text string, marks []span) Snippet {
	origin := foldedFrom(text)
	first := 0
	if len(marks) > 0 {
		first = origin[marks[0].from]
	}
	start := first
	for n := 0; start > 0 && n < snippetBefore; n++ {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
		if start > 0 && text[start-1] == '\n' {
			break
		}
	}
	end := start
	for n := 0; end < len(text) && n < snippetLength; n++ {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	var s Snippet
	lead, tail := "", ""
	if start > 0 {
		lead = "…"
	}
	if end < len(text) {
		tail = "…"
	}
	// A line break takes one byte, as the space that stands for it.
	s.Text = lead + strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		return r
	}, text[start:end]) + tail
	for _, m := range marks {
		from, to := origin[m.from], origin[m.to]
		if from < start || to > end {
			continue
		}
		mark := Mark{From: from - start + len(lead), To: to - start + len(lead)}
		if n := len(s.Marks); n > 0 && mark.From < s.Marks[n-1].To {
			s.Marks[n-1].To = max(s.Marks[n-1].To, mark.To) // overlapping terms
			continue
		}
		s.Marks = append(s.Marks, mark)
	}
	return s
}
