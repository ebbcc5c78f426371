package hub

import (
	"slices"
	"testing"
	"time"
	"unique"

	"pgregory.net/rapid"

	"causa/dnd"
	"causa/matter"
)

// What a hub judges, by the bytes that members publish and the floor of the log, plans shared
// and kept, is what the rules themselves say: dnd's own tests hold those against an oracle.
func TestHubJudgesAsTheRulesSay(t *testing.T) {
	zones := rapid.SampledFrom([]string{"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"})
	clock := rapid.Custom(func(t *rapid.T) dnd.Clock { return dnd.Clock(rapid.IntRange(0, 1439).Draw(t, "clock")) })
	window := rapid.Custom(func(t *rapid.T) dnd.Window {
		w := dnd.Window{Days: dnd.Days(rapid.IntRange(1, int(dnd.EveryDay)).Draw(t, "days")), From: clock.Draw(t, "from"), To: clock.Draw(t, "to")}
		if w.From == w.To {
			w.To++
		}
		return w
	})
	ids := []matter.ID{{1}, {2}, {3}}
	people := []matter.MemberID{{1}, {2}, {3}}
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.Int64Range(0, 2*365*24*3600).Draw(t, "at")) * time.Second)
	})
	rules := rapid.Custom(func(t *rapid.T) dnd.Rules {
		r := dnd.Rules{Zone: zones.Draw(t, "zone"), Windows: rapid.SliceOfN(window, 0, 4).Draw(t, "windows"), IgnoreFloor: rapid.Bool().Draw(t, "ignore")}
		if rapid.Bool().Draw(t, "calendar") {
			r.Calendars = []dnd.Calendar{dnd.China()}
		}
		for _, id := range ids {
			if mode := dnd.Mode(rapid.IntRange(0, 3).Draw(t, "mode")); mode == dnd.ModeWindows {
				r.Matters = append(r.Matters, dnd.Override{Matter: id, Mode: mode, Windows: []dnd.Window{window.Draw(t, "own")}})
			} else if mode != 0 {
				r.Matters = append(r.Matters, dnd.Override{Matter: id, Mode: mode})
			}
		}
		r.VIPs = slices.Clone(people[:rapid.IntRange(0, 2).Draw(t, "vips")])
		if k := dnd.ManualKind(rapid.IntRange(0, 2).Draw(t, "manual")); k != dnd.ManualNone {
			r.Manual = dnd.Manual{Kind: k, Until: instant.Draw(t, "until")}
		}
		return r
	})
	floors := rapid.Custom(func(t *rapid.T) dnd.Floor {
		return dnd.Floor{
			Zone: zones.Draw(t, "floor's zone"), Local: rapid.Bool().Draw(t, "local"), MayLoosen: rapid.Bool().Draw(t, "loosen"),
			StopsUrgent: rapid.Bool().Draw(t, "stops"), Windows: rapid.SliceOfN(window, 0, 2).Draw(t, "floor's windows"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		q := &quietHours{rules: map[matter.MemberID]unique.Handle[string]{}, plans: map[unique.Handle[string]]*dnd.Plan{}}
		have := map[matter.MemberID]dnd.Rules{}
		floor, text := dnd.Floor{}, ""
		var compiler dnd.Compiler
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				m, r := rapid.SampledFrom(people).Draw(t, "member"), rules.Draw(t, "rules")
				b, err := r.Encode()
				if err != nil {
					t.Fatal(err)
				}
				q.set(m, b)
				have[m] = r
			},
			"withdraw": func(t *rapid.T) {
				m := rapid.SampledFrom(people).Draw(t, "member")
				_, had := have[m]
				if changed := q.set(m, nil); changed != had {
					t.Fatalf("set says %v, want %v", changed, had)
				}
				delete(have, m)
			},
			"policy": func(t *rapid.T) {
				var err error
				floor = floors.Draw(t, "floor")
				if text, err = floor.Text(); err != nil {
					t.Fatal(err)
				}
			},
			"judge": func(t *rapid.T) {
				m, at := rapid.SampledFrom(people).Draw(t, "member"), instant.Draw(t, "at")
				msg := dnd.Message{
					Matter: rapid.SampledFrom(ids).Draw(t, "matter"), Sender: rapid.SampledFrom(people).Draw(t, "sender"),
					Urgency: dnd.Urgency(rapid.IntRange(0, 1).Draw(t, "urgency")),
				}
				want, err := compiler.Compile(floor, have[m])
				if err != nil {
					t.Fatal(err)
				}
				if got, want := q.plan(m, text).Judge(msg, at), want.Judge(msg, at); got != want {
					t.Fatalf("the hub says %v, the rules %v", got, want)
				}
			},
		})
	})
}
