package core

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"causa/matter"
)

// pageTemplate is the readable page of an export: no scripts, nothing from elsewhere, and
// every text from people escaped and kept from turning the direction of what is beside it.
var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<style>
body{font:15px/1.6 system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;color:#1c2430;background:#f4f5f7;margin:0 auto;max-width:760px;padding:32px 20px}
h1{font-size:22px;margin:0}header p,time,.event,footer{color:#6b7480;font-size:13px}
article{background:#fff;border:1px solid #e3e6ea;border-radius:8px;padding:10px 14px;margin:8px 0}
article b{margin-right:8px}p{margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere}
blockquote{margin:4px 0;padding-left:10px;border-left:3px solid #c9d1da;color:#6b7480}
.final{border:2px solid #c8402f}.final b{color:#c8402f}li{margin:2px 0}
</style></head><body>
<header><h1><bdi>{{.Title}}</bdi></h1><p><bdi>{{.Organisation}}</bdi> · {{.ID}}</p><p>{{.People}}</p></header>
{{range .Lines}}{{if .Event}}<p class="event">{{.Seq}} · {{.Time}} · <bdi>{{.Event}}</bdi></p>
{{else}}<article{{if .Final}} class="final"{{end}}><b><bdi>{{.Author}}</bdi></b><time>{{.Seq}} · {{.Time}}{{with .Mark}} · {{.}}{{end}}</time>
{{with .Quote}}<blockquote><bdi>{{.}}</bdi></blockquote>{{end}}<p><bdi>{{.Text}}</bdi></p>
{{with .More}}<ul>{{range .}}<li><bdi>{{.}}</bdi></li>{{end}}</ul>{{end}}</article>
{{end}}{{end}}<footer><p>{{.Foot}}</p></footer></body></html>
`))

type pageLine struct {
	Seq                                    uint64
	Time, Author, Event, Mark, Quote, Text string
	More                                   []string
	Final                                  bool
}

// pageBatch is how many messages are read at a time.
const pageBatch = 1000

// page writes the readable page of a matter.
func (c *Client) page(ctx context.Context, m matter.Matter, tr func(string, ...any) string) ([]byte, error) {
	p := pager{c: c, T: tr}
	if tr == nil {
		p.T = fmt.Sprintf
	}
	var lines []pageLine
	for before := uint64(0); ; {
		ms, err := c.Messages(ctx, m.ID, Page{Before: before, Limit: pageBatch})
		if err != nil {
			return nil, err
		}
		sent := slices.DeleteFunc(ms, func(m matter.Message) bool { return m.Seq == 0 })
		for _, x := range slices.Backward(sent) {
			lines = append(lines, p.line(&x))
		}
		if len(sent) < pageBatch {
			break
		}
		before = sent[0].Seq
	}
	slices.Reverse(lines)
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, map[string]any{
		"Lang": p.T("en"), "Title": m.Title, "Organisation": c.Me().Organisation, "ID": m.ID.String(), "People": p.names(m.Participants),
		"Lines": lines, "Foot": p.T("This page is for reading. What it says is proven by the file it lies in: causactl verify."),
	})
	return out.Bytes(), err
}

// A pager puts messages into words for the page.
type pager struct {
	c *Client
	T func(key string, args ...any) string
}

func (p pager) name(id matter.MemberID) string {
	m, _ := p.c.Member(id)
	return m.Name
}

func (p pager) names(ids []matter.MemberID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = p.name(id)
	}
	return strings.Join(out, ", ")
}

func (p pager) text(s string) string {
	return matter.MapMentions(s, func(id matter.MemberID) string { return "@" + p.name(id) })
}

func (p pager) line(m *matter.Message) pageLine {
	l := pageLine{Seq: m.Seq, Time: m.Time.Format(time.RFC3339), Author: p.name(m.Author), Text: p.text(m.Text)}
	switch m.Kind {
	case matter.KindConcluded:
		l.Final = true
		l.Mark = p.T("concluded")
		for _, f := range m.Facts {
			l.More = append(l.More, f.Name+": "+f.Value)
		}
	case matter.KindOpened:
		l.Event = p.T("%s opened this matter", l.Author)
	case matter.KindAdded:
		l.Event = p.T("%s added %s", l.Author, p.names(m.Subjects))
	case matter.KindRemoved:
		l.Event = p.T("%s removed %s", l.Author, p.names(m.Subjects))
	case matter.KindDevice:
		l.Event = p.T("%s reads this matter on a further device", p.names(m.Subjects))
	case matter.KindReopened:
		l.Event = p.T("%s reopened this matter", l.Author)
		if m.Text != "" {
			l.Event += ": " + m.Text
		}
	case matter.KindRecalled:
		l.Event = p.T("%s took a message back", p.names(m.Subjects))
	case matter.KindMoved:
		l.Event = p.T("%s moved a message to the matter %s", p.names(m.Subjects), m.Moved.Short())
	case matter.KindUnread:
		l.Event = p.T("This message can't be read on this device")
	case matter.KindNewer:
		l.Event = p.T("This message needs a newer version of Causa")
	}
	if !m.Edited.IsZero() {
		l.Mark = p.T("(edited)")
	}
	p.gained(&l, m)
	if l.Event == "" && l.Text == "" {
		l.Event = l.Author
	}
	return l
}

// gained adds what stands beside a message.
func (p pager) gained(l *pageLine, m *matter.Message) {
	if o := m.Origin; o != nil {
		l.Author = p.name(o.Author)
		l.More = append(l.More, p.T("brought by %s from the matter %s, where it was written %s", p.name(m.Author), o.Matter.Short(), o.Time.Format(time.RFC3339)))
	}
	if q := m.Reply; q != nil && q.Seq != 0 {
		l.Quote = fmt.Sprintf("%d · %s: %s", q.Seq, p.name(q.Author), p.text(q.Text))
	}
	if t := m.Task; t != nil {
		state := p.T("to do")
		if t.Done {
			state = p.T("done by %s", p.name(t.By))
		}
		if !t.Assignee.IsZero() {
			state += " · " + p.name(t.Assignee)
		}
		if !t.Due.IsZero() {
			state += " · " + t.Due.Format(time.DateOnly)
		}
		l.More = append(l.More, state)
	}
	if m.Poll != nil {
		for _, o := range m.Poll.Options {
			l.More = append(l.More, o.Text+": "+p.names(o.Voters))
		}
	}
	for _, r := range m.Reactions {
		l.More = append(l.More, r.Emoji+" "+p.names(r.Members))
	}
}
