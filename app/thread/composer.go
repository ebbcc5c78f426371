package thread

import (
	"strings"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// A composer is where one writes: Enter sends, Shift+Enter makes a new line.
type composer struct {
	widget.BaseWidget
	entry   *appwidget.Entry
	send    *appwidget.Button
	card    *appwidget.Fill
	onSend  func(text string)
	onDraft func(text string)
	onGrown func() // its height changed
	onAdd   func(at fyne.Position)
	add     *appwidget.Button
	env     *screen.Env
	rows    int
	sized   bool
	brief   bool
	tiny    bool
	quiet   bool // while the draft is being put in
}

// mostRows is how many lines of a draft are in view.
const mostRows = 7

func newComposer(env *screen.Env) *composer {
	c := &composer{env: env, rows: 1}
	c.entry = appwidget.NewTextArea("")
	c.entry.Bare = true
	c.entry.OnEnter = c.submit
	c.entry.OnChanged = c.changed
	c.send = appwidget.NewIconButton("send-horizontal", env.T("Send"), appwidget.Primary, c.submit)
	c.card = appwidget.NewCard(nil)
	c.entry.OnFocus = func(focused bool) {
		c.card.Stroke = apptheme.Line
		if focused {
			c.card.Stroke = apptheme.Link
		}
		c.card.Refresh()
	}
	c.add = appwidget.NewIconButton("plus", "", appwidget.Bare, func() {
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(c.add)
		c.onAdd(at.SubtractXY(0, 70)) // the menu opens upwards
	})
	row := appwidget.NewRow(8, 1, c.add, c.entry, c.send).Inset(appwidget.Insets{Top: 5, Right: 8, Bottom: 5, Left: 6})
	c.card.SetContent(row)
	c.ExtendBaseWidget(c)
	return c
}

// setWidth chooses how many words there is room for.
func (c *composer) setWidth(width float32) {
	brief, tiny := width < 500, width < 420
	if c.sized && brief == c.brief && tiny == c.tiny {
		return
	}
	c.sized, c.brief, c.tiny = true, brief, tiny
	words, send := c.env.T("Write a reply. Enter sends, Shift+Enter makes a new line."), c.env.T("Send")
	if brief {
		words = c.env.T("Reply…")
	}
	if tiny {
		send = ""
	}
	c.entry.SetPlaceHolder(words)
	c.send.SetText(send)
}

func (c *composer) submit() {
	text := strings.TrimSpace(c.entry.Text)
	if text == "" {
		return
	}
	c.onSend(text)
}

// put replaces the draft without telling onDraft.
func (c *composer) put(text string) {
	c.quiet = true
	c.entry.SetText(text)
	c.entry.Entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageDown}) // to the end; the Entry of ours would scroll the thread
	c.quiet = false
}

func (c *composer) changed(text string) {
	if width := c.entry.Size().Width - 20; width > 40 {
		rows := 1
		if len(text) > 8 {
			rows = min(len(appwidget.Flow(cut(text), width, apptheme.SizeBody, fyne.TextStyle{})), mostRows)
		}
		if rows != c.rows {
			c.rows = rows
			c.entry.SetMinRowsVisible(rows)
			if c.onGrown != nil {
				c.onGrown()
			}
		}
	}
	if !c.quiet && c.onDraft != nil {
		c.onDraft(text)
	}
}

// cut returns as much of a text as can matter for its first few lines.
func cut(text string) string {
	const enough = 4000
	if len(text) > enough {
		return strings.ToValidUTF8(text[:enough], "")
	}
	return text
}

// CreateRenderer is part of fyne.Widget.
func (c *composer) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.card) }
