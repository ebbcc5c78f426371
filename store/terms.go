package store

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A term is one word of a query, as it is typed between spaces.
type term struct {
	text  string   // folded
	words []string // of the index; all of them must be there
	begin bool     // the last of words is the beginning of one
}

// terms is a query's text. Nothing in it has a meaning of its own: quotes, stars and
// words such as NEAR are looked for like any other.
type terms struct {
	list  []term
	whole string // all of them, one space between
}

// maxTerms bounds what one query can cost.
const maxTerms = 16

func parseTerms(text string) terms {
	var t terms
	fields := strings.FieldsFunc(fold(text), func(r rune) bool { return classOf(r) == separator && !inWord(r) })
	for i, f := range fields {
		if len(t.list) == maxTerms {
			break
		}
		x := term{text: strings.TrimFunc(f, inWord)}
		runs(f, func(class runeClass, run string) {
			if class == wordRune {
				x.words = append(x.words, clip(run))
				x.begin = true
				return
			}
			x.words = append(x.words, pairs(run)...)
			x.begin = false
		})
		x.begin = x.begin && i == len(fields)-1 && len(x.words[len(x.words)-1]) >= 2
		if len(x.words) > 0 {
			t.list = append(t.list, x)
		}
	}
	for i, x := range t.list {
		if i > 0 {
			t.whole += " "
		}
		t.whole += x.text
	}
	return t
}

// inWord reports whether a separator may stand inside a term, as in 3.5% or e-mail.
func inWord(r rune) bool { return strings.ContainsRune("-_.,:/@&+#'’%", r) }

// pairs gives the neighbours of an unspaced run, or its one character.
func pairs(run string) []string {
	if utf8.RuneCountInString(run) == 1 {
		return []string{run}
	}
	var out []string
	last := -1
	for i, r := range run {
		if last >= 0 {
			out = append(out, run[last:i+utf8.RuneLen(r)])
		}
		last = i
	}
	return out
}

// quote makes a string of the index's query language.
func quote(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }

// match returns what the index must have.
func (t terms) match() []string {
	var out []string
	for _, x := range t.list {
		for i, w := range x.words {
			q := quote(w)
			if x.begin && i == len(x.words)-1 {
				q += "*"
			}
			if !slices.Contains(out, q) {
				out = append(out, q)
			}
		}
	}
	return out
}

// A span is a part of a string, in bytes.
type span struct{ from, to int }

// maxMarks bounds how often a term is marked in one line.
const maxMarks = 8

// find looks for all terms in a folded text. ok is false when one of them is not there
// as a whole. phrase is whether they stand together as typed.
func (t terms) find(text string) (marks []span, phrase, ok bool) {
	for _, x := range t.list {
		found := false
		for at, n := 0, 0; n < maxMarks; {
			i := strings.Index(text[at:], x.text)
			if i < 0 {
				break
			}
			i += at
			at = i + len(x.text)
			if !x.boundary(text, i) {
				continue
			}
			found = true
			marks = append(marks, span{i, at})
			n++
		}
		if !found {
			return nil, false, false
		}
	}
	slices.SortFunc(marks, func(a, b span) int { return a.from - b.from })
	return marks, len(t.list) < 2 || strings.Contains(text, t.whole), true
}

// boundary reports whether a term found at i begins, and unless it may go on also ends,
// where words do.
func (x term) boundary(text string, i int) bool {
	first, _ := utf8.DecodeRuneInString(x.text)
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	if i > 0 && classOf(first) == wordRune && classOf(before) == wordRune {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(x.text)
	after, _ := utf8.DecodeRuneInString(text[i+len(x.text):])
	end := i+len(x.text) == len(text)
	return x.begin || end || classOf(last) != wordRune || classOf(after) != wordRune
}
