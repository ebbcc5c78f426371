package notify

import (
	"log/slog"
	"sync"
	"time"

	"causa/core"
	"causa/matter"
)

// A Detail is how much of a message a notification shows to whoever sees the screen.
type Detail int

// The details.
const (
	Nothing Detail = 0 // that there is something
	Title   Detail = 1 // and in which matter
	Text    Detail = 2 // and who says what
)

// Options say how notifications are made. Their functions may be called on any goroutine.
type Options struct {
	T      func(key string, args ...any) string
	Detail func() Detail
	// Open shows a matter, or with the zero id the digest, when a notification is clicked.
	Open func(matter.ID)
	Log  *slog.Logger

	now func() time.Time
	on  surface
}

// A surface shows notifications: the desktop's own way of doing it.
type surface interface {
	// show shows a notification; one with the same key takes the place of the last.
	show(key string, n Notification) error
	// remove takes a notification away.
	remove(key string) error
	close() error
}

// A Notification is what the person reads. Its texts may hold anything: a surface cleans
// them in the way it has to.
type Notification struct {
	Title, Body string
	Urgent      bool
}

// Limits of how often something is shown.
const (
	perMatter = 5 * time.Second  // one matter's notification changes no more often
	burst     = 5                // different ones at once ...
	perBurst  = 20 * time.Second // ... in so long; what is more waits, and is put together meanwhile
)

// keyDigest is the key of the one notification that is not about a matter.
const keyDigest = "digest"

// A Notifier shows notifications, one for each matter, which counts what it stands for. It
// is safe for concurrent use. One goroutine talks to the desktop, which may be slow.
type Notifier struct {
	o     Options
	nudge chan struct{}
	stop  chan struct{}
	ended chan struct{}

	mu      sync.Mutex // a leaf; guards what follows
	waiting map[string]*pending
	removed map[string]bool
	shown   map[string]*stand
	recent  []time.Time // of those shown last
}

// pending is a notification that is about to be shown.
type pending struct {
	notice      core.Notice
	title, name string
	count       int
}

// A stand is what is on the screen about a matter.
type stand struct {
	seq   uint64 // the newest message it is about
	count int
	at    time.Time
}

// New makes a notifier. Without a desktop that shows notifications it shows none.
func New(o Options) *Notifier {
	if o.now == nil {
		o.now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n := &Notifier{
		o: o, nudge: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		waiting: map[string]*pending{}, removed: map[string]bool{}, shown: map[string]*stand{},
	}
	if n.o.on == nil {
		on, err := openSurface(n.clicked)
		if err != nil {
			n.o.Log.Info("there are no desktop notifications", "err", err)
			on = silence{}
		}
		n.o.on = on
	}
	go n.run()
	return n
}

// silence is where there is no desktop.
type silence struct{}

func (silence) show(string, Notification) error { return nil }
func (silence) remove(string) error             { return nil }
func (silence) close() error                    { return nil }

// Close ends it. What is on the screen stays there.
func (n *Notifier) Close() {
	close(n.stop)
	<-n.ended
}

func (n *Notifier) wake() {
	select {
	case n.nudge <- struct{}{}:
	default:
	}
}

// Notice shows a notification soon. title is the matter's and name the author's, "" when
// not known.
func (n *Notifier) Notice(x core.Notice, title, name string) {
	key := x.Matter.String()
	if x.Kind == core.NoticeDigest {
		key = keyDigest
	}
	n.mu.Lock()
	p := n.waiting[key]
	if p == nil {
		p = &pending{}
		if s := n.shown[key]; s != nil && x.Kind == core.NoticeMessage {
			p.count = s.count
		}
		n.waiting[key] = p
	}
	urgent := p.notice.Kind == core.NoticeUrgent
	p.count += max(x.Count, 1)
	if !urgent || x.Kind == core.NoticeUrgent {
		p.notice, p.title, p.name = x, title, name
	}
	delete(n.removed, key)
	n.mu.Unlock()
	n.wake()
}

// Seen takes away what is shown of a matter up to a sequence.
func (n *Notifier) Seen(id matter.ID, seq uint64) {
	key := id.String()
	n.mu.Lock()
	if p := n.waiting[key]; p != nil && p.notice.Message.Seq <= seq {
		delete(n.waiting, key)
	}
	if s := n.shown[key]; s != nil && s.seq <= seq {
		delete(n.shown, key)
		n.removed[key] = true
	}
	n.mu.Unlock()
	n.wake()
}

// DigestTaken takes away that there is a digest.
func (n *Notifier) DigestTaken() {
	n.mu.Lock()
	delete(n.waiting, keyDigest)
	if n.shown[keyDigest] != nil {
		delete(n.shown, keyDigest)
		n.removed[keyDigest] = true
	}
	n.mu.Unlock()
	n.wake()
}

// clicked is called when a person clicks a notification.
func (n *Notifier) clicked(key string) {
	id, err := matter.ParseID(key)
	if err != nil {
		id = matter.ID{}
	}
	n.o.Open(id)
}

func (n *Notifier) run() {
	defer close(n.ended)
	defer func() {
		if err := n.o.on.close(); err != nil {
			n.o.Log.Warn("close notifications", "err", err)
		}
	}()
	for {
		next := n.step()
		var alarm <-chan time.Time
		if !next.IsZero() {
			t := time.NewTimer(max(next.Sub(n.o.now()), time.Millisecond))
			defer t.Stop()
			alarm = t.C
		}
		select {
		case <-n.stop:
			return
		case <-n.nudge:
		case <-alarm:
		}
	}
}

// step shows and removes what is due, and returns when something else will be.
func (n *Notifier) step() (next time.Time) {
	now := n.o.now()
	n.mu.Lock()
	var gone []string
	for key := range n.removed {
		gone = append(gone, key)
	}
	clear(n.removed)
	for len(n.recent) > 0 && now.Sub(n.recent[0]) >= perBurst {
		n.recent = n.recent[1:]
	}
	type due struct {
		key string
		pending
	}
	var show []due
	for key, p := range n.waiting {
		urgent := p.notice.Kind == core.NoticeUrgent
		if s := n.shown[key]; s != nil && !urgent && now.Sub(s.at) < perMatter {
			next = sooner(next, s.at.Add(perMatter))
			continue
		}
		if len(n.recent) >= burst && !urgent && key != keyDigest {
			next = sooner(next, n.recent[0].Add(perBurst))
			continue
		}
		n.recent = append(n.recent, now)
		n.shown[key] = &stand{seq: p.notice.Message.Seq, count: p.count, at: now}
		show = append(show, due{key, *p})
		delete(n.waiting, key)
	}
	n.mu.Unlock()
	for _, key := range gone {
		if err := n.o.on.remove(key); err != nil {
			n.o.Log.Info("a notification can't be removed", "err", err)
		}
	}
	for _, d := range show {
		if err := n.o.on.show(d.key, n.compose(&d.pending)); err != nil {
			n.o.Log.Info("a notification can't be shown", "err", err)
		}
	}
	return next
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// compose puts a notice into words, with as much detail as the person wants on the screen.
func (n *Notifier) compose(p *pending) Notification {
	x, count := p.notice, p.count
	urgent := x.Kind == core.NoticeUrgent
	out := Notification{Title: "Causa", Urgent: urgent}
	switch {
	case x.Kind == core.NoticeDigest:
		out.Body = n.o.T("%d messages came while it was quiet", x.Count)
		return out
	case urgent:
		out.Body = n.o.T("Urgent message in a matter")
	case count > 1:
		out.Body = n.o.T("%d new messages in a matter", count)
	default:
		out.Body = n.o.T("New message in a matter")
	}
	detail := n.o.Detail()
	if detail >= Title && p.title != "" {
		out.Title = p.title
	}
	if detail >= Text && count == 1 && p.name != "" {
		out.Body = p.name + ": " + x.Message.Text
	}
	return out
}
