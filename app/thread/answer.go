package thread

import (
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// An about says, over the composer, which message is being answered or changed.
type about struct {
	widget.BaseWidget
	text *appwidget.Text
	row  *appwidget.Row
	seq  uint64
	edit bool
}

func newAbout(closed func()) *about {
	a := &about{text: appwidget.NewSmall("")}
	a.row = appwidget.NewRow(8, 0, a.text, appwidget.NewIconButton("x", "", appwidget.Bare, closed)).Inset(appwidget.Insets{Left: 8})
	a.ExtendBaseWidget(a)
	a.Hide()
	return a
}

// CreateRenderer is part of fyne.Widget.
func (a *about) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(a.row) }

// Answer has what is written next answer a message.
func (t *Thread) Answer(m matter.Message) {
	if t.about.edit {
		t.plain()
	}
	words := t.env.T("Answer to %s: %s", t.env.NameOrYou(m.Author), appwidget.OneLine(t.env.Mentions(m.Text)))
	t.setAbout(m.Seq, false, words)
}

// Change has what is written next replace a message of one's own.
func (t *Thread) Change(m matter.Message) {
	t.setAbout(m.Seq, true, t.env.T("Changing what you said"))
	t.composer.put(t.env.Mentions(m.Text))
	t.composer.changed(t.composer.entry.Text)
}

func (t *Thread) setAbout(seq uint64, edit bool, words string) {
	t.about.seq, t.about.edit = seq, edit
	t.about.text.Color = apptheme.Link
	t.about.text.SetText(words)
	t.about.Show()
	t.Refresh()
	t.FocusComposer()
}

// plain has what is written next stand for itself. What was put in to be changed goes.
func (t *Thread) plain() {
	if t.about.edit {
		t.composer.put("")
		t.composer.changed("")
	}
	t.about.seq, t.about.edit = 0, false
	t.about.Hide()
	t.Refresh()
}
