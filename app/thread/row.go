package thread

import (
	"image/color"
	"slices"

	"causa/app/files"
	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// The measures of a line.
const (
	side       float32 = 22 // free space at both sides
	sideNarrow float32 = 12
	avatar     float32 = 34
	beside     float32 = 12 // between avatar and bubble
	padX       float32 = 13
	padY       float32 = 8
	nameHeight float32 = 21
	gapLead    float32 = 14 // above a message with a name
	gapNext    float32 = 4  // above one without
	widest     float32 = 560
	lineHeight float32 = 22
)

// A row draws one line of the stream: a bubble with its author, an event, a day. It is
// used again for other lines.
type row struct {
	widget.BaseWidget
	env     *screen.Env
	desk    *files.Desk
	onMenu  func(m matter.Message, at fyne.Position)
	onQuote func(seq uint64) // the quote in an answer was pressed
	onTap   func()

	it     item
	mine   bool
	narrow bool
	height float32
	flow   []appwidget.TextLine
	bubble fyne.Position
	size   fyne.Size // of the bubble
	from   int       // first line of text in view
	to     int       // after the last
	turn   uint
	marked [2]int // which bytes of the words are selected
	fixed  int    // objects beside the lines of text

	ground  *canvas.Rectangle
	avatar  *appwidget.Tile
	name    *canvas.Text
	when    *canvas.Text
	state   *appwidget.Icon
	note    *canvas.Text // why a message was refused
	rule    [2]*canvas.Rectangle
	marks   []*canvas.Rectangle
	texts   []*canvas.Text
	over    []extraLine    // above the text of a bubble
	under   []extraLine    // below it
	beside  []*canvas.Text // for those
	used    int            // of beside
	bar     *canvas.Rectangle
	card    *appwidget.FileCard // nil until it is needed
	filed   float32             // what the card takes above the text
	objects []fyne.CanvasObject
}

func newRow(env *screen.Env, desk *files.Desk, onMenu func(matter.Message, fyne.Position)) *row {
	r := &row{env: env, desk: desk, onMenu: onMenu}
	r.ground = canvas.NewRectangle(nil)
	r.avatar = appwidget.NewAvatar("", nil, avatar)
	r.name, r.when, r.note = canvas.NewText("", nil), canvas.NewText("", nil), canvas.NewText("", nil)
	r.name.TextStyle.Bold = true
	r.name.TextSize, r.when.TextSize, r.note.TextSize = apptheme.SizeSmall, apptheme.SizeTiny, apptheme.SizeTiny
	r.state = appwidget.NewIcon("check").Sized(13)
	r.rule = [2]*canvas.Rectangle{canvas.NewRectangle(nil), canvas.NewRectangle(nil)}
	r.bar = canvas.NewRectangle(nil)
	r.ExtendBaseWidget(r)
	return r
}

// set shows a line, laid out for a width, and returns the height it takes.
func (r *row) set(it *item, width float32) float32 {
	r.it, r.narrow = *it, width < 460
	r.from, r.to, r.used, r.marked = 0, 0, 0, [2]int{}
	r.over, r.under, r.filed = nil, nil, 0
	r.objects = r.objects[:0]
	switch it.key.kind {
	case itemMessage:
		r.setMessage(width)
	case itemStamp:
		r.setStamp(width)
	default:
		r.setMark(width)
	}
	r.fixed = len(r.objects)
	canvas.Refresh(r)
	return r.height
}

func (r *row) inset() float32 {
	if r.narrow {
		return sideNarrow
	}
	return side
}

// column is the width that avatars take; a narrow window has no room for them.
func (r *row) column() float32 {
	if r.narrow {
		return 0
	}
	return avatar + beside
}

// shown is what stands in a bubble.
func shown(env *screen.Env, m *matter.Message) string {
	text := appwidget.Visible(env.Mentions(said(m)))
	switch m.Kind {
	case matter.KindUrgent:
		if len(m.Facts) > 0 {
			return env.T("Urgent: %s", appwidget.OneLine(m.Facts[0].Value)) + "\n" + text
		}
	case matter.KindUnread:
		return env.T("This device can't read this message.")
	case matter.KindNewer:
		return env.T("A newer version of Causa wrote this. Update to read it.")
	}
	return text
}

func (r *row) setMessage(width float32) {
	m := &r.it.msg
	r.mine = m.Author == r.env.People.Self
	text := shown(r.env, m)
	column := r.column()
	taken := 2*r.inset() + 2*padX + 2*column
	if r.narrow {
		taken += 40 // so that one sees whose side a bubble is on
	}
	r.flow = appwidget.Flow(text, min(width-taken, widest), apptheme.SizeBody, fyne.TextStyle{})
	w := r.setFile(min(width-taken, fileWidest))
	if text == "" && w > 0 {
		r.flow = nil
	}
	for _, l := range r.flow {
		w = max(w, l.Width)
	}
	room := min(width-taken, widest)
	r.over, r.under = r.above(m, room), r.below(m, room)
	w = min(max(w, extraWidth(r.over), extraWidth(r.under)), room)
	r.size = fyne.NewSize(w+2*padX, float32(len(r.flow))*lineHeight+2*padY+r.filed+extras(r.over)+extras(r.under))
	y := gapNext
	if r.it.lead {
		y = gapLead
	}
	left := r.inset() + column
	right := width - r.inset() - column
	r.avatar.Move(fyne.NewPos(r.inset(), y))
	if r.mine {
		left = right - r.size.Width
		r.avatar.Move(fyne.NewPos(width-r.inset()-avatar, y))
	}
	r.avatar.Resize(fyne.NewSquareSize(avatar))
	if r.it.lead {
		r.head(left, right, y)
		y += nameHeight
	}
	r.bubble = fyne.NewPos(left, y)
	r.height = y + r.size.Height
	r.paintBubble()
	r.paintExtras(r.over, y+padY)
	r.paintExtras(r.under, y+r.size.Height-padY-extras(r.under)+extraGap)
	r.paintBar(r.over, y+padY)
	r.placeFile(y + padY + extras(r.over))
	r.setState(right)
	r.height += 2
}

// head writes who and when above the bubble.
func (r *row) head(left, right, y float32) {
	m := &r.it.msg
	r.name.Color, r.when.Color = apptheme.Of(apptheme.Text), apptheme.Of(apptheme.Muted)
	r.when.Text = r.env.Words.Clock(r.env.Local(m.Time))
	r.avatar.SetPerson(r.env.Name(m.Author), m.Author[:])
	ww := appwidget.TextWidth(r.when.Text, r.when.TextSize, r.when.TextStyle)
	if r.mine {
		r.name.Text = ""
		r.when.Move(fyne.NewPos(right-ww, y))
	} else {
		r.name.Text = appwidget.Shorten(appwidget.OneLine(r.env.Name(m.Author)), max(right-left-ww-8, 40), r.name.TextSize, r.name.TextStyle)
		nw := appwidget.TextWidth(r.name.Text, r.name.TextSize, r.name.TextStyle)
		r.name.Move(fyne.NewPos(left, y))
		r.name.Resize(fyne.NewSize(nw, nameHeight-4))
		r.when.Move(fyne.NewPos(left+nw+8, y))
		r.objects = append(r.objects, r.name)
	}
	r.when.Resize(fyne.NewSize(ww, nameHeight-4))
	r.objects = append(r.objects, r.when)
	if !r.narrow {
		r.objects = append(r.objects, r.avatar)
	}
}

func (r *row) paintBubble() {
	ground, line := apptheme.Bubble, apptheme.BubbleLine
	r.ground.TopLeftCornerRadius, r.ground.TopRightCornerRadius = 0, 0
	r.ground.CornerRadius = apptheme.RadiusCard
	switch {
	case r.mine:
		ground, line = apptheme.Mine, apptheme.MineLine
		r.ground.TopRightCornerRadius = 3
	default:
		r.ground.TopLeftCornerRadius = 3
	}
	if r.it.msg.Delivery == matter.DeliveryFailed {
		line = apptheme.Seal
	}
	r.ground.FillColor, r.ground.StrokeColor, r.ground.StrokeWidth = apptheme.Of(ground), apptheme.Of(line), 1
	r.ground.Move(r.bubble)
	r.ground.Resize(r.size)
	r.objects = append(r.objects, r.ground)
}

// setState shows how far a message of one's own has come.
func (r *row) setState(right float32) {
	m := &r.it.msg
	if !r.mine || m.Delivery == 0 {
		return
	}
	r.state.Name, r.state.Color = "check", apptheme.Calm
	switch m.Delivery {
	case matter.DeliveryQueued:
		r.state.Name, r.state.Color = "clock", apptheme.Muted
	case matter.DeliveryFailed:
		r.state.Name, r.state.Color = "circle-alert", apptheme.SealText
	}
	r.state.Refresh()
	r.state.Resize(fyne.NewSquareSize(13))
	r.state.Move(fyne.NewPos(r.bubble.X-19, r.bubble.Y+r.size.Height-18))
	r.objects = append(r.objects, r.state)
	if m.Delivery == matter.DeliveryFailed {
		words := r.env.T("Not sent.")
		if m.Problem != "" {
			words = r.env.T(m.Problem)
		}
		r.note.Text = appwidget.Shorten(words, right-r.inset(), r.note.TextSize, r.note.TextStyle)
		r.note.Color = apptheme.Of(apptheme.SealText)
		w := r.note.MinSize().Width
		r.note.Move(fyne.NewPos(right-w, r.height+3))
		r.note.Resize(fyne.NewSize(w, 16))
		r.objects = append(r.objects, r.note)
		r.height += 20
	}
}

// setMark draws what is not a message: an event, a day, the beginning of the new.
func (r *row) setMark(width float32) {
	r.mine = false
	text, ground, ink, bold := "", color.Color(color.Transparent), apptheme.Muted, false
	r.height = 46
	switch r.it.key.kind {
	case itemEvent:
		text, ground = r.eventText(), apptheme.Of(apptheme.Event)
		r.height = 38
		if k := r.it.msg.Kind; k == matter.KindBroken || k == matter.KindOverreach {
			ink = apptheme.SealText
		}
	case itemDay:
		text, bold = r.env.Words.Day(r.it.day, r.env.Now()), true
	case itemUnread:
		text, ink, bold = r.env.T("New messages"), apptheme.Link, true
	}
	size := apptheme.SizeTiny
	style := fyne.TextStyle{Bold: bold}
	r.flow = appwidget.Flow(appwidget.Visible(text), width-2*r.inset()-28, size, style)
	var w float32
	for _, l := range r.flow {
		w = max(w, l.Width)
	}
	h := float32(len(r.flow))*18 + 6
	r.height = max(r.height, h+14)
	r.size = fyne.NewSize(w+24, h)
	r.bubble = fyne.NewPos((width-r.size.Width)/2, (r.height-h)/2+3)
	r.ground.TopLeftCornerRadius, r.ground.TopRightCornerRadius = 0, 0
	r.ground.FillColor, r.ground.StrokeWidth, r.ground.CornerRadius = ground, 0, min(h/2, 12)
	r.ground.Move(r.bubble)
	r.ground.Resize(r.size)
	r.objects = append(r.objects, r.ground)
	if r.it.key.kind != itemEvent {
		for i, l := range r.rule {
			l.FillColor = apptheme.Of(apptheme.Line)
			if r.it.key.kind == itemUnread {
				l.FillColor = apptheme.Of(apptheme.Accent)
			}
			x, end := r.inset(), r.bubble.X-4
			if i == 1 {
				x, end = r.bubble.X+r.size.Width+4, width-r.inset()
			}
			l.Move(fyne.NewPos(x, r.bubble.Y+h/2))
			l.Resize(fyne.NewSize(max(end-x, 0), 1))
			r.objects = append(r.objects, l)
		}
	}
	r.grow(len(r.flow))
	for i, l := range r.flow {
		t := r.texts[i]
		t.Text, t.Color, t.TextSize, t.TextStyle = l.Text, apptheme.Of(ink), size, style
		t.Alignment = fyne.TextAlignCenter
		t.Move(fyne.NewPos(r.bubble.X, r.bubble.Y+3+float32(i)*18))
		t.Resize(fyne.NewSize(r.size.Width, 18))
		r.objects = append(r.objects, t)
	}
}

func (r *row) eventText() string {
	m := &r.it.msg
	when := r.env.Words.Clock(r.env.Local(m.Time))
	who := r.env.NameOrYou(m.Author)
	switch m.Kind {
	case matter.KindAdded:
		if len(m.Subjects) == 1 && m.Subjects[0] == m.Author {
			return r.env.T("%s · %s joined", when, who)
		}
		return r.env.T("%s · %s added %s", when, who, r.env.Names(m.Subjects))
	case matter.KindReopened:
		if m.Text != "" {
			return r.env.T("%s · %s reopened this matter: %s", when, who, appwidget.OneLine(m.Text))
		}
		return r.env.T("%s · %s reopened this matter", when, who)
	case matter.KindRecalled:
		words := r.env.T("%s · %s took a message back", when, r.actor(m))
		if g := m.Gone; g != nil && len(g.Waiting) > 0 {
			words += r.env.T(" · destroyed on %d of %d devices", g.Done, g.Done+len(g.Waiting))
		}
		return words
	case matter.KindMoved:
		return r.env.T("%s · %s moved a message to another matter", when, r.actor(m))
	case matter.KindDevice:
		return r.env.T("%s · further device: %s", when, r.env.Names(m.Subjects))
	case matter.KindRemoved:
		if len(m.Subjects) == 1 && m.Subjects[0] == m.Author {
			return r.env.T("%s · %s left", when, who)
		}
		return r.env.T("%s · %s removed %s", when, who, r.env.Names(m.Subjects))
	}
	if event := r.env.Event(*m); event != "" {
		return r.env.T("%s · %s", when, appwidget.OneLine(event))
	}
	if with := without(m.Subjects, m.Author); len(with) > 0 {
		return r.env.T("%s · %s started this matter with %s", when, who, r.env.Names(with))
	}
	return r.env.T("%s · %s started this matter", when, who)
}

// actor names who took a message away.
func (r *row) actor(m *matter.Message) string {
	if len(m.Subjects) == 0 {
		return r.env.NameOrYou(m.Author)
	}
	return r.env.NameOrYou(m.Subjects[0])
}

func without(ids []matter.MemberID, id matter.MemberID) []matter.MemberID {
	return slices.DeleteFunc(slices.Clone(ids), func(x matter.MemberID) bool { return x == id })
}

func (r *row) grow(n int) {
	for len(r.texts) < n {
		r.texts = append(r.texts, canvas.NewText("", nil))
	}
}

// window makes the lines of text between two heights exist: a message of 64 KiB has
// thousands, of which a screen shows forty.
func (r *row) window(top, bottom float32) {
	if r.it.key.kind != itemMessage {
		return
	}
	first := r.bubble.Y + padY + extras(r.over) + r.filed
	from := min(max(int((top-first)/lineHeight), 0), len(r.flow))
	to := min(max(int((bottom-first)/lineHeight)+1, from), len(r.flow))
	if from == r.from && to == r.to {
		return
	}
	r.from, r.to = from, to
	r.objects = r.objects[:r.fixed]
	r.paintMarks(from, to, first)
	r.grow(to - from)
	ink := apptheme.Text
	if r.it.msg.Kind == matter.KindUnread || r.it.msg.Kind == matter.KindNewer {
		ink = apptheme.Muted
	}
	for i, l := range r.flow[from:to] {
		t := r.texts[i]
		t.Text, t.Color, t.TextSize, t.TextStyle, t.Alignment = l.Text, apptheme.Of(ink), apptheme.SizeBody, fyne.TextStyle{}, fyne.TextAlignLeading
		t.Move(fyne.NewPos(r.bubble.X+padX, first+float32(from+i)*lineHeight))
		t.Resize(fyne.NewSize(r.size.Width-2*padX, lineHeight))
		r.objects = append(r.objects, t)
	}
	canvas.Refresh(r)
}

// TappedSecondary is part of fyne.SecondaryTappable.
func (r *row) TappedSecondary(e *fyne.PointEvent) {
	inside := e.Position.Subtract(r.bubble)
	if (r.it.key.kind == itemMessage || r.it.key.kind == itemStamp) && r.onMenu != nil && inside.X >= 0 && inside.Y >= 0 && inside.X < r.size.Width && inside.Y < r.size.Height {
		r.onMenu(r.it.msg, e.AbsolutePosition)
	}
}

// MinSize is part of fyne.CanvasObject.
func (r *row) MinSize() fyne.Size { return fyne.NewSize(160, r.height) }

// CreateRenderer is part of fyne.Widget.
func (r *row) CreateRenderer() fyne.WidgetRenderer { return &rowRenderer{r} }

type rowRenderer struct{ r *row }

func (q *rowRenderer) Destroy()                     {}
func (q *rowRenderer) Layout(fyne.Size)             {}
func (q *rowRenderer) MinSize() fyne.Size           { return q.r.MinSize() }
func (q *rowRenderer) Objects() []fyne.CanvasObject { return q.r.objects }
func (q *rowRenderer) Refresh()                     { canvas.Refresh(q.r) }
