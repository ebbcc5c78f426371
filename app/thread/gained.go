package thread

import (
	"strconv"
	"strings"

	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// The measures of what a bubble has besides its text.
const (
	extraHeight float32 = 19
	extraGap    float32 = 5
	quoteIndent float32 = 10
)

// An extraLine is one line above or under the text of a bubble.
type extraLine struct {
	text  string
	ink   fyne.ThemeColorName
	size  float32
	style fyne.TextStyle
	left  float32
}

// above lists what stands over the text: where it comes from, and what it answers.
func (r *row) above(m *matter.Message, width float32) (out []extraLine) {
	if o := m.Origin; o != nil {
		words := r.env.T("%s wrote this in another matter", r.env.NameOrYou(o.Author))
		out = r.fold(out, words, width, extraLine{ink: apptheme.Muted, size: apptheme.SizeTiny}, 2)
	}
	if q := m.Reply; q != nil {
		who, text := r.env.NameOrYou(q.Author), appwidget.OneLine(r.env.Mentions(q.Text))
		switch {
		case q.Seq == 0 && m.Seq == 0:
			return out // it waits to be sent
		case q.Seq == 0:
			who, text = "", r.env.T("A message that is not on this device")
		case q.Kind == matter.KindRecalled || q.Kind == matter.KindMoved:
			who, text = "", r.env.T("A message that is no longer here")
		}
		if who != "" {
			out = r.fold(out, who, width-quoteIndent, extraLine{ink: apptheme.Link, size: apptheme.SizeTiny, style: fyne.TextStyle{Bold: true}, left: quoteIndent}, 1)
		}
		out = r.fold(out, text, width-quoteIndent, extraLine{ink: apptheme.Muted, size: apptheme.SizeSmall, left: quoteIndent}, 2)
	}
	return out
}

// below lists what stands under the text: how a task or a poll stands, and reactions.
func (r *row) below(m *matter.Message, width float32) (out []extraLine) {
	if m.Task != nil {
		out = r.fold(out, r.taskWords(m.Task), width, extraLine{ink: taskInk(m.Task), size: apptheme.SizeSmall, style: fyne.TextStyle{Bold: true}}, 2)
	}
	if p := m.Poll; p != nil {
		for _, o := range p.Options {
			mine := false
			for _, v := range o.Voters {
				mine = mine || v == r.env.People.Self
			}
			line := extraLine{ink: apptheme.Text, size: apptheme.SizeSmall, style: fyne.TextStyle{Bold: mine}, left: quoteIndent}
			out = r.fold(out, strconv.Itoa(len(o.Voters))+" · "+appwidget.OneLine(o.Text), width-quoteIndent, line, 2)
		}
		words := r.env.T("Poll · vote from its menu")
		if p.Closed {
			words = r.env.T("Poll · closed")
		}
		out = r.fold(out, words, width, extraLine{ink: apptheme.Muted, size: apptheme.SizeTiny}, 2)
	}
	if len(m.Reactions) > 0 {
		var signs []string
		for _, s := range m.Reactions {
			signs = append(signs, appwidget.OneLine(s.Emoji)+" "+strconv.Itoa(len(s.Members)))
		}
		out = r.fold(out, strings.Join(signs, "   "), width, extraLine{ink: apptheme.Muted, size: apptheme.SizeSmall}, 3)
	}
	var marks []string
	if m.Pinned {
		marks = append(marks, r.env.T("Pinned"))
	}
	if !m.Edited.IsZero() {
		marks = append(marks, r.env.T("Changed %s", r.env.Words.Stamp(r.env.Local(m.Edited), r.env.Now())))
	}
	if len(marks) > 0 {
		out = r.fold(out, strings.Join(marks, " · "), width, extraLine{ink: apptheme.Muted, size: apptheme.SizeTiny}, 1)
	}
	return out
}

func (r *row) taskWords(t *matter.Task) string {
	words := r.env.T("To do")
	if t.Done {
		words = r.env.T("Done by %s", r.env.NameOrYou(t.By))
	} else if !t.Assignee.IsZero() {
		words = r.env.T("To do: %s", r.env.NameOrYou(t.Assignee))
	}
	if !t.Due.IsZero() && !t.Done {
		words += " · " + r.env.Words.Date(r.env.Local(t.Due), r.env.Now())
	}
	return words
}

func taskInk(t *matter.Task) fyne.ThemeColorName {
	if t.Done {
		return apptheme.Calm
	}
	return apptheme.Link
}

// fold adds a text on at most so many lines.
func (r *row) fold(out []extraLine, text string, width float32, like extraLine, most int) []extraLine {
	lines := appwidget.Flow(appwidget.Visible(text), width, like.size, like.style)
	for i, l := range lines {
		if i == most {
			break
		}
		like.text = l.Text
		if i == most-1 && len(lines) > most {
			like.text = appwidget.Shorten(l.Text+"…", width, like.size, like.style)
		}
		out = append(out, like)
	}
	return out
}

// extraWidth is how wide lines are.
func extraWidth(lines []extraLine) (w float32) {
	for _, l := range lines {
		w = max(w, l.left+appwidget.TextWidth(l.text, l.size, l.style))
	}
	return w
}

// extras is the height of lines beside the text.
func extras(lines []extraLine) float32 {
	if len(lines) == 0 {
		return 0
	}
	return float32(len(lines))*extraHeight + extraGap
}

// paintExtras draws lines from a height on.
func (r *row) paintExtras(lines []extraLine, y float32) {
	for _, l := range lines {
		if r.used == len(r.beside) {
			r.beside = append(r.beside, canvas.NewText("", nil))
		}
		t := r.beside[r.used]
		r.used++
		t.Text, t.Color, t.TextSize, t.TextStyle = l.text, apptheme.Of(l.ink), l.size, l.style
		t.Move(fyne.NewPos(r.bubble.X+padX+l.left, y))
		t.Resize(fyne.NewSize(r.size.Width-2*padX-l.left, extraHeight))
		r.objects = append(r.objects, t)
		y += extraHeight
	}
}

// paintBar draws the bar beside a quote.
func (r *row) paintBar(lines []extraLine, y float32) {
	first, n := -1, 0
	for i, l := range lines {
		if l.left > 0 {
			if first < 0 {
				first = i
			}
			n++
		}
	}
	if n == 0 {
		return
	}
	r.bar.FillColor = apptheme.Of(apptheme.Accent)
	r.bar.Move(fyne.NewPos(r.bubble.X+padX, y+float32(first)*extraHeight+1))
	r.bar.Resize(fyne.NewSize(3, float32(n)*extraHeight-2))
	r.objects = append(r.objects, r.bar)
}
