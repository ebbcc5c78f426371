package main

import (
	"fmt"
	"strings"
	"time"

	"causa/core"
	"causa/matter"
)

func logOf(c *call) func([]string) error {
	return func(args []string) error {
		return c.fresh(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			return c.thread(cl, id)
		})
	}
}

// thread prints a whole thread, oldest first.
func (c *call) thread(cl *core.Client, id matter.ID) error {
	var pages [][]matter.Message
	for before := uint64(0); ; {
		ms, err := cl.Messages(c.ctx, id, core.Page{Before: before, Limit: 1000})
		if err != nil {
			return err
		}
		pages = append(pages, ms)
		if len(ms) == 0 || ms[0].Seq <= 1 {
			break
		}
		before = ms[0].Seq
	}
	for i := len(pages) - 1; i >= 0; i-- {
		for _, m := range pages[i] {
			c.message(cl, m, "")
		}
	}
	return nil
}

var kindNames = map[matter.Kind]string{
	matter.KindFile: "file", matter.KindText: "text", matter.KindOpened: "opened", matter.KindAdded: "added",
	matter.KindRemoved: "removed", matter.KindUnread: "unreadable", matter.KindNewer: "newer",
	matter.KindDevice: "device", matter.KindConcluded: "concluded", matter.KindReopened: "reopened",
	matter.KindRecalled: "recalled", matter.KindTask: "task", matter.KindPoll: "poll", matter.KindMoved: "moved",
	matter.KindUrgent:  "urgent",
	matter.KindChanged: "changed", matter.KindProposed: "proposed", matter.KindSigned: "signed", matter.KindDeclined: "declined",
	matter.KindWithdrawn: "withdrawn", matter.KindLeft: "left", matter.KindBroken: "broken", matter.KindOverreach: "overreach",
	matter.KindHistory: "history",
}

var deliveryNames = map[matter.Delivery]string{
	matter.DeliveryQueued: "queued", matter.DeliverySent: "sent", matter.DeliveryFailed: "failed",
	matter.DeliveryScheduled: "scheduled",
}

// message prints one line of a thread; event is set by watch.
func (c *call) message(cl *core.Client, m matter.Message, event string) {
	author, _ := cl.Member(m.Author)
	subjects := names(cl, m.Subjects)
	text := m.Text
	switch m.Kind {
	case matter.KindText:
	case matter.KindOpened:
		text = c.tr.T("%s opened this matter", author.Name)
	case matter.KindAdded:
		text = c.tr.T("%s added %s", author.Name, strings.Join(subjects, ", "))
	case matter.KindRemoved:
		text = c.tr.T("%s removed %s", author.Name, strings.Join(subjects, ", "))
	case matter.KindConcluded:
		text = c.tr.T("%s concluded this matter: %s", author.Name, m.Text)
		for _, f := range m.Facts {
			text += "\n        " + f.Name + ": " + f.Value
		}
	case matter.KindReopened:
		text = c.tr.T("%s reopened this matter", author.Name)
		if m.Text != "" {
			text += ": " + m.Text
		}
	case matter.KindDevice:
		text = c.tr.T("%s reads this matter on a further device", strings.Join(subjects, ", "))
	case matter.KindUrgent:
		text = fmt.Sprintf("!! %s: %s (%s)", author.Name, m.Text, m.Facts[0].Value)
	case matter.KindUnread:
		text = c.tr.T("This message can't be read on this device")
	case matter.KindRecalled:
		text = c.tr.T("%s took a message back", strings.Join(subjects, ", "))
	case matter.KindMoved:
		text = c.tr.T("%s moved a message to the matter %s", strings.Join(subjects, ", "), m.Moved.Short())
	case matter.KindNewer:
		text = c.tr.T("This message needs a newer version of Causa")
	default:
		if event := c.teller(cl).Event(m); event != "" {
			text = event
		}
	}
	said := m.Text
	if !m.Kind.Said() {
		said = ""
	}
	o := struct {
		Event    string        `json:"event,omitempty"`
		Matter   string        `json:"matter"`
		Seq      uint64        `json:"seq"`
		ID       string        `json:"id"`
		Time     time.Time     `json:"time"`
		Author   string        `json:"author"`
		Device   string        `json:"device"`
		Kind     string        `json:"kind"`
		Text     string        `json:"text"`
		Subjects []string      `json:"subjects,omitempty"`
		Facts    []matter.Fact `json:"facts,omitempty"`
		Change   *changeShown  `json:"change,omitempty"`
		gained
		Delivery string `json:"delivery"`
		Problem  string `json:"problem,omitempty"`
	}{event, m.Matter.String(), m.Seq, m.ID.String(), m.Time, author.Name, m.Device.String(), kindNames[m.Kind], mentioned(cl, said), subjects, m.Facts, shown(m.Change), gainedOf(cl, &m), deliveryNames[m.Delivery], m.Problem}
	mark := ""
	switch {
	case m.Delivery == matter.DeliveryQueued:
		mark = " …"
	case m.Delivery == matter.DeliveryScheduled:
		mark = fmt.Sprintf(" (%s)", c.tr.T("to be sent later"))
	case m.Problem != "":
		mark = fmt.Sprintf(" (%s)", c.tr.T(m.Problem))
	}
	switch m.Kind {
	case matter.KindText, matter.KindTask, matter.KindPoll, matter.KindFile:
		who := author.Name
		if m.Origin != nil {
			who = nameOf(cl, m.Origin.Author)
		}
		text = who + ": " + mentioned(cl, text)
	}
	text += c.beside(cl, &m)
	c.out.line(o, "%4d  %s  %s%s", m.Seq, m.Time.Local().Format(time.DateTime), text, mark)
}
