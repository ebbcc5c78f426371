package quiet

import (
	"context"
	"strings"
	"time"

	"causa/app/screen"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

// A Sender is what these sheets need of an engine.
type Sender interface {
	Schedule(ctx context.Context, id matter.ID, text string, at time.Time) (matter.Message, error)
	SendUrgent(ctx context.Context, id matter.ID, text, reason string) (matter.Message, error)
	UrgentLeft(ctx context.Context) (left, of int, err error)
	Urgent(ctx context.Context, id matter.ID) ([]core.UrgentState, error)
	Acknowledge(ctx context.Context, id matter.ID, msg matter.MessageID) error
}

// SendLater asks for a message and when it is to be sent.
func SendLater(env *screen.Env, engine Sender, id matter.ID) {
	notice := appwidget.NewNotice()
	text := appwidget.NewTextArea(env.T("Message"))
	text.SetMinRowsVisible(3)
	at := appwidget.NewEntry("08:30")
	var sheet *appwidget.Sheet
	send := appwidget.NewButton(env.T("Send later"), appwidget.Primary, func() {
		when, err := instant(env, at)
		if err != nil {
			notice.Fail(env.Fault(err))
			return
		}
		env.Do(func(ctx context.Context) error {
			_, err := engine.Schedule(ctx, id, text.Text, when)
			return err
		}, finish(env, &sheet, notice))
	})
	body := appwidget.NewColumn(12, notice, text, appwidget.NewField(env.T("When"), at, env.T("A time of day, such as 08:30, or a day and a time, such as 2026-11-28 08:30.")))
	sheet = appwidget.ShowSheet(env.Window, env.T("Send later"), 480, body, foot(env, &sheet, send))
	env.Window.Focus(text)
}

// instant reads when something is to be sent: today or tomorrow at a time, or on a day.
func instant(env *screen.Env, e *appwidget.Entry) (time.Time, error) {
	now := env.Now()
	if t, err := time.ParseInLocation("2006-01-02 15:04", strings.TrimSpace(e.Text), now.Location()); err == nil {
		return t, nil
	}
	c, err := clock(e)
	if err != nil || c >= 24*60 {
		return time.Time{}, &fault.Error{
			Text: "“%s” is not a time.", TextArgs: []any{strings.TrimSpace(e.Text)}, Hint: "Write it as 08:30 or 2026-11-28 08:30.", Err: err,
		}
	}
	t := time.Date(now.Year(), now.Month(), now.Day(), int(c)/60, int(c)%60, 0, 0, now.Location())
	if !t.After(now) {
		t = time.Date(now.Year(), now.Month(), now.Day()+1, int(c)/60, int(c)%60, 0, 0, now.Location())
	}
	return t, nil
}

// SendUrgent asks for an urgent message and why it can't wait.
func SendUrgent(env *screen.Env, engine Sender, id matter.ID) {
	notice := appwidget.NewNotice()
	text := appwidget.NewTextArea(env.T("Message"))
	text.SetMinRowsVisible(3)
	reason := appwidget.NewEntry(env.T("Why it can't wait"))
	left := appwidget.NewSmall("").Wrapped()
	env.Do(func(ctx context.Context) error {
		n, of, err := engine.UrgentLeft(ctx)
		if err == nil {
			left.SetText(env.T("It breaks through quiet hours, and everybody must acknowledge it. You have %d of %d left today.", n, of))
		}
		return err
	}, env.TellFault)
	var sheet *appwidget.Sheet
	send := appwidget.NewButton(env.T("Send urgently"), appwidget.Final, func() {
		env.Do(func(ctx context.Context) error {
			_, err := engine.SendUrgent(ctx, id, text.Text, reason.Text)
			return err
		}, finish(env, &sheet, notice))
	})
	body := appwidget.NewColumn(12, notice, left, text, appwidget.NewField(env.T("Reason"), reason, env.T("Everybody it reaches sees it.")))
	sheet = appwidget.ShowSheet(env.Window, env.T("Urgent message"), 480, body, foot(env, &sheet, send))
	env.Window.Focus(text)
}

// finish closes a sheet, or tells on it what went wrong.
func finish(env *screen.Env, sheet **appwidget.Sheet, notice *appwidget.Notice) func(error) {
	return func(err error) {
		if err != nil {
			notice.Fail(env.Fault(err))
			(*sheet).Fit()
			return
		}
		(*sheet).Close()
	}
}

func foot(env *screen.Env, sheet **appwidget.Sheet, act *appwidget.Button) *appwidget.Row {
	return appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { (*sheet).Close() }), act)
}

// AskUrgent shows the urgent messages of a matter that this person has not acknowledged,
// if there are any.
func AskUrgent(env *screen.Env, engine Sender, id matter.ID) {
	var mine []core.UrgentState
	env.Do(func(ctx context.Context) error {
		all, err := engine.Urgent(ctx, id)
		for _, u := range all {
			if u.Mine {
				mine = append(mine, u)
			}
		}
		return err
	}, func(err error) {
		if err != nil {
			env.TellFault(err)
			return
		}
		if len(mine) == 0 || appwidget.TopSheet(env.Window) != nil {
			return
		}
		column := appwidget.NewColumn(10)
		for _, u := range mine {
			column.Add(appwidget.NewText(env.Name(u.Author)+": "+u.Text).Wrapped(), appwidget.NewSmall(env.T("Urgent: %s", u.Reason)).Wrapped())
		}
		var sheet *appwidget.Sheet
		ack := appwidget.NewButton(env.T("Acknowledge"), appwidget.Primary, func() {
			env.Do(func(ctx context.Context) error {
				for _, u := range mine {
					if err := engine.Acknowledge(ctx, id, u.Message); err != nil {
						return err
					}
				}
				return nil
			}, func(err error) {
				sheet.Close()
				env.TellFault(err)
			})
		})
		sheet = appwidget.ShowSheet(env.Window, env.T("Urgent"), 460, column, foot(env, &sheet, ack))
	})
}
