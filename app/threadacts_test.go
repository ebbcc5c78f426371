package app_test

import (
	"testing"
	"time"

	"causa/app/apptest"
	"causa/core"
	"causa/matter"
)

// lively adds to a company's contract what people do with messages.
func lively(t *testing.T) *apptest.Engine {
	t.Helper()
	e, id := apptest.Company()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ms, err := e.Messages(background(), id, core.Page{})
	must(err)
	m, err := e.Matter(id)
	must(err)
	asked, said := ms[1], ms[len(ms)-1]
	must(e.React(background(), id, asked.Seq, "👍", true))
	must(e.Pin(background(), id, asked.Seq, true))
	_, err = e.Reply(background(), id, said.Seq, "同意，今天办结。"+matter.Mention(said.Author)+" 请定稿。")
	must(err)
	must(e.Edit(background(), id, ms[3].Seq, "60 天可以，但要加上逾期违约金，按 LPR 的 1.5 倍，写进正文。"))
	_, err = e.AddTask(background(), id, core.NewTask{Text: "把第 4 条的新措辞发给 Hengda", Assignee: said.Author, Due: apptest.Now.Add(72 * time.Hour)})
	must(err)
	_, err = e.AddPoll(background(), id, core.NewPoll{Question: "签约仪式放在哪天？", Options: []string{"11 月 26 日", "11 月 27 日"}})
	must(err)
	ms, err = e.Messages(background(), id, core.Page{})
	must(err)
	must(e.Vote(background(), id, ms[len(ms)-1].Seq, 1))
	gone := e.Say(id, m.Owner, apptest.Now, "发错了")
	must(e.Recall(background(), id, gone.Seq))
	return e
}

func TestGoldenThreadActs(t *testing.T) {
	for _, l := range []look{wideZh, wideEn, phoneZh} {
		t.Run(l.name, func(t *testing.T) {
			_, w := open(t, l, lively(t), nil)
			if l == phoneZh {
				pressMatter(t, w, "与 Hengda Foods 的年度供货合同")
			}
			golden(t, "acts-"+l.name, w)
		})
	}
}

// The composer's button sets tasks and asks.
func TestNewTaskAndPoll(t *testing.T) {
	e, id := apptest.Company()
	a, w := open(t, wideZh, e, nil)
	a.ThreadForTest().NewTask()
	typeText(entry(t, w, wideZh.tr("What is to be done?")), "把合同寄出去")
	choose(t, w, "孙倩")
	press(t, w, wideZh.tr("Tomorrow"))
	golden(t, "task-"+wideZh.name, w)
	press(t, w, wideZh.tr("Set the task"))
	a.ThreadForTest().NewPoll()
	typeText(entry(t, w, wideZh.tr("What do you want to know?")), "哪天签约？")
	answers := entry(t, w, wideZh.tr("One answer on each line"))
	answers.SetText("周四\n\n周五\n")
	press(t, w, wideZh.tr("Ask"))
	ms, err := e.Messages(background(), id, core.Page{})
	if err != nil {
		t.Fatal(err)
	}
	task, poll := ms[len(ms)-2], ms[len(ms)-1]
	if task.Kind != matter.KindTask || task.Text != "把合同寄出去" || task.Task.Assignee.IsZero() || task.Task.Due.IsZero() {
		t.Errorf("task = %+v", task)
	}
	if poll.Kind != matter.KindPoll || poll.Poll == nil || len(poll.Poll.Options) != 2 || poll.Poll.Options[1].Text != "周五" {
		t.Errorf("poll = %+v", poll)
	}
}

// Answering and changing go through the composer; leaving either is one press.
func TestAnswerAndChange(t *testing.T) {
	e, id := apptest.Company()
	a, w := open(t, wideEn, e, nil)
	ms, err := e.Messages(background(), id, core.Page{})
	if err != nil {
		t.Fatal(err)
	}
	own := ms[3]
	a.ThreadForTest().Answer(ms[1])
	composer := entry(t, w, wideEn.tr("Write a reply. Enter sends, Shift+Enter makes a new line."))
	typeText(composer, "Yes.")
	golden(t, "answer-"+wideEn.name, w)
	composer.OnEnter()
	a.ThreadForTest().Change(own)
	if composer.Text != own.Text {
		t.Errorf("the composer has %q", composer.Text)
	}
	composer.SetText("60 days, with a penalty.")
	composer.OnEnter()
	ms, err = e.Messages(background(), id, core.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if last := ms[len(ms)-1]; last.Text != "Yes." || last.Reply == nil || last.Reply.Seq != ms[1].Seq {
		t.Errorf("the answer is %+v", last)
	}
	if ms[3].Text != "60 days, with a penalty." || ms[3].Edited.IsZero() || composer.Text != "" {
		t.Errorf("changed: %+v, composer %q", ms[3], composer.Text)
	}
}
