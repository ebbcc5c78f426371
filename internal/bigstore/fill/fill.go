// Package fill puts into a store what a busy company writes in five years.
package fill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"causa/internal/bigstore/corpus"
	"causa/matter"
	"causa/store"
)

// Size says how much to write. Zero fields get the full size.
type Size struct {
	Messages int // 1,000,000
	Matters  int // 5,000
	Members  int // 200
	Large    int // messages of the one large matter; 10,000
	Seed     uint64
	Self     matter.MemberID // whose store it is; zero: anybody's
}

// Made says what is in the store.
type Made struct {
	Matters []matter.ID
	Large   matter.ID
	Members []matter.MemberID
	Texts   int64 // bytes of text
}

// End is the last moment at which anything was written.
var End = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func (s *Size) defaults() {
	for _, f := range []struct {
		n    *int
		full int
	}{{&s.Messages, 1_000_000}, {&s.Matters, 5_000}, {&s.Members, 200}, {&s.Large, 10_000}} {
		if *f.n == 0 {
			*f.n = f.full
		}
	}
	s.Large = min(s.Large, s.Messages/2)
	s.Seed++
}

// batch is how many messages share a transaction.
const batch = 20_000

// Store writes matters and messages to db, oldest first, as years of syncing would have.
// progress, which may be nil, is told how many messages are written.
func Store(ctx context.Context, db *store.DB, s Size, progress func(done int)) (*Made, error) {
	s.defaults()
	g := corpus.New(s.Seed)
	r := g.Rand()
	made := &Made{}
	for range s.Members {
		made.Members = append(made.Members, matter.MemberID(id(r)))
	}
	if !s.Self.IsZero() {
		made.Members[0] = s.Self
	}
	years := 5 * 365 * 24 * time.Hour
	times := g.Times(s.Messages, End.Add(-years), End)
	plan, weights := newPlan(r, s, made, times)
	if err := openMatters(ctx, db, g, plan); err != nil {
		return nil, err
	}
	seq := make([]uint64, len(plan))
	for done := 0; done < s.Messages; {
		end := min(done+batch, s.Messages)
		err := db.Update(ctx, func(tx *store.Tx) error {
			for ; done < end; done++ {
				p := weights[done]
				m := &plan[p]
				seq[p]++
				author := m.Participants[r.IntN(len(m.Participants))]
				text := g.Message()
				made.Texts += int64(len(text))
				if _, err := tx.AddMessage(matter.Message{
					ID: matter.MessageID(id(r)), Matter: m.ID, Seq: seq[p], Time: times[done], Author: author,
					Device: deviceOf(author), Kind: matter.KindText, Text: text, Delivery: matter.DeliverySent,
				}, made.Members[0]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("messages up to %d: %w", done, err)
		}
		if progress != nil {
			progress(done)
		}
	}
	return made, db.Update(ctx, func(tx *store.Tx) error {
		for i, m := range plan {
			if err := tx.SetCursor(m.ID, seq[i]); err != nil {
				return err
			}
			if i%20 != 0 { // some matters stay unread
				if err := tx.MarkRead(m.ID, seq[i], made.Members[0]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// newPlan makes the matters, each alive for some weeks or months, and says to which of
// them each message goes.
func newPlan(r *rand.Rand, s Size, made *Made, times []time.Time) (plan []matter.Matter, to []int) {
	to = make([]int, len(times))
	for i := range s.Matters {
		m := matter.Matter{
			ID: matter.ID(id(r)), Class: matter.Classes()[r.IntN(len(matter.Classes()))], State: matter.StateOpen,
			Owner: made.Members[r.IntN(len(made.Members))],
		}
		m.OpenedBy = m.Owner
		m.Participants = append(m.Participants, made.Members[0])
		for range 2 + r.IntN(9) {
			m.Participants = append(m.Participants, made.Members[1+r.IntN(len(made.Members)-1)])
		}
		m.Participants = unique(m.Participants)
		first := len(times) * i / s.Matters
		m.Opened = times[first]
		if i < s.Matters*9/10 {
			m.State = matter.StateConcluded
		}
		plan = append(plan, m)
		made.Matters = append(made.Matters, m.ID)
	}
	alive := max(s.Matters/25, 1) // matters that are talked about at a time
	for i := range to {
		newest := i * s.Matters / len(times)
		back := int(r.ExpFloat64() * float64(alive) / 2)
		if back > newest {
			back = r.IntN(newest + 1)
		}
		to[i] = newest - back
	}
	large := s.Matters / 2 // one matter gets very long
	made.Large = plan[large].ID
	from := len(times) * large / s.Matters
	n := 0
	for i := range to {
		if to[i] == large {
			n++
		}
	}
	step := max((len(times)-from)/max(s.Large, 1), 1)
	for i := from; i < len(to) && n < s.Large; i += step {
		if to[i] != large {
			to[i] = large
			n++
		}
	}
	for i := from; i < len(to) && n < s.Large; i++ {
		if to[i] != large {
			to[i] = large
			n++
		}
	}
	return plan, to
}

func openMatters(ctx context.Context, db *store.DB, g *corpus.Gen, plan []matter.Matter) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		for i := range plan {
			m := &plan[i]
			m.Title = g.Title()
			m.Active = m.Opened
			if err := tx.NewMatter(*m, deviceOf(m.Owner), 0); err != nil {
				return err
			}
			if err := tx.SetParticipants(m.ID, m.Participants); err != nil {
				return err
			}
		}
		return nil
	})
}

func unique(ids []matter.MemberID) []matter.MemberID {
	seen := map[matter.MemberID]bool{}
	out := ids[:0]
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

func id(r *rand.Rand) (b [16]byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func deviceOf(m matter.MemberID) (d matter.DeviceID) {
	copy(d[:], m[:])
	return d
}
