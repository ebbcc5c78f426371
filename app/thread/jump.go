package thread

import (
	"strings"

	"causa/app/widget"
	"causa/matter"
)

// Jump brings the message with a sequence into view and marks it, reading what lies
// between if it has to.
func (t *Thread) Jump(seq uint64) {
	t.goal = seq
	t.toGoal()
}

// toGoal goes on with a jump after more messages have come.
func (t *Thread) toGoal() {
	if t.goal == 0 || t.loading || len(t.msgs) == 0 {
		return
	}
	first := t.msgs[0].Seq
	if !t.whole && first > t.goal {
		t.load(first, int(min(first-t.goal, 1<<20))+pageSize/2)
		return
	}
	for i, it := range t.stream.items {
		if it.msg.Seq >= t.goal && it.msg.Seq > 0 { // or, if it is gone, what came next
			t.stream.stick = false
			t.stream.selectLine(i)
			t.stream.reveal(i)
			break
		}
	}
	t.goal = 0
}

// copySelection puts what is selected on the clipboard, with who said it when it is
// more than one message.
func (t *Thread) copySelection() {
	pieces := t.stream.selected()
	if len(pieces) == 0 {
		return
	}
	if len(pieces) == 1 {
		t.env.Copy(pieces[0].text)
		return
	}
	var b strings.Builder
	for i, p := range pieces {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(widget.OneLine(t.env.Name(p.it.msg.Author)) + "  " + t.env.Words.Moment(t.env.Local(p.it.msg.Time), t.env.Now()) + "\n" + p.text)
	}
	t.env.Copy(b.String())
}

// words are what can be selected of a line.
func (t *Thread) words(it *item) string {
	switch {
	case it.key.kind != itemMessage, it.msg.Kind == matter.KindUnread, it.msg.Kind == matter.KindNewer:
		return ""
	}
	return widget.Visible(t.env.Mentions(said(&it.msg)))
}

// typed hands a character typed while the thread has the keyboard to the composer.
func (t *Thread) typed(r rune) {
	if t.composer.Visible() {
		t.FocusComposer()
		t.composer.entry.TypedRune(r)
	}
}
