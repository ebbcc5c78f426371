// Package thread is the screen on which one reads and writes in a matter.
package thread

import (
	"context"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"causa/app/files"
	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// An Engine is what this screen needs of one.
type Engine interface {
	Messages(ctx context.Context, id matter.ID, page core.Page) ([]matter.Message, error)
	Send(ctx context.Context, id matter.ID, text string) (matter.Message, error)
	MarkRead(ctx context.Context, id matter.ID, seq uint64) error
	Draft(ctx context.Context, id matter.ID) (string, error)
	SetDraft(ctx context.Context, id matter.ID, text string) error
	Presence(ctx context.Context, id matter.ID) (all []core.Presence, until time.Time, err error)

	Reply(ctx context.Context, id matter.ID, seq uint64, text string) (matter.Message, error)
	React(ctx context.Context, id matter.ID, seq uint64, emoji string, on bool) error
	Edit(ctx context.Context, id matter.ID, seq uint64, text string) error
	Versions(ctx context.Context, id matter.ID, seq uint64) ([]core.Version, error)
	Recall(ctx context.Context, id matter.ID, seq uint64) error
	Pin(ctx context.Context, id matter.ID, seq uint64, on bool) error
	AddTask(ctx context.Context, id matter.ID, t core.NewTask) (matter.Message, error)
	SetTask(ctx context.Context, id matter.ID, seq uint64, change core.TaskChange) error
	AddPoll(ctx context.Context, id matter.ID, n core.NewPoll) (matter.Message, error)
	Vote(ctx context.Context, id matter.ID, seq uint64, options ...int) error
	EndPoll(ctx context.Context, id matter.ID, seq uint64) error
}

// pageSize is how many messages are read at a time.
const pageSize = 60

// A Thread shows one matter at a time.
type Thread struct {
	widget.BaseWidget
	OnDetails func() // the header was pressed
	OnBack    func() // the back button of a narrow window was pressed

	env    *screen.Env
	engine Engine
	desk   *files.Desk

	m        matter.Matter
	open     int // counts the matters opened, so that late answers to earlier ones are dropped
	msgs     []matter.Message
	unread   uint64 // messages after this one were new when the matter was opened
	read     uint64 // marked as read up to here
	goal     uint64 // the message to jump to, as soon as it is there
	loading  bool
	whole    bool // the first message is there
	active   bool // somebody is looking
	narrow   bool
	drafting bool   // a draft is being written
	quiet    string // who is quiet, in words
	status   core.Status
	draft    string
	saved    string
	saving   sync.Mutex // held while a draft is being saved

	head     *header
	stream   *stream
	clip     *container.Clip
	composer *composer
	about    *about
	notice   *appwidget.Notice // connection, membership
	failed   *appwidget.Notice // what went wrong here
	latest   *appwidget.Button
	ground   *appwidget.Fill
	bottom   *appwidget.Fill
	line     *appwidget.Fill
}

// New returns an empty thread.
func New(env *screen.Env, engine Engine, desk *files.Desk) *Thread {
	t := &Thread{env: env, engine: engine, desk: desk, active: true}
	t.head = newHeader(env, func() { call(t.OnBack) }, func() { call(t.OnDetails) })
	t.stream = newStream(func() *row {
		r := newRow(env, desk, t.menu)
		r.onQuote = t.Jump
		return r
	})
	t.stream.onTop = t.earlier
	t.stream.onEnd = t.atEnd
	t.stream.words, t.stream.onCopy, t.stream.onType = t.words, t.copySelection, t.typed
	t.clip = container.NewClip(t.stream)
	t.composer = newComposer(env)
	t.composer.onSend = t.send
	t.composer.onAdd = t.addMenu
	t.about = newAbout(t.plain)
	t.composer.onDraft = t.keepDraft
	t.composer.onGrown = t.Refresh
	t.composer.entry.OnPage = t.stream.page
	t.notice, t.failed = appwidget.NewNotice(), appwidget.NewNotice()
	t.latest = appwidget.NewIconButton("arrow-down", env.T("Latest"), appwidget.Primary, t.stream.scrollToEnd)
	t.latest.Height = 30
	t.latest.Hide()
	t.ground = appwidget.NewFill(apptheme.Canvas, nil)
	t.bottom = appwidget.NewFill(apptheme.Surface, nil)
	t.line = appwidget.NewLine()
	t.ExtendBaseWidget(t)
	return t
}

func call(f func()) {
	if f != nil {
		f()
	}
}

// ID returns the id of the matter shown.
func (t *Thread) ID() matter.ID { return t.m.ID }

// Open shows a matter from its newest message on.
func (t *Thread) Open(m matter.Matter) {
	t.Close()
	t.open++
	t.m, t.msgs, t.unread, t.read, t.loading, t.whole = m, nil, 0, 0, false, false
	t.drafting, t.goal = false, 0
	t.failed.Clear()
	t.meet()
	t.head.set(m)
	t.stream.set(nil, true)
	t.about.edit = false
	t.plain()
	t.composer.put("")
	t.draft, t.saved = "", ""
	t.setOver()
	t.load(0, pageSize)
	open, text := t.open, ""
	t.env.Do(func(ctx context.Context) (err error) {
		text, err = t.engine.Draft(ctx, m.ID)
		return err
	}, func(err error) {
		if err == nil && open == t.open && t.composer.entry.Text == "" {
			t.draft, t.saved = text, text
			t.composer.put(text)
			t.composer.changed(text)
		}
	})
	t.Refresh()
}

// Close lets go of the matter; its draft is kept.
func (t *Thread) Close() {
	t.drafting = false // what is being saved is older: save again
	t.flushDraft()
}

// Update shows what changed about the matter itself.
func (t *Thread) Update(m matter.Matter) {
	if m.ID != t.m.ID {
		return
	}
	over := t.composer.Hidden
	t.m = m
	t.head.set(m)
	t.setOver()
	if over != t.composer.Hidden {
		t.Refresh()
	}
}

// Renamed shows names anew after the directory changed.
func (t *Thread) Renamed() {
	t.head.set(t.m)
	t.stream.forget()
	t.stream.place()
}

// SetActive says whether somebody is looking: only then are messages marked as read.
func (t *Thread) SetActive(active bool) {
	t.active = active
	t.markRead()
}

// FocusComposer gives the keyboard to the composer.
func (t *Thread) FocusComposer() {
	if t.composer.Visible() {
		t.env.Window.Focus(t.composer.entry)
	}
}

// SetNarrow chooses the layout of a narrow window.
func (t *Thread) SetNarrow(narrow bool) {
	t.narrow = narrow
	t.head.setNarrow(narrow)
}

// SetStatus shows how the connection is.
func (t *Thread) SetStatus(s core.Status) {
	t.status = s
	switch {
	case s.Problem != nil:
		text, hint := t.env.Fault(s.Problem)
		t.notice.Heed("cloud-off", text, hint)
	case !s.Online:
		t.notice.Heed("cloud-off", t.env.T("Not connected. What you write is sent as soon as the connection is back."), "")
	case t.quiet != "" && !t.composer.Hidden:
		t.notice.Heed("moon", t.quiet, "")
	default:
		t.notice.Clear()
	}
	t.Refresh()
}

// setOver takes the composer away where nothing more can be said.
func (t *Thread) setOver() {
	concluded := t.m.State.Closed()
	if t.composer.Hidden && !t.m.Removed && !concluded {
		t.failed.Clear() // reopened
	}
	t.composer.Hidden = t.m.Removed || concluded
	switch {
	case t.m.Removed:
		t.failed.Heed("lock", t.env.T("You are no longer in this matter."), t.env.T("You can read what was said while you were in it."))
	case concluded:
		t.failed.Heed("lock", t.env.T("This matter is concluded."), t.env.T("Its owner can reopen it."))
	}
}

// load reads up to limit messages before seq (0: the newest).
func (t *Thread) load(before uint64, limit int) {
	if t.loading {
		return
	}
	t.loading = true
	open, m := t.open, t.m
	var msgs []matter.Message
	t.env.Do(func(ctx context.Context) (err error) {
		msgs, err = t.engine.Messages(ctx, m.ID, core.Page{Before: before, Limit: limit})
		return err
	}, func(err error) {
		if open != t.open {
			return
		}
		t.loading = false
		if err != nil {
			text, hint := t.env.Fault(err)
			t.failed.Fail(text, hint)
			t.Refresh()
			return
		}
		if before == 0 && len(t.msgs) == 0 {
			t.unread = boundary(msgs, m.Unread, t.env.People.Self)
		}
		t.whole = t.whole || len(sent(msgs)) < limit
		t.merge(msgs, before == 0)
		if before == 0 {
			t.markRead()
		}
		t.toGoal()
	})
}

// earlier reads the page before the first message.
func (t *Thread) earlier() {
	if !t.whole && len(t.msgs) > 0 && t.msgs[0].Seq > 1 {
		t.load(t.msgs[0].Seq, pageSize)
	}
}

func sent(msgs []matter.Message) []matter.Message {
	return slices.DeleteFunc(slices.Clone(msgs), func(m matter.Message) bool { return m.Seq == 0 })
}

// boundary returns the last message that had been read when n of others' were unread.
func boundary(msgs []matter.Message, n int, self matter.MemberID) uint64 {
	for i := len(msgs) - 1; i >= 0 && n > 0; i-- {
		if msgs[i].Seq > 0 && msgs[i].Author != self {
			if n--; n == 0 {
				return msgs[i].Seq - 1
			}
		}
	}
	return 0
}

// merge takes messages in, in the hub's order, queued ones last, each once.
func (t *Thread) merge(msgs []matter.Message, toEnd bool) {
	at := make(map[matter.MessageID]int, len(t.msgs))
	for i, m := range t.msgs {
		at[m.ID] = i
	}
	for _, m := range msgs {
		if i, ok := at[m.ID]; ok {
			if m.Seq != 0 || t.msgs[i].Seq == 0 { // else it is older than what is known: the news of its being sent came first
				t.msgs[i] = m
			}
			continue
		}
		at[m.ID] = len(t.msgs)
		t.msgs = append(t.msgs, m)
	}
	sort.SliceStable(t.msgs, func(i, j int) bool { return order(t.msgs[i]) < order(t.msgs[j]) })
	t.stream.set(arrange(t.msgs, t.unread, t.env.People.Self, t.env.Now().Location()), toEnd)
}

func order(m matter.Message) uint64 {
	if m.Seq == 0 {
		return math.MaxUint64
	}
	return m.Seq
}

// Added takes in a message that is new.
func (t *Thread) Added(m matter.Message) {
	if m.Matter != t.m.ID {
		return
	}
	t.merge([]matter.Message{m}, m.Author == t.env.People.Self && m.Delivery == matter.DeliveryQueued)
	t.markRead()
}

// Changed takes in what became of a message: it was sent or refused, or something was done
// to it.
func (t *Thread) Changed(m matter.Message) {
	if m.Matter != t.m.ID || m.Seq != 0 && !t.whole && (len(t.msgs) == 0 || m.Seq < t.msgs[0].Seq) {
		return // it is read when one scrolls there
	}
	changed := []matter.Message{m}
	for _, x := range t.msgs {
		if q := x.Reply; q != nil && q.Seq != 0 && q.Seq == m.Seq {
			x.Reply = &matter.Quote{Seq: m.Seq, Author: m.Author, Kind: m.Kind, Text: m.Text}
			changed = append(changed, x)
		}
	}
	t.merge(changed, false)
}

func (t *Thread) atEnd(end bool) {
	if t.latest.Hidden != end {
		t.latest.Hidden = end
		t.latest.Refresh()
	}
	if end {
		t.markRead()
	}
}

// markRead tells the engine how far one has read, when the end is in view.
func (t *Thread) markRead() {
	if !t.active || !t.stream.stick || !t.Visible() {
		return
	}
	var seq uint64
	for _, m := range t.msgs {
		seq = max(seq, m.Seq)
	}
	if seq <= t.read {
		return
	}
	t.read = seq
	id := t.m.ID
	t.env.Do(func(ctx context.Context) error { return t.engine.MarkRead(ctx, id, seq) }, nil)
}

// send hands the draft to the engine, and gives it back when the engine refuses it.
func (t *Thread) send(text string) {
	open, id, seq, edit := t.open, t.m.ID, t.about.seq, t.about.edit
	t.about.edit = false
	t.plain()
	t.composer.put("")
	t.composer.changed("")
	t.draft = ""
	t.failed.Clear()
	t.unread = 0
	var msg matter.Message
	t.env.Do(func(ctx context.Context) (err error) {
		switch {
		case edit:
			err = t.engine.Edit(ctx, id, seq, text)
		case seq != 0:
			msg, err = t.engine.Reply(ctx, id, seq, text)
		default:
			msg, err = t.engine.Send(ctx, id, text)
		}
		return err
	}, func(err error) {
		if open != t.open {
			t.env.TellFault(err)
			return
		}
		if err != nil {
			if t.composer.entry.Text == "" {
				t.composer.put(text)
				t.composer.changed(text)
				t.keepDraft(text)
			}
			words, hint := t.env.Fault(err)
			t.failed.Fail(words, hint)
			t.Refresh()
			return
		}
		if !edit {
			t.merge([]matter.Message{msg}, true)
		}
		t.flushDraft()
	})
	t.Refresh()
}

// keepDraft saves the draft; while one is being saved, only the newest waits.
func (t *Thread) keepDraft(text string) {
	t.draft = text
	t.flushDraft()
}

func (t *Thread) flushDraft() {
	if t.drafting || t.draft == t.saved || t.m.ID.IsZero() {
		return
	}
	t.drafting, t.saved = true, t.draft
	open, id, text := t.open, t.m.ID, t.draft
	t.env.Do(func(ctx context.Context) error {
		t.saving.Lock() // in the order in which they were asked for
		defer t.saving.Unlock()
		return t.engine.SetDraft(ctx, id, text)
	}, func(error) {
		if open == t.open {
			t.drafting = false
			t.flushDraft()
		}
	})
}

// CreateRenderer is part of fyne.Widget.
func (t *Thread) CreateRenderer() fyne.WidgetRenderer {
	return &threadRenderer{t, []fyne.CanvasObject{t.ground, t.clip, t.head, t.bottom, t.line, t.notice, t.failed, t.about, t.composer, t.latest}}
}

type threadRenderer struct {
	t       *Thread
	objects []fyne.CanvasObject
}

func (r *threadRenderer) Destroy()                     {}
func (r *threadRenderer) MinSize() fyne.Size           { return fyne.NewSize(280, 240) }
func (r *threadRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *threadRenderer) Refresh() {
	r.Layout(r.t.Size())
	for _, o := range r.objects {
		o.Refresh()
	}
}

func (r *threadRenderer) Layout(size fyne.Size) {
	t := r.t
	if size.Width <= 0 {
		return
	}
	in := side
	gap := float32(12)
	if t.narrow {
		in, gap = sideNarrow, 10
	}
	headHeight := t.head.MinSize().Height
	t.ground.Resize(size)
	t.head.Resize(fyne.NewSize(size.Width, headHeight))
	inner := size.Width - 2*in
	t.composer.setWidth(inner)
	y := size.Height - gap
	put := func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		h := appwidget.HeightFor(o, inner)
		y -= h
		o.Move(fyne.NewPos(in, y))
		o.Resize(fyne.NewSize(inner, h))
		y -= gap - 2
	}
	put(t.composer)
	put(t.about)
	put(t.failed)
	put(t.notice)
	y -= 2
	t.bottom.Move(fyne.NewPos(0, y))
	t.bottom.Resize(fyne.NewSize(size.Width, size.Height-y))
	t.line.Move(fyne.NewPos(0, y))
	t.line.Resize(fyne.NewSize(size.Width, 1))
	view := fyne.NewSize(size.Width, max(y-headHeight, 0))
	t.clip.Move(fyne.NewPos(0, headHeight))
	t.clip.Resize(view)
	t.stream.Resize(view)
	m := t.latest.MinSize()
	t.latest.Resize(m)
	t.latest.Move(fyne.NewPos(size.Width-in-m.Width, y-m.Height-10))
}
