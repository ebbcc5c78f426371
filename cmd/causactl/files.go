package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"causa/core"
	"causa/internal/fault"
	"causa/matter"
)

func fileSend(c *call) func([]string) error {
	caption := c.flags.String("caption", "", "what to say about it")
	return func(args []string) error {
		return c.within(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				if e := c.sync(cl); e != nil {
					return e
				}
				if id, err = cl.FindMatter(c.ctx, args[0]); err != nil {
					return err
				}
			}
			var sent []matter.Message
			for _, path := range args[1:] {
				m, err := cl.SendFile(c.ctx, id, core.NewFile{Path: path, Caption: *caption})
				if err != nil {
					return err
				}
				sent = append(sent, m)
				if c.out.json {
					c.out.line(struct {
						ID string `json:"id"`
					}{m.ID.String()}, "")
				}
			}
			if len(args) == 1 {
				if sent, err = queuedFiles(c, cl, id); err != nil {
					return err
				}
			}
			for _, m := range sent {
				if err := cl.WaitFile(c.ctx, core.FileOf(m), c.patience, func(done, total int64) { c.progress("up", m.File.Name, done, total) }); err != nil {
					return keptFile(err)
				}
			}
			return nil
		})
	}
}

// queuedFiles lists what earlier calls have left on its way.
func queuedFiles(c *call, cl *core.Client, id matter.ID) (out []matter.Message, err error) {
	ms, err := cl.Messages(c.ctx, id, core.Page{Limit: 1})
	for _, m := range ms {
		if m.Kind == matter.KindFile && m.Delivery == matter.DeliveryQueued {
			out = append(out, m)
		}
	}
	return out, err
}

// progress prints how far a file has come, for programs.
func (c *call) progress(way, name string, done, total int64) {
	if c.out.json {
		c.out.line(struct {
			Progress string `json:"progress"`
			Name     string `json:"name"`
			Done     int64  `json:"done"`
			Total    int64  `json:"total"`
		}{way, name, done, total}, "")
	}
}

// keptFile tells that a file that could not be sent now is queued, unless it was given up.
func keptFile(err error) error {
	var why *fault.Error
	if !errors.As(err, &why) || why.Hint == "" { // given up: its words are all there is
		return err
	}
	return &fault.Error{
		Text: why.Text, TextArgs: why.TextArgs,
		Hint: "The file is queued on this device. It goes on the next time this device is online.",
		Err:  err,
	}
}

func fileList(c *call) func([]string) error {
	return func(args []string) error {
		return c.fresh(func(cl *core.Client) error {
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return err
			}
			files, err := cl.Files(c.ctx, id)
			if err != nil {
				return err
			}
			for _, m := range files {
				if m.File == nil {
					continue // it was taken back
				}
				author, _ := cl.Member(m.Author)
				c.out.line(struct {
					Seq     uint64    `json:"seq"`
					ID      string    `json:"id"`
					Name    string    `json:"name"`
					Type    string    `json:"type"`
					Size    int64     `json:"size"`
					Author  string    `json:"author"`
					Time    time.Time `json:"time"`
					Caption string    `json:"caption,omitempty"`
					Here    bool      `json:"here"`
				}{m.Seq, m.ID.String(), m.File.Name, m.File.Type, m.File.Size, author.Name, m.Time, m.File.Caption, m.File.Here},
					"%4d  %s  %10s  %s  (%s)", m.Seq, m.Time.Local().Format(time.DateTime), size(m.File.Size), m.File.Name, author.Name)
			}
			return nil
		})
	}
}

// size is a number of bytes as people read it.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

func fileGet(c *call) func([]string) error {
	to := c.flags.StringP("output", "o", ".", "a folder, or the name of a file that does not exist")
	return func(args []string) error {
		return c.within(func(cl *core.Client) error {
			behind := c.sync(cl)
			id, err := cl.FindMatter(c.ctx, args[0])
			if err != nil {
				return errors.Join(behind, err)
			}
			files, err := cl.Files(c.ctx, id)
			if err != nil {
				return err
			}
			m, err := pickFile(files, args[1])
			if err != nil {
				return errors.Join(err, behind)
			}
			cancel := cl.Subscribe(func(e core.Event) {
				if p, ok := e.(core.FileProgress); ok && p.File == core.FileOf(m) && p.Problem == nil {
					c.progress("down", m.File.Name, p.Done, p.Total)
				}
			})
			path, err := cl.SaveFile(c.ctx, core.FileOf(m), *to)
			cancel()
			if err != nil {
				return err
			}
			c.out.line(struct {
				Path string `json:"path"`
			}{path}, "%s", path)
			return nil
		})
	}
}

// pickFile finds a file by its message's number, by an unambiguous part of its id from
// the start, or by its name; of several with one name, the newest.
func pickFile(files []matter.Message, ref string) (matter.Message, error) {
	seq, err := strconv.ParseUint(ref, 10, 64)
	var found []matter.Message
	for _, m := range files {
		if m.File == nil {
			continue
		}
		if m.Seq == seq && err == nil || m.File.Name == ref {
			return m, nil
		}
		if len(ref) >= 4 && strings.HasPrefix(m.ID.String(), strings.ToLower(ref)) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		return matter.Message{}, &fault.Error{Text: "There is no such file in this matter.", Hint: "causactl file list shows what there is."}
	}
	return found[0], nil
}
