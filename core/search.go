package core

import (
	"context"
	"errors"
	"time"

	"causa/internal/fault"
	"causa/matter"
	"causa/store"
)

// A Search says what to look for. Only Text is needed.
type Search struct {
	Text   string          // all of its words, in any order; a run of Chinese is one word
	Matter matter.ID       // zero: everywhere
	Author matter.MemberID // zero: anybody
	Limit  int             // 0: 50
}

// A Mark is what was found in a text, as byte offsets.
type Mark = store.Mark

// A Found is a line that has what was looked for: something said or, with Seq 0, the
// title of a matter.
type Found struct {
	Matter matter.ID
	Title  string // the matter's
	Seq    uint64
	Time   time.Time
	Author matter.MemberID
	Text   string // the part of the line around what was found
	Marks  []Mark // what was found in Text
}

// Search finds lines in everything this device can read, the most fitting and newest
// first. Nothing leaves the device.
func (c *Client) Search(ctx context.Context, s Search) (out []Found, err error) {
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		hits, _, err := tx.Search(store.Query{Text: s.Text, Matter: s.Matter, Author: s.Author, Limit: s.Limit})
		if err != nil {
			return err
		}
		titles := map[matter.ID]string{}
		for _, h := range hits {
			if _, known := titles[h.Matter]; !known {
				m, err := tx.Matter(h.Matter)
				if err != nil {
					return err
				}
				titles[h.Matter] = m.Title
			}
			out = append(out, Found{
				Matter: h.Matter, Title: titles[h.Matter], Seq: h.Seq, Time: h.Time, Author: h.Author, Text: h.Snippet.Text, Marks: h.Snippet.Marks,
			})
		}
		return nil
	})
	if errors.Is(err, store.ErrNoQuery) {
		err = &fault.Error{Text: "There is nothing to search for.", Hint: "Type a word or part of one.", Err: err}
	}
	return out, worded(err)
}
