package thread

import (
	"context"
	"strings"

	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// signs are the reactions that the menu offers.
var signs = []string{"👍", "✅", "❤️", "😄", "🎉", "🙏", "👀"}

// menu offers what can be done with a message.
func (t *Thread) menu(m matter.Message, at fyne.Position) {
	env := t.env
	item := func(words string, f func()) *fyne.MenuItem { return fyne.NewMenuItem(words, f) }
	var items []*fyne.MenuItem
	text := env.Mentions(m.Text)
	open := m.Seq != 0 && !t.m.Removed && t.m.State != matter.StateConcluded && t.m.State != matter.StateArchived
	mine := m.Author == env.People.Self
	mayTake := mine || t.m.Owner == env.People.Self
	if open && m.Kind.Said() {
		items = append(items, item(env.T("Reply"), func() { t.Answer(m) }), t.reactions(m), t.pinning(m))
	}
	if open && m.Task != nil {
		items = append(items, t.taskDone(m))
	}
	if open && m.Poll != nil && !m.Poll.Closed {
		items = append(items, t.voting(m))
		if mayTake {
			items = append(items, item(env.T("Close the poll"), func() { t.do(func(ctx context.Context) error { return t.engine.EndPoll(ctx, m.Matter, m.Seq) }) }))
		}
	}
	if t.stream.sel.on {
		items = append(items, item(env.T("Copy selection"), t.copySelection))
	}
	if m.Text != "" {
		items = append(items, item(env.T("Copy text"), func() { env.Copy(text) }))
	}
	if !m.Edited.IsZero() {
		items = append(items, item(env.T("Earlier versions…"), func() { t.versions(m) }))
	}
	if open && mine && m.Kind == matter.KindText && m.Origin == nil {
		items = append(items, item(env.T("Change…"), func() { t.Change(m) }))
	}
	if open && mayTake && m.Kind.Recallable() {
		items = append(items, fyne.NewMenuItemSeparator(), item(env.T("Take back…"), func() { t.takeBack(m) }))
	}
	if len(items) > 0 {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), env.Window, at)
	}
}

// do runs a wish and says why it did not work.
func (t *Thread) do(work func(context.Context) error) {
	t.env.Do(work, t.env.TellFault)
}

func (t *Thread) reactions(m matter.Message) *fyne.MenuItem {
	top := fyne.NewMenuItem(t.env.T("React"), nil)
	var items []*fyne.MenuItem
	for _, s := range signs {
		on := true
		for _, r := range m.Reactions {
			for _, who := range r.Members {
				if r.Emoji == s && who == t.env.People.Self {
					on = false
				}
			}
		}
		it := fyne.NewMenuItem(s, func() {
			t.do(func(ctx context.Context) error { return t.engine.React(ctx, m.Matter, m.Seq, s, on) })
		})
		it.Checked = !on
		items = append(items, it)
	}
	top.ChildMenu = fyne.NewMenu("", items...)
	return top
}

func (t *Thread) pinning(m matter.Message) *fyne.MenuItem {
	words := t.env.T("Pin")
	if m.Pinned {
		words = t.env.T("Unpin")
	}
	return fyne.NewMenuItem(words, func() {
		t.do(func(ctx context.Context) error { return t.engine.Pin(ctx, m.Matter, m.Seq, !m.Pinned) })
	})
}

func (t *Thread) taskDone(m matter.Message) *fyne.MenuItem {
	words, done := t.env.T("Mark as done"), !m.Task.Done
	if !done {
		words = t.env.T("Mark as not done")
	}
	return fyne.NewMenuItem(words, func() {
		t.do(func(ctx context.Context) error {
			return t.engine.SetTask(ctx, m.Matter, m.Seq, core.TaskChange{Done: &done})
		})
	})
}

// voting offers the answers of a poll; in one with several, each is given or taken back.
func (t *Thread) voting(m matter.Message) *fyne.MenuItem {
	top := fyne.NewMenuItem(t.env.T("Vote"), nil)
	var chosen []int
	for i, o := range m.Poll.Options {
		for _, who := range o.Voters {
			if who == t.env.People.Self {
				chosen = append(chosen, i)
			}
		}
	}
	var items []*fyne.MenuItem
	for i, o := range m.Poll.Options {
		votes, has := []int{}, false
		for _, c := range chosen {
			if c == i {
				has = true
			} else if m.Poll.Multiple {
				votes = append(votes, c)
			}
		}
		if !has {
			votes = append(votes, i)
		}
		it := fyne.NewMenuItem(appwidget.OneLine(appwidget.Visible(o.Text)), func() {
			t.do(func(ctx context.Context) error { return t.engine.Vote(ctx, m.Matter, m.Seq, votes...) })
		})
		it.Checked = has
		items = append(items, it)
	}
	top.ChildMenu = fyne.NewMenu("", items...)
	return top
}

// takeBack asks before it destroys.
func (t *Thread) takeBack(m matter.Message) {
	env := t.env
	var sheet *appwidget.Sheet
	act := appwidget.NewButton(env.T("Take back"), appwidget.Final, func() {
		sheet.Close()
		t.do(func(ctx context.Context) error { return t.engine.Recall(ctx, m.Matter, m.Seq) })
	})
	body := appwidget.NewColumn(12, appwidget.NewText(env.T("Its content is destroyed on every device as soon as that device hears of it. A line stays that says who took it back. Whoever has read or copied it, has.")).Wrapped())
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }), act)
	sheet = appwidget.ShowSheet(env.Window, env.T("Take this message back?"), 420, body, foot)
}

// versions shows what a message has said.
func (t *Thread) versions(m matter.Message) {
	env := t.env
	var all []core.Version
	env.Do(func(ctx context.Context) (err error) {
		all, err = t.engine.Versions(ctx, m.Matter, m.Seq)
		return err
	}, func(err error) {
		if err != nil {
			env.TellFault(err)
			return
		}
		body := appwidget.NewColumn(10)
		for _, v := range all {
			body.Add(appwidget.NewSmall(env.Words.Moment(env.Local(v.Time), env.Now())))
			body.Add(appwidget.NewText(strings.TrimSpace(env.Mentions(v.Text))).Wrapped())
		}
		appwidget.ShowSheet(env.Window, env.T("Earlier versions"), 480, body, nil)
	})
}
