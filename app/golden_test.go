package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"causa/app"
	"causa/app/apptest"
	"causa/core"
	"causa/internal/words"
	"causa/matter"
)

// tr returns the words of a look's language.
func (l look) tr(key string, args ...any) string { return words.For(l.lang).T(key, args...) }

func TestGoldenMatters(t *testing.T) {
	for _, l := range []look{wideZh, wideEn, midEn} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			_, w := open(t, l, e, nil)
			golden(t, "matters-"+l.name, w)
		})
	}
}

func TestGoldenPhone(t *testing.T) {
	for _, l := range []look{phoneZh, phoneEn} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			a, w := open(t, l, e, nil)
			golden(t, "list-"+l.name, w)
			pressMatter(t, w, "与 Hengda Foods 的年度供货合同")
			golden(t, "thread-"+l.name, w)
			if !a.Back() {
				t.Error("there was nothing to go back from")
			}
			if l == phoneEn {
				a.Go(app.People)
				golden(t, "people-"+l.name, w)
				press(t, w, l.tr("Invite"))
				golden(t, "invite-"+l.name, w)
				a.Back()
				a.Go(app.Settings)
				golden(t, "settings-"+l.name, w)
			}
		})
	}
}

func TestGoldenWelcome(t *testing.T) {
	for _, l := range []look{wideZh, phoneEn} {
		t.Run(l.name, func(t *testing.T) {
			_, w := open(t, l, nil, func(o *app.Options) { o.Host = &host{} })
			golden(t, "welcome-"+l.name, w)
			press(t, w, l.tr("Create a workspace on this computer"))
			press(t, w, l.tr("Create workspace"))
			typeText(entry(t, w, l.tr("As colleagues know you")), "林晓")
			golden(t, "create-"+l.name, w)
		})
	}
	t.Run("join", func(t *testing.T) {
		_, w := open(t, wideEn, nil, func(o *app.Options) {
			o.Link = "causa://join?hub=192.168.1.20%3A7443&pin=2f6c"
			o.Join = func(context.Context, core.JoinRequest) (app.Engine, error) { return nil, apptest.Offline() }
		})
		press(t, w, "Join")
		golden(t, "join-failed-en-dark", w)
	})
}

func TestGoldenSheets(t *testing.T) {
	for _, l := range []look{wideZh, wideEn} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			a, w := open(t, l, e, nil)
			press(t, w, l.tr("New"))
			typeText(entry(t, w, l.tr("What is to be done?")), "秋季广交会参展准备")
			choose(t, w, "孙倩")
			press(t, w, l.tr("In a week"))
			golden(t, "new-"+l.name, w)
			a.Back()
			a.Go(app.People)
			choose(t, w, "Anna Berg")
			golden(t, "people-"+l.name, w)
			press(t, w, l.tr("Invite"))
			typeText(entry(t, w, l.tr("Name, as colleagues know it")), "赵蕾")
			press(t, w, l.tr("Make invite"))
			golden(t, "link-"+l.name, w)
			a.Back()
			a.Go(app.Settings)
			golden(t, "settings-"+l.name, w)
		})
	}
}

func TestGoldenStates(t *testing.T) {
	t.Run("empty", func(t *testing.T) {
		_, w := open(t, wideZh, apptest.New("恒达食品", "林晓", apptest.Now), nil)
		golden(t, "empty-zh-light", w)
	})
	t.Run("offline", func(t *testing.T) {
		e, id := apptest.Company()
		_, w := open(t, wideEn, e, nil)
		e.Hold()
		if _, err := e.Send(background(), id, "Sent as soon as the line is back."); err != nil {
			t.Fatal(err)
		}
		golden(t, "offline-en-dark", w)
	})
	t.Run("failed", func(t *testing.T) {
		e, id := apptest.Company()
		_, w := open(t, wideZh, e, nil)
		if _, err := e.Send(background(), id, "好的，今天办结。"); err != nil {
			t.Fatal(err)
		}
		e.Refuse(id, "You are no longer in this matter.")
		golden(t, "failed-zh-light", w)
	})
	t.Run("shut", func(t *testing.T) {
		e, _ := apptest.Company()
		_, w := open(t, wideZh, e, nil)
		e.Tell(core.Shut{Reason: apptest.Offline()})
		golden(t, "shut-zh-light", w)
	})
	t.Run("unreadable list", func(t *testing.T) {
		e, _ := apptest.Company()
		e.FailWith(errors.New("a bug"))
		_, w := open(t, phoneEn, e, nil)
		golden(t, "list-failed-en-dark-phone", w)
	})
}

// TestGoldenHostile shows names, titles and messages that try to break the layout.
func TestGoldenHostile(t *testing.T) {
	for _, l := range []look{wideZh, smallest} {
		t.Run(l.name, func(t *testing.T) {
			e := apptest.New(strings.Repeat("很长的组织名称", 30), strings.Repeat("长名字", 60), apptest.Now)
			rtl := e.AddMember("\u202eevil\u202c مرحبا \u2067x\u2069", matter.RoleMember, true)
			long := e.AddMember(strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6), matter.RoleGuest, true)
			id := e.Start(apptest.Now, core.NewMatter{
				Title: "line\none\ttwo\x07\u202e " + strings.Repeat("标题", 100), Class: "a class nobody knows", With: []matter.MemberID{rtl, long},
			}, e.Me().Member.ID)
			e.Say(id, rtl, apptest.Now, "\u202eright to left\u202c שלום עולם مرحبا بالعالم 👨‍👩‍👧 1️⃣")
			e.Say(id, long, apptest.Now, strings.Repeat("x", 400)+" "+strings.Repeat("中", 60)+"\n\n\x00\x1b[31mred?")
			e.Say(id, long, apptest.Now, "https://example.com/"+strings.Repeat("very-long-path/", 12))
			_, w := open(t, l, e, nil)
			if l == smallest {
				golden(t, "hostile-list-"+l.name, w)
				pressAnyMatter(t, w)
			}
			golden(t, "hostile-"+l.name, w)
		})
	}
}

func TestGoldenSearch(t *testing.T) {
	for _, l := range []look{wideZh, phoneEn} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			a, w := open(t, l, e, nil)
			a.Go(app.Search)
			typeText(entry(t, w, l.tr("Words that were said, or a title")), "60")
			golden(t, "search-"+l.name, w)
		})
	}
}

func TestGoldenAdmin(t *testing.T) {
	for _, l := range []look{wideZh, wideEn, phoneZh} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			a, w := open(t, l, e, nil)
			a.Go(app.Admin)
			golden(t, "admin-"+l.name, w)
			press(t, w, l.tr("Devices"))
			golden(t, "admin-devices-"+l.name, w)
			press(t, w, l.tr("Rules"))
			golden(t, "admin-rules-"+l.name, w)
		})
	}
}

func TestGoldenFingerprint(t *testing.T) {
	for _, l := range []look{wideZh, phoneEn} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			a, w := open(t, l, e, nil)
			a.Go(app.Settings)
			pressIcon(t, w, "qr-code")
			golden(t, "fingerprint-"+l.name, w)
		})
	}
}
