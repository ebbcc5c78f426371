package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"causa/app"
	"causa/app/apptest"
	"causa/core"
	"causa/internal/words"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// host is a computer that becomes a hub at once.
type host struct {
	address string
	err     error
}

func (h *host) Suggest() string { return "192.168.1.20:7443" }

func (h *host) Start(_ context.Context, address string) (string, error) {
	h.address = address
	return "causa://found?x", h.err
}

// a matterRow is what the list of matters consists of.
type matterRow interface {
	fyne.Tappable
	Title() string
}

func pressMatter(t *testing.T, w fyne.Window, title string) {
	t.Helper()
	for _, o := range visible(w.Content()) {
		if r, ok := o.(matterRow); ok && r.Title() == title {
			r.Tapped(nil)
			return
		}
	}
	t.Fatalf("no matter %q to be seen", title)
}

func pressAnyMatter(t *testing.T, w fyne.Window) {
	t.Helper()
	for _, o := range visible(w.Content()) {
		if r, ok := o.(matterRow); ok {
			r.Tapped(nil)
			return
		}
	}
	t.Fatal("no matter to be seen")
}

const composerEn = "Write a reply. Enter sends, Shift+Enter makes a new line."

func TestFirstRun(t *testing.T) {
	h := &host{}
	var got core.JoinRequest
	_, w := open(t, wideEn, nil, func(o *app.Options) {
		o.Host = h
		o.Join = func(_ context.Context, r core.JoinRequest) (app.Engine, error) {
			got = r
			return apptest.New(r.Organisation, r.Name, apptest.Now), nil
		}
	})
	press(t, w, "Create a workspace on this computer")
	press(t, w, "Create workspace")
	if !shows(w, "Say what the organisation is called.") {
		t.Error("an empty name of the organisation is not complained about")
	}
	typeText(entry(t, w, "Such as Hengda Foods"), " 恒达食品 ")
	typeText(entry(t, w, "As colleagues know you"), "林晓")
	press(t, w, "Create workspace")
	want := core.JoinRequest{Link: "causa://found?x", Name: "林晓", Organisation: "恒达食品", Device: "ThinkPad X1"}
	if got != want || h.address != "192.168.1.20:7443" {
		t.Errorf("joined with %+v at %q, want %+v at the address suggested", got, h.address, want)
	}
	if !shows(w, "No matters yet") {
		t.Error("after joining there is no list of matters")
	}
}

func TestFailedJoinKeepsWhatWasTyped(t *testing.T) {
	_, w := open(t, wideEn, nil, func(o *app.Options) {
		o.Join = func(context.Context, core.JoinRequest) (app.Engine, error) { return nil, apptest.Offline() }
	})
	press(t, w, "Join with an invite")
	link := entry(t, w, "causa://join?…")
	typeText(link, "causa://join?x")
	press(t, w, "Join")
	if !shows(w, "The hub can't be reached.") || link.Text != "causa://join?x" {
		t.Errorf("after a failure: link %q, reason shown %t", link.Text, shows(w, "The hub can't be reached."))
	}
	press(t, w, "Join") // and again
}

func TestSendAndReceive(t *testing.T) {
	e, id := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	c := entry(t, w, composerEn)
	typeText(c, "你好")
	shift(c, true)
	key(c, fyne.KeyReturn)
	shift(c, false)
	typeText(c, "world")
	key(c, fyne.KeyReturn)
	said := e.Text(id)
	if got := said[len(said)-1]; got != "你好\nworld" || c.Text != "" {
		t.Errorf("sent %q and kept %q, want both lines sent and nothing kept", got, c.Text)
	}
	key(c, fyne.KeyReturn)
	if got := len(e.Text(id)); got != len(said) {
		t.Error("an empty message was sent")
	}
}

// TestComposing plays the keys that an input method leaks while one types pinyin.
func TestComposing(t *testing.T) {
	e, id := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	c := entry(t, w, composerEn)
	before := len(e.Text(id))
	typeText(c, "好")
	letter := func(n fyne.KeyName) { c.KeyDown(&fyne.KeyEvent{Name: n}); c.TypedKey(&fyne.KeyEvent{Name: n}) }
	letter(fyne.KeyN) // pinyin: no character comes of it
	letter(fyne.KeyI)
	key(c, fyne.KeyBackspace, fyne.KeyLeft, fyne.KeyDelete)
	if c.Text != "好" {
		t.Errorf("editing the pinyin changed what was committed to %q", c.Text)
	}
	key(c, fyne.KeyReturn) // takes the pinyin as it is
	if got := len(e.Text(id)); got != before {
		t.Error("Enter while composing sent the message")
	}
	c.TypedRune('你')
	key(c, fyne.KeyReturn)
	if said := e.Text(id); len(said) != before+1 || said[before] != "好你" {
		t.Errorf("after composing, Enter sent %q", said[before:])
	}
}

func TestRefusedSendIsGivenBack(t *testing.T) {
	e, id := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	e.FailWith(apptest.Offline())
	c := entry(t, w, composerEn)
	typeText(c, "keep me")
	key(c, fyne.KeyReturn)
	if c.Text != "keep me" || !shows(w, "The hub can't be reached.") {
		t.Errorf("the composer has %q", c.Text)
	}
	if d, _ := e.Draft(background(), id); d != "keep me" {
		t.Errorf("the draft is %q", d)
	}
}

// TestLateAnswerToSend holds that a message stays sent when the engine's news of that
// comes before its answer to the wish.
func TestLateAnswerToSend(t *testing.T) {
	e, id := apptest.Company()
	var late []func()
	_, w := open(t, wideEn, e, func(o *app.Options) {
		run := o.Run
		o.Run = func(work, done func()) {
			if late == nil {
				run(work, done)
				return
			}
			work()
			late = append(late, done)
		}
	})
	e.Hold()
	late = []func(){func() {}}
	c := entry(t, w, composerEn)
	typeText(c, "quick")
	key(c, fyne.KeyReturn)
	e.Release()
	for i := 0; i < len(late); i++ {
		late[i]()
	}
	late = nil
	if said := e.Text(id); said[len(said)-1] != "quick" {
		t.Fatalf("said %q", said)
	}
	golden(t, "sent-en-dark", w)
}

func TestDraftsBelongToTheirMatter(t *testing.T) {
	e, id := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	typeText(entry(t, w, composerEn), "half a sent")
	pressMatter(t, w, "华东仓 WMS 上线")
	if c := entry(t, w, composerEn); c.Text != "" {
		t.Errorf("another matter begins with %q", c.Text)
	}
	if d, _ := e.Draft(background(), id); d != "half a sent" {
		t.Errorf("kept draft %q", d)
	}
	pressMatter(t, w, "与 Hengda Foods 的年度供货合同")
	c := entry(t, w, composerEn)
	if c.Text != "half a sent" {
		t.Errorf("the draft came back as %q", c.Text)
	}
	typeText(c, strings.Repeat("ence 句子", 60)+"\nmore")
	long := c.Text
	pressMatter(t, w, "华东仓 WMS 上线")
	pressMatter(t, w, "与 Hengda Foods 的年度供货合同")
	typeText(c, "!")
	if c.Text != long+"!" {
		t.Errorf("one goes on writing in the middle of the draft: %q", c.Text)
	}
}

func TestReadingMarksAsRead(t *testing.T) {
	e, _ := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	unread := func(title string) int {
		all, _ := e.Matters(background())
		return all[slices.IndexFunc(all, func(m matter.Matter) bool { return m.Title == title })].Unread
	}
	const title = "客户交接：天虹百货 3 号店"
	if unread(title) != 4 {
		t.Fatalf("%d unread before", unread(title))
	}
	pressMatter(t, w, title)
	if got := unread(title); got != 0 {
		t.Errorf("%d unread after reading", got)
	}
}

// TestPhoneDoesNotReadUnseen holds that on a phone, where the newest matter is loaded
// but not shown, nothing counts as read.
func TestPhoneDoesNotReadUnseen(t *testing.T) {
	e, id := apptest.Company()
	_, w := open(t, phoneZh, e, nil)
	all, _ := e.Matters(background())
	if all[0].ID != id || all[0].Unread == 0 {
		t.Fatalf("the newest matter has %d unread before anyone looked", all[0].Unread)
	}
	pressMatter(t, w, all[0].Title)
	if all, _ = e.Matters(background()); all[0].Unread != 0 {
		t.Errorf("%d unread after looking", all[0].Unread)
	}
}

func TestNewMatter(t *testing.T) {
	e, _ := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	press(t, w, "New")
	press(t, w, "Start matter")
	if !shows(w, "Give the matter a title.") {
		t.Error("an empty title is not complained about")
	}
	typeText(entry(t, w, "What is to be done?"), "秋季广交会")
	press(t, w, "Project")
	choose(t, w, "孙倩")
	choose(t, w, "Anna Berg")
	typeText(entry(t, w, "Year-month-day"), "someday")
	press(t, w, "Start matter")
	if !shows(w, "Write the date as year-month-day, such as 2026-11-21.") {
		t.Error("a wrong date is not complained about")
	}
	press(t, w, "In a week")
	press(t, w, "Start matter")
	got := e.Newest()
	if got.Title != "秋季广交会" || got.Class != matter.ClassProject || len(got.Participants) != 3 || got.Due.Format(time.DateOnly) != "2026-11-28" {
		t.Errorf("started %+v", got)
	}
	if w.Canvas().Overlays().Top() != nil {
		t.Error("the sheet is still open")
	}
	if !shows(w, "秋季广交会") {
		t.Error("the new matter is not open")
	}
}

func TestAddAndRemove(t *testing.T) {
	e, id := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	press(t, w, "Add people")
	choose(t, w, "陈刚")
	press(t, w, "Add")
	all, _ := e.Matters(background())
	if all[0].ID != id || len(all[0].Participants) != 6 {
		t.Errorf("%d participants, want 6", len(all[0].Participants))
	}
	if !shows(w, "Participants 6") {
		t.Error("the panel does not show the new participant")
	}
}

func TestLanguageSwitchesAtRunTime(t *testing.T) {
	e, id := apptest.Company()
	a, w := open(t, wideEn, e, nil)
	typeText(entry(t, w, composerEn), "draft")
	a.Go(app.Settings)
	press(t, w, "中文")
	if !shows(w, "语言") {
		t.Error("the settings are not Chinese")
	}
	a.Go(app.Matters)
	if c := entry(t, w, words.For("zh").T(composerEn)); c.Text != "draft" {
		t.Errorf("the draft is %q after the language changed", c.Text)
	}
	if d, _ := e.Draft(background(), id); d != "draft" {
		t.Errorf("kept draft %q", d)
	}
}

func TestQueuedIsSentLater(t *testing.T) {
	e, _ := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	const notice = "Not connected. What you write is sent as soon as the connection is back."
	e.Hold()
	if !shows(w, notice) {
		t.Error("nobody is told that there is no connection")
	}
	c := entry(t, w, composerEn)
	typeText(c, "later")
	key(c, fyne.KeyReturn)
	e.Release()
	if shows(w, notice) {
		t.Error("the notice stays after the connection is back")
	}
}

func TestSearchAndEscape(t *testing.T) {
	e, _ := apptest.Company()
	a, w := open(t, wideEn, e, nil)
	a.NewMatter()
	key(entry(t, w, "What is to be done?"), fyne.KeyEscape)
	if w.Canvas().Overlays().Top() != nil {
		t.Error("Escape in an entry does not close the sheet")
	}
	a.Search()
	search := entry(t, w, "Search matters and people")
	if w.Canvas().Focused() != search {
		t.Error("a.Search does not lead to the search")
	}
	typeText(search, "wms")
	key(search, fyne.KeyReturn)
	if !shows(w, e.ID("华东仓 WMS 上线").Short()) {
		t.Error("Enter in the search does not open the matter found")
	}
	a.Go(app.People)
	if a.Back() {
		t.Error("in a wide window there is nothing to go back from")
	}
}

// TestHistory reads a long thread from its end to its beginning.
func TestHistory(t *testing.T) {
	e := apptest.New("恒达食品", "林晓", apptest.Now)
	bob := e.AddMember("Bob", matter.RoleMember, true)
	id := e.Start(apptest.Now.Add(-9*time.Hour), core.NewMatter{Title: "long", Class: matter.ClassGeneral, With: []matter.MemberID{bob}}, e.Me().Member.ID)
	for i := range 500 {
		e.Say(id, bob, apptest.Now.Add(-8*time.Hour+time.Duration(i)*time.Minute/2), fmt.Sprintf("message %d %s", i, strings.Repeat("字", i%80)))
	}
	_, w := open(t, wideEn, e, nil)
	for range 400 {
		test.Scroll(w.Canvas(), fyne.NewPos(700, 400), 0, 400)
	}
	if !shows(w, "long") {
		t.Fatal("the matter is not open")
	}
	golden(t, "history-begin-en-dark", w)
}

// TestFound opens what a search found, where it was said.
func TestFound(t *testing.T) {
	e, id := apptest.Company()
	for i := range 200 {
		e.Say(id, e.Me().Member.ID, apptest.Now.Add(time.Duration(i)*time.Second), fmt.Sprintf("filler %d", i))
	}
	a, w := open(t, wideEn, e, nil)
	pressMatter(t, w, "华东仓 WMS 上线")
	a.Go(app.Search)
	search := entry(t, w, "Words that were said, or a title")
	typeText(search, "逾期违约金")
	key(search, fyne.KeyReturn)
	if !shows(w, e.ID("与 Hengda Foods 的年度供货合同").Short()) {
		t.Error("Enter does not open the matter found")
	}
	golden(t, "found-en-dark", w)
}

// TestRevoke shuts a device out, after asking.
func TestRevoke(t *testing.T) {
	e, _ := apptest.Company()
	a, w := open(t, wideEn, e, nil)
	a.Go(app.Admin)
	press(t, w, "Devices")
	press(t, w, "Revoke…")
	press(t, w, "Revoke")
	all, err := e.Devices(background())
	if err != nil || !slices.ContainsFunc(all, func(d matter.Device) bool { return d.Revoked }) {
		t.Errorf("no device is revoked (%v)", err)
	}
	if w.Canvas().Overlays().Top() != nil {
		t.Error("the sheet stays open")
	}
}
