package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

func export(c *call) func([]string) error {
	out := c.flags.StringP("out", "o", "", "the file to write; it must not exist")
	return func(args []string) error {
		if *out == "" {
			return &errUsage{"name the file to write with -o"}
		}
		return c.fresh(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := cl.Export(c.ctx, &b, id, c.tr.T); err != nil {
				return err
			}
			return writeNew(*out, b.Bytes())
		})
	}
}

// writeNew writes a file that is not there yet, for its owner alone.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return &fault.Error{Text: "There is a file called “%s” already.", TextArgs: []any{path}, Hint: "Choose another name."}
	}
	if err == nil {
		_, err = f.Write(b)
		err = errors.Join(err, f.Sync(), f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}
	if err != nil {
		return &fault.Error{Text: "The file “%s” can't be written.", TextArgs: []any{path}, Hint: "Choose another folder.", Err: err}
	}
	return nil
}

// maxExport bounds what verify reads.
const maxExport = 4 << 30

func verify(c *call) func([]string) error {
	org := c.flags.String("org", "", "the organisation's id, as whoami prints it: refuse exports of any other")
	lines := c.flags.Bool("print", false, "print what is proven, entry by entry")
	return func(args []string) error {
		f, err := os.Open(args[0])
		if err != nil {
			return &fault.Error{Text: "The file “%s” can't be read.", TextArgs: []any{args[0]}, Hint: "Look at its name again.", Err: err}
		}
		defer func() { _ = f.Close() }() // nothing was written
		b, err := io.ReadAll(io.LimitReader(f, maxExport))
		if err != nil {
			return &fault.Error{Text: "The file “%s” can't be read.", TextArgs: []any{args[0]}, Hint: "Look at its name again.", Err: err}
		}
		p, err := core.Verify(b)
		if err != nil {
			return err
		}
		if *org != "" && *org != p.OrgID {
			return &fault.Error{Text: "This file is of another organisation.", Hint: "Its id is %s.", HintArgs: []any{p.OrgID}}
		}
		c.proof(p)
		if *lines {
			for _, l := range p.Lines {
				c.proven(l)
			}
		}
		return nil
	}
}

func (c *call) proof(p *core.Proof) {
	if c.out.json {
		c.out.line(struct {
			OK           bool      `json:"ok"`
			Organisation string    `json:"organisation"`
			OrgID        string    `json:"organisation_id"`
			Matter       string    `json:"matter"`
			Title        string    `json:"title"`
			Exported     time.Time `json:"exported"`
			Exporter     string    `json:"exporter"`
			Device       string    `json:"device"`
			From         uint64    `json:"from"`
			Upto         uint64    `json:"upto"`
			Signed       int       `json:"signed"`
			Missing      uint64    `json:"missing"`
			Closed       int       `json:"closed"`
			Untied       int       `json:"untied"`
			Conclusions  int       `json:"conclusions"`
			Wider        int       `json:"wider_conclusions"`
			Files        int       `json:"files"`
			FilesMissing int       `json:"files_missing"`
		}{
			true, p.Organisation, p.OrgID, p.Matter.String(), p.Title, p.Exported, p.Exporter, p.Device.String(), p.From, p.Upto,
			len(p.Lines), p.Missing, p.Closed, p.Untied, p.Conclusions, p.Wider, p.Files, p.FilesMissing,
		}, "")
		return
	}
	say := func(s string) { c.out.line(nil, "%s", s) }
	say(c.tr.T("Everything holds."))
	say(c.tr.T("“%s”, matter %s of %s (%s)", p.Title, p.Matter.String(), p.Organisation, p.OrgID))
	say(c.tr.T("exported by %s on %s, entries %d to %d", p.Exporter, p.Exported.Local().Format(time.DateTime), p.From, p.Upto))
	say(c.tr.T("%d entries are signed by those who wrote them; conclusions that cover this discussion: %d", len(p.Lines), p.Conclusions))
	say(c.tr.T("%d entries have only a digest: changes of keys and people, and what was taken back", p.Closed))
	if p.Files+p.FilesMissing > 0 {
		say(c.tr.T("%d files are in it as they were sent; files that are not: %d", p.Files, p.FilesMissing))
	}
	if p.Missing > 0 {
		say(c.tr.T("%d entries in between are not in the file", int(p.Missing)))
	}
	if p.Wider > 0 {
		say(c.tr.T("%d conclusions cover more than is in the file: an export by whoever has it all proves them too", p.Wider))
	}
	if p.Untied > 0 {
		say(c.tr.T("%d signed entries are in their place by the exporter's word alone", p.Untied))
	}
}

func (c *call) proven(l core.Proven) {
	c.out.line(struct {
		Seq    uint64    `json:"seq"`
		Time   time.Time `json:"time"`
		Author string    `json:"author"`
		Member string    `json:"member"`
		Device string    `json:"device"`
		Kind   uint16    `json:"content"`
		Text   string    `json:"text,omitempty"`
	}{l.Seq, l.Time, l.Author, l.Member.String(), l.Device.String(), l.Kind, l.Text},
		"%4d  %s  %s  %s [%d] %s", l.Seq, l.Time.Local().Format(time.DateTime), l.Device.Short(), l.Author, l.Kind, plainMentions(l.Text))
}

// plainMentions keeps ids of members short where no directory is at hand.
func plainMentions(s string) string {
	return matter.MapMentions(s, func(id matter.MemberID) string { return "@" + id.String()[:8] })
}
