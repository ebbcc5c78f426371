package app_test

import (
	"testing"

	"causa/app/apptest"
	"causa/matter"
)

// TestConclude ends a matter of one's own and lets it go on.
func TestConclude(t *testing.T) {
	for _, l := range []look{wideZh, wideEn, phoneZh} {
		t.Run(l.name, func(t *testing.T) {
			e, _ := apptest.Company()
			a, w := open(t, l, e, nil)
			pressMatter(t, w, "华东仓 WMS 上线")
			if l == phoneZh {
				a.Details()
			}
			press(t, w, l.tr("Conclude this matter…"))
			press(t, w, l.tr("Add a line to the decision table"))
			typeText(entry(t, w, l.tr("Item")), "上线")
			typeText(entry(t, w, l.tr("Value")), "12 月 1 日零点切换，旧系统只读保留三个月")
			typeText(entry(t, w, l.tr("What was decided")), "按计划上线，回归测试全部通过。")
			golden(t, "conclude-"+l.name, w)
			press(t, w, l.tr("Conclude"))
			if l == phoneZh {
				a.Back()
			}
			golden(t, "concluded-"+l.name, w)
			if l == wideZh {
				press(t, w, l.tr("Reopen this matter…"))
				typeText(entry(t, w, l.tr("Why it goes on")), "发现一个严重缺陷")
				press(t, w, l.tr("Reopen"))
				golden(t, "reopened-"+l.name, w)
			}
		})
	}
}

// Only the owner of a matter is offered to conclude it.
func TestConcludeIsTheOwners(t *testing.T) {
	e, id := apptest.Company()
	_, w := open(t, wideEn, e, nil)
	all, err := e.Matters(background())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.ID == id && (m.Owner == e.Me().Member.ID || m.State != matter.StateOpen) {
			t.Fatal("the company has changed")
		}
	}
	if shows(w, "Conclude this matter…") {
		t.Error("somebody else than the owner is offered to conclude the matter")
	}
}
