package main

import (
	"strings"
	"time"

	"causa/core"
)

func search(c *call) func([]string) error {
	in := c.flags.String("matter", "", "only in this matter")
	return func(args []string) error {
		return c.fresh(func(cl *core.Client) error {
			s := core.Search{Text: args[0]}
			if *in != "" {
				var err error
				if s.Matter, err = cl.FindMatter(c.ctx, *in); err != nil {
					return err
				}
			}
			found, err := cl.Search(c.ctx, s)
			if err != nil {
				return err
			}
			for _, f := range found {
				author, _ := cl.Member(f.Author)
				c.out.line(struct {
					Matter string    `json:"matter"`
					Title  string    `json:"title"`
					Seq    uint64    `json:"seq"`
					Time   time.Time `json:"time"`
					Author string    `json:"author"`
					Text   string    `json:"text"`
				}{f.Matter.String(), f.Title, f.Seq, f.Time, author.Name, f.Text},
					"%s  %s  %s: %s", f.Time.Local().Format(time.DateTime), f.Title, author.Name, strings.ReplaceAll(f.Text, "\n", " "))
			}
			return nil
		})
	}
}
