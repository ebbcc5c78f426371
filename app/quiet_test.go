package app_test

import (
	"testing"
	"time"

	"causa/app"
	"causa/app/apptest"
	"causa/core"
	"causa/dnd"
	"causa/matter"
)

// quietCompany is the company in which 林晓 has quiet hours, and a digest waits.
func quietCompany() (*apptest.Engine, matter.ID) {
	e, id := apptest.Company()
	members, _ := e.Members(background())
	r := dnd.Rules{
		Zone: "Asia/Shanghai", Calendars: []dnd.Calendar{dnd.China()},
		Windows: []dnd.Window{
			{Days: dnd.WorkingDays, From: dnd.At(18, 30), To: dnd.At(8, 30)},
			{Days: dnd.EveryDay, From: dnd.At(12, 30), To: dnd.At(13, 30)},
			{Days: dnd.FreeDays, From: 0, To: dnd.At(24, 0)},
		},
		VIPs:    []matter.MemberID{members[3].ID},
		Matters: []dnd.Override{{Matter: id, Mode: dnd.ModeAlways}},
	}
	all, _ := e.Matters(background())
	at := apptest.Now.Add(-3 * time.Hour)
	item := func(text string, urgent bool) core.DigestItem {
		at = at.Add(7 * time.Minute)
		return core.DigestItem{Urgent: urgent, Message: matter.Message{Seq: 1, Author: members[1].ID, Time: at, Text: text}}
	}
	d := core.Digest{Items: 4, Matters: []core.DigestMatter{
		{Matter: all[1].ID, Title: all[1].Title, Urgent: true, Items: []core.DigestItem{item("机器停了，需要备件。", true), item("备件已在路上。", false)}},
		{Matter: all[2].ID, Title: all[2].Title, Items: []core.DigestItem{item("The list is final.", false), item("Shall we conclude?", false)}},
	}}
	until := time.Date(2026, 11, 23, 8, 30, 0, 0, apptest.Now.Location())
	e.SetQuiet(core.Quiet{Rules: r}, core.QuietNow{Quiet: true, Until: until, Held: 4, Due: 4}, d)
	tokyo, _ := time.LoadLocation("Asia/Tokyo")
	e.SetPresence(core.Presence{Member: members[1].ID, Quiet: true, QuietUntil: until, Zone: tokyo})
	return e, id
}

func TestGoldenQuiet(t *testing.T) {
	for _, l := range []look{wideZh, wideEn, phoneZh, phoneEn} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := quietCompany()
			a, w := open(t, l, e, nil)
			if l == phoneZh || l == wideEn {
				pressMatter(t, w, "与 Hengda Foods 的年度供货合同")
				golden(t, "quiet-thread-"+l.name, w)
			}
			a.Go(app.Settings)
			press(t, w, l.tr("Do not disturb"))
			golden(t, "quiet-"+l.name, w)
			press(t, w, l.tr("Show the digest"))
			golden(t, "digest-"+l.name, w)
		})
	}
}

// A window is added, read back in words, and removed; what can't hold is refused on the spot.
func TestQuietWindows(t *testing.T) {
	e, _ := apptest.Company()
	a, w := open(t, wideEn, e, nil)
	a.Go(app.Settings)
	press(t, w, "Do not disturb")
	press(t, w, "Add a window")
	typeText(entry(t, w, "18:30"), "8:00")
	typeText(entry(t, w, "08:30"), "08:00")
	press(t, w, "Add")
	if len(e.Quiet().Rules.Windows) != 0 {
		t.Fatal("a window that ends when it begins was taken")
	}
	a.Back()
	press(t, w, "Add a window")
	press(t, w, "Working days")
	typeText(entry(t, w, "18:30"), "22：00")
	press(t, w, "Add")
	if !shows(w, "Working days 22:00 – 08:30 the next day") {
		t.Error("the window is not to be seen")
	}
	want := dnd.Window{Days: dnd.WorkingDays, From: dnd.At(22, 0), To: dnd.At(8, 30)}
	if got := e.Quiet().Rules.Windows; len(got) != 1 || got[0].Days != want.Days || got[0].From != want.From || got[0].To != want.To {
		t.Errorf("windows = %+v", got)
	}
	press(t, w, "Quiet for an hour")
	if m := e.Quiet().Rules.Manual; m.Kind != dnd.ManualQuiet || !m.Until.Equal(apptest.Now.Add(time.Hour)) {
		t.Errorf("switched by hand: %+v", m)
	}
	press(t, w, "Back to the windows")
	if m := e.Quiet().Rules.Manual; m.Kind != dnd.ManualNone {
		t.Errorf("switched by hand: %+v", m)
	}
	press(t, w, "In a meeting for an hour")
	if s, until, _ := e.Availability(background()); s != core.InMeeting || !until.Equal(apptest.Now.Add(time.Hour)) {
		t.Errorf("availability = %v until %v", s, until)
	}
	press(t, w, "Only my devices")
	if !e.Quiet().Private {
		t.Error("the hub is still told")
	}
	press(t, w, "Set the organisation's quiet hours")
	press(t, w, "Add")
	if f, _ := e.Floor(); len(f.Windows) != 1 || !f.Local {
		t.Errorf("floor = %+v", f)
	}
}

// The bell of a matter, the digest and an urgent message that wants an answer.
func TestQuietMatters(t *testing.T) {
	e, id := quietCompany()
	members, _ := e.Members(background())
	e.SetUrgent(core.UrgentState{Message: matter.MessageID{7}, Author: members[1].ID, Text: "机器停了", Reason: "停产", Mine: true})
	a, w := open(t, wideEn, e, nil)
	pressMatter(t, w, "与 Hengda Foods 的年度供货合同")
	if !shows(w, "Urgent: 停产") {
		t.Fatal("nobody is asked to acknowledge an urgent message")
	}
	press(t, w, "Acknowledge")
	if all, _ := e.Urgent(background(), id); all[0].Mine {
		t.Error("it is not acknowledged")
	}
	press(t, w, "Never")
	if got := e.Quiet().Rules.Matters; len(got) != 1 || got[0].Matter != id || got[0].Mode != dnd.ModeNever {
		t.Errorf("overrides = %+v", got)
	}
	press(t, w, "As usual")
	if got := e.Quiet().Rules.Matters; len(got) != 0 {
		t.Errorf("overrides = %+v", got)
	}
	press(t, w, "Send later…")
	typeText(entry(t, w, "Message"), "good morning")
	press(t, w, "Send later")
	press(t, w, "Urgent message…")
	typeText(entry(t, w, "Message"), "the line stands still")
	typeText(entry(t, w, "Why it can't wait"), "production stop")
	press(t, w, "Send urgently")
	ms, _ := e.Messages(background(), id, core.Page{Limit: 2})
	if len(ms) != 2 || ms[0].Delivery != matter.DeliveryScheduled || ms[0].Text != "good morning" || ms[1].Kind != matter.KindUrgent {
		t.Errorf("the last messages are %+v", ms)
	}
	a.Go(app.Settings)
	press(t, w, "Do not disturb")
	press(t, w, "Show the digest")
	press(t, w, "Open")
	if d, _ := e.Digest(background()); d.Items != 0 {
		t.Error("the digest is listed again")
	}
}
