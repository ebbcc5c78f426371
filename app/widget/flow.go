package widget

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"github.com/go-text/typesetting/segmenter"
)

// A TextLine is one laid-out line of text.
type TextLine struct {
	Text  string
	Width float32
	At    int // where in the text it begins, in bytes
}

// Flow breaks text into lines no wider than width, at the places that UAX #14 allows:
// between Chinese characters but not before closing punctuation, and between Latin
// words. A piece that is wider than a line, such as a long link, breaks anywhere.
// It must run on the UI goroutine.
func Flow(text string, width, size float32, style fyne.TextStyle) []TextLine {
	var out []TextLine
	width = max(width, size)
	at := 0
	for _, para := range strings.Split(text, "\n") {
		if para == "" {
			out = append(out, TextLine{At: at})
		} else {
			out = appendBroken(out, []rune(para), at, width, size, style)
		}
		at += len(para) + 1
	}
	return out
}

func appendBroken(out []TextLine, para []rune, at int, width, size float32, style fyne.TextStyle) []TextLine {
	var seg segmenter.Segmenter
	seg.Init(para)
	it := seg.LineIterator()
	start, end := 0, 0
	var cur float32
	emit := func() {
		whole := string(para[start:end])
		s := strings.TrimRightFunc(whole, unicode.IsSpace)
		// The sum of the pieces ignores kerning between them; the exact width is only
		// wanted where it shows, in the border of a bubble.
		out = append(out, TextLine{s, min(cur, width), at})
		at += len(whole)
		start, cur = end, 0
	}
	for it.Next() {
		l := it.Line()
		word, spaces := l.Text, float32(0)
		for n := len(word); n > 0 && word[n-1] == ' '; n-- {
			word, spaces = word[:n-1], spaces+measure(" ", size, style)
		}
		trimmed := pieceWidth(word, size, style)
		w := trimmed + spaces
		if cur+trimmed > width && end > start {
			emit()
		}
		if trimmed > width {
			for i := range l.Text {
				rw := measure(string(l.Text[i:i+1]), size, style)
				if cur+rw > width && end > start {
					emit()
				}
				cur += rw
				end = l.Offset + i + 1
			}
			continue
		}
		cur += w
		end = l.Offset + len(l.Text)
	}
	if end > start {
		emit()
	}
	return out
}

// pieceWidth returns the width of a piece between two places where a line may break.
// Numbers, of which there are too many to remember, are the sum of their digits.
func pieceWidth(piece []rune, size float32, style fyne.TextStyle) (w float32) {
	for _, r := range piece {
		if r < '0' || r > '9' {
			return measure(string(piece), size, style)
		}
	}
	for _, r := range piece {
		w += measure(digits[r-'0':r-'0'+1], size, style)
	}
	return w
}

const digits = "0123456789"

type measured struct {
	text  string
	size  float32
	style fyne.TextStyle
}

// widths remembers the widths of pieces; the same few thousand characters and words
// come again and again. Only the UI goroutine uses it.
var widths = map[measured]float32{}

const maxWidths = 20000

// TextWidth returns the width of a text on one line.
func TextWidth(s string, size float32, style fyne.TextStyle) float32 { return measure(s, size, style) }

func measure(s string, size float32, style fyne.TextStyle) float32 {
	k := measured{s, size, style}
	if w, ok := widths[k]; ok {
		return w
	}
	w := fyne.MeasureText(s, size, style).Width
	if len(widths) >= maxWidths {
		clear(widths)
	}
	widths[k] = w
	return w
}

const ellipsis = "…"

// Shorten cuts text so that it fits width, with an ellipsis at its end.
func Shorten(text string, width, size float32, style fyne.TextStyle) string {
	if measure(text, size, style) <= width {
		return text
	}
	runes := []rune(text)
	width -= measure(ellipsis, size, style)
	var cur float32
	for i, r := range runes {
		w := measure(string(r), size, style)
		if cur+w > width {
			return strings.TrimRightFunc(string(runes[:i]), unicode.IsSpace) + ellipsis
		}
		cur += w
	}
	return text
}

// lineHeight is the distance between the lines of a text of this size.
func lineHeight(size float32) float32 { return float32(int(size*1.55 + 0.5)) }
