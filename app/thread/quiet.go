package thread

import (
	"context"
	"time"

	"causa/core"
)

// meet asks how the others in the matter can be met, and tells above the composer when
// somebody is quiet: what is written reaches them then.
func (t *Thread) meet() {
	id, open := t.m.ID, t.open
	t.quiet = ""
	var all []core.Presence
	t.env.Do(func(ctx context.Context) error {
		var err error
		if all, _, err = t.engine.Presence(ctx, id); err != nil {
			all = nil // that there is no connection is told elsewhere
		}
		return nil
	}, func(error) {
		if open == t.open {
			t.quiet = t.quietWords(all)
			t.SetStatus(t.status)
		}
	})
}

// quietWords says who is quiet until when, by the person's own clock and by theirs.
func (t *Thread) quietWords(all []core.Presence) string {
	env := t.env
	var first *core.Presence
	others := 0
	for i := range all {
		switch p := &all[i]; {
		case !p.Quiet || p.Member == env.People.Self:
		case first == nil:
			first = p
		default:
			others++
		}
	}
	if first == nil {
		return ""
	}
	name := env.Name(first.Member)
	if others > 0 {
		return env.T("%s and %d others are quiet now. What you write reaches them when that ends.", name, others)
	}
	if first.QuietUntil.IsZero() {
		return env.T("%s is quiet. What you write waits for them.", name)
	}
	here := env.Local(first.QuietUntil)
	until := env.Words.Moment(here, env.Now())
	if first.Zone != nil && !sameClock(here, first.QuietUntil.In(first.Zone)) {
		return env.T("%s is quiet until %s (%s for them). What you write reaches them then.", name, until, env.Words.Clock(first.QuietUntil.In(first.Zone)))
	}
	return env.T("%s is quiet until %s. What you write reaches them then.", name, until)
}

func sameClock(a, b time.Time) bool { return a.Hour() == b.Hour() && a.Minute() == b.Minute() }
