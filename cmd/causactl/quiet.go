package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"causa/core"
	"causa/dnd"
	"causa/internal/fault"
	"causa/matter"
)

// editQuiet changes the person's quiet hours and prints what they are then.
func (c *call) editQuiet(edit func(*core.Client, *core.Quiet) error) error {
	return c.within(func(cl *core.Client) error {
		behind := c.sync(cl)
		err := cl.EditQuiet(c.ctx, func(q *core.Quiet) error {
			if q.Rules.Zone == "" {
				d := core.DefaultRules()
				q.Rules.Zone, q.Rules.Travels = d.Zone, d.Travels
			}
			return edit(cl, q)
		})
		if err != nil {
			return err
		}
		if behind != nil {
			return behind // it is kept, and told when the hub can be reached
		}
		if err := c.sync(cl); err != nil {
			return err
		}
		return c.showQuiet(cl)
	})
}

func dndShow(c *call) func([]string) error {
	return func([]string) error {
		return c.fresh(func(cl *core.Client) error { return c.showQuiet(cl) })
	}
}

func (c *call) showQuiet(cl *core.Client) error {
	q := cl.Quiet()
	now, err := cl.QuietNow(c.ctx)
	if err != nil {
		return err
	}
	type window struct {
		N     int      `json:"n"`
		Days  string   `json:"days,omitempty"`
		Dates []string `json:"dates,omitempty"`
		From  string   `json:"from"`
		To    string   `json:"to"`
	}
	list := func(ws []dnd.Window) (out []window) {
		for i, w := range ws {
			v := window{N: i + 1, From: w.From.String(), To: w.To.String()}
			if w.Days != 0 {
				v.Days = daysText(w.Days)
			}
			for _, s := range w.Dates {
				v.Dates = append(v.Dates, s.First.String()+".."+s.Last.String())
			}
			out = append(out, v)
		}
		return out
	}
	type override struct {
		Matter  string   `json:"matter"`
		Mode    string   `json:"mode"`
		Windows []window `json:"windows,omitempty"`
	}
	o := struct {
		Quiet   bool       `json:"quiet"`
		Until   *time.Time `json:"until,omitempty"`
		Held    int        `json:"held"`
		Due     int        `json:"due"`
		Zone    string     `json:"zone"`
		Travels bool       `json:"travels"`
		Private bool       `json:"private"`
		Windows []window   `json:"windows,omitempty"`
		Matters []override `json:"matters,omitempty"`
		VIPs    []string   `json:"vips,omitempty"`
		Manual  string     `json:"manual,omitempty"`
		Notes   []string   `json:"notes,omitempty"`
	}{
		Quiet: now.Quiet, Held: now.Held, Due: now.Due, Zone: q.Rules.Zone, Travels: q.Rules.Travels, Private: q.Private,
		Windows: list(q.Rules.Windows), VIPs: names(cl, q.Rules.VIPs),
	}
	if !now.Until.IsZero() {
		o.Until = &now.Until
	}
	for _, m := range q.Rules.Matters {
		o.Matters = append(o.Matters, override{m.Matter.String(), modeNames[m.Mode], list(m.Windows)})
	}
	clock := func(t time.Time) string { return t.In(cl.QuietZone()).Format("2006-01-02 15:04") }
	switch q.Rules.Manual.Kind {
	case dnd.ManualQuiet:
		o.Manual = "quiet until " + clock(q.Rules.Manual.Until)
	case dnd.ManualOff:
		o.Manual = "off until " + clock(q.Rules.Manual.Until)
	}
	for _, n := range q.Rules.Notes(today(cl)) {
		text, args := n.Words()
		o.Notes = append(o.Notes, c.tr.T(text, args...))
	}
	if c.out.json {
		c.out.line(o, "")
		return nil
	}
	switch {
	case now.Quiet && now.Until.IsZero():
		c.out.line(nil, "%s", c.tr.T("Quiet, with no end in sight"))
	case now.Quiet:
		c.out.line(nil, "%s", c.tr.T("Quiet until %s", clock(now.Until)))
	default:
		c.out.line(nil, "%s", c.tr.T("Not quiet now"))
	}
	c.out.line(nil, "%s", c.tr.T("Held: %d, of them in the digest: %d", now.Held, now.Due))
	rows := func(indent string, ws []window) {
		for _, w := range ws {
			c.out.line(nil, "%s%d  %s-%s  %s", indent, w.N, w.From, w.To, strings.TrimSpace(w.Days+" "+strings.Join(w.Dates, " ")))
		}
	}
	rows("", o.Windows)
	for _, m := range o.Matters {
		c.out.line(nil, "%s  %s", m.Matter[:8], m.Mode)
		rows("  ", m.Windows)
	}
	for _, v := range o.VIPs {
		c.out.line(nil, "%s  %s", "vip", v)
	}
	for _, s := range append([]string{o.Zone, o.Manual}, o.Notes...) {
		if s != "" {
			c.out.line(nil, "%s", s)
		}
	}
	if now.Problem != nil {
		return now.Problem
	}
	return nil
}

// today is the date by the person's clocks.
func today(cl *core.Client) dnd.Day {
	t := time.Now().In(cl.QuietZone())
	return dnd.Date(t.Year(), t.Month(), t.Day())
}

func dndAdd(c *call) func([]string) error {
	days := c.flags.String("days", "", "days on which it begins: mon-fri,sun,holidays,makeup,working,free,all (default: all)")
	dates := c.flags.StringSlice("date", nil, "dates on which it begins, as 2026-11-28 or 2026-11-28..2026-12-02")
	return func(args []string) error {
		w, err := parseWindow(args[0], *days, *dates)
		if err != nil {
			return err
		}
		return c.editQuiet(func(_ *core.Client, q *core.Quiet) error {
			q.Rules.Windows = append(slices.Clone(q.Rules.Windows), w)
			return nil
		})
	}
}

func dndRemove(c *call) func([]string) error {
	return func(args []string) error {
		return c.editQuiet(func(_ *core.Client, q *core.Quiet) error {
			if args[0] == "all" {
				q.Rules.Windows = nil
				return nil
			}
			var n int
			if _, err := fmt.Sscan(args[0], &n); err != nil || n < 1 || n > len(q.Rules.Windows) {
				return &fault.Error{Text: "There is no such window.", Hint: "causactl dnd show numbers them."}
			}
			q.Rules.Windows = slices.Delete(slices.Clone(q.Rules.Windows), n-1, n)
			return nil
		})
	}
}

func dndManual(kind dnd.ManualKind) func(*call) func([]string) error {
	return func(c *call) func([]string) error {
		until := c.flags.String("until", "", "until when: 08:30, 2026-11-28 08:30 or 90m")
		return func([]string) error {
			if *until == "" {
				return &errUsage{"--until is missing"}
			}
			return c.editQuiet(func(cl *core.Client, q *core.Quiet) error {
				t, err := parseWhen(*until, time.Now(), cl.QuietZone())
				if err != nil {
					return err
				}
				q.Rules.Manual = dnd.Manual{Kind: kind, Until: t.Truncate(time.Second)}
				return nil
			})
		}
	}
}

func dndAuto(c *call) func([]string) error {
	return func([]string) error {
		return c.editQuiet(func(_ *core.Client, q *core.Quiet) error {
			q.Rules.Manual = dnd.Manual{}
			return nil
		})
	}
}

var modeNames = map[dnd.Mode]string{dnd.ModeAlways: "always", dnd.ModeNever: "never", dnd.ModeWindows: "windows"}

func dndMatter(c *call) func([]string) error {
	windows := c.flags.StringArray("window", nil, "with mode windows: FROM-TO or FROM-TO DAYS")
	return func(args []string) error {
		return c.editQuiet(func(cl *core.Client, q *core.Quiet) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			q.Rules.Matters = slices.DeleteFunc(slices.Clone(q.Rules.Matters), func(o dnd.Override) bool { return o.Matter == id })
			o := dnd.Override{Matter: id}
			for mode, name := range modeNames {
				if name == args[1] {
					o.Mode = mode
				}
			}
			if o.Mode == 0 {
				if args[1] == "usual" {
					return nil
				}
				return &errUsage{"the mode is always, never, windows or usual"}
			}
			for _, text := range *windows {
				times, days, _ := strings.Cut(text, " ")
				w, err := parseWindow(times, days, nil)
				if err != nil {
					return err
				}
				o.Windows = append(o.Windows, w)
			}
			q.Rules.Matters = append(q.Rules.Matters, o)
			return nil
		})
	}
}

func dndVIP(c *call) func([]string) error {
	remove := c.flags.Bool("remove", false, "this person breaks through no more")
	return func(args []string) error {
		return c.editQuiet(func(cl *core.Client, q *core.Quiet) error {
			m, err := cl.FindMember(c.ctx, args[0])
			if err != nil {
				return err
			}
			q.Rules.VIPs = slices.DeleteFunc(slices.Clone(q.Rules.VIPs), func(id matter.MemberID) bool { return id == m.ID })
			if !*remove {
				q.Rules.VIPs = append(q.Rules.VIPs, m.ID)
			}
			return nil
		})
	}
}

func dndZone(c *call) func([]string) error {
	travels := c.flags.Bool("travels", false, "it goes with the person: a device that finds itself elsewhere changes it")
	return func(args []string) error {
		return c.editQuiet(func(_ *core.Client, q *core.Quiet) error {
			q.Rules.Zone, q.Rules.Travels = args[0], *travels
			return nil
		})
	}
}

func dndCalendar(c *call) func([]string) error {
	return func(args []string) error {
		var cal dnd.Calendar
		switch args[0] {
		case "none":
		case "cn":
			cal = dnd.China()
		default:
			b, err := os.ReadFile(args[0])
			if err != nil {
				return &fault.Error{Text: "The file can't be read.", Hint: "Check its name.", Err: err}
			}
			year := time.Now().Year()
			cal, _, err = dnd.ReadICal(b, dnd.ICalOptions{
				Name: "imported", First: dnd.Date(year-1, time.January, 1), Last: dnd.Date(year+3, time.December, 31), MakeUp: []string{"补班", "上班"},
			})
			if err != nil {
				return err
			}
		}
		return c.editQuiet(func(_ *core.Client, q *core.Quiet) error {
			q.Rules.Calendars = nil
			if cal.Name != "" {
				q.Rules.Calendars = []dnd.Calendar{cal}
			}
			return nil
		})
	}
}

func dndPrivate(c *call) func([]string) error {
	return func(args []string) error {
		if args[0] != "yes" && args[0] != "no" {
			return &errUsage{"say yes or no"}
		}
		return c.editQuiet(func(_ *core.Client, q *core.Quiet) error {
			q.Private = args[0] == "yes"
			return nil
		})
	}
}

func dndFloor(c *call) func([]string) error {
	days := c.flags.String("days", "all", "days on which it begins: mon-fri,sun,…")
	zone := c.flags.String("zone", "", "whose clocks it means (default: those of each member)")
	loosen := c.flags.Bool("loosen", false, "members may have exceptions from it")
	stops := c.flags.Bool("stops-urgent", false, "urgent messages wait too")
	return func(args []string) error {
		return c.synced(func(cl *core.Client) error {
			if args[0] == "none" {
				return cl.SetFloor(c.ctx, dnd.Floor{})
			}
			w, err := parseWindow(args[0], *days, nil)
			if err != nil {
				return err
			}
			f := dnd.Floor{Zone: *zone, Local: *zone == "", MayLoosen: *loosen, StopsUrgent: *stops, Windows: []dnd.Window{w}}
			if f.Local {
				f.Zone = core.DefaultRules().Zone // for members who have named none
			}
			return cl.SetFloor(c.ctx, f)
		})
	}
}
