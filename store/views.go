package store

import (
	"database/sql"
	"strings"
	"time"

	"causa/matter"
)

// A Filter chooses matters. Its zero value lets all through.
type Filter struct {
	Owner   matter.MemberID // zero: anybody's
	Class   matter.Class    // empty: any
	States  []matter.State  // none: any
	DueBy   time.Time       // zero: whenever; else only those with a date up to then
	Waiting matter.MemberID // zero: all; else only those that wait for this member, who is this device's
	Soonest bool            // the soonest date first, instead of what moved last
	Limit   int
}

// waits is what of a matter waits for member ?: calls for this device's member that have
// had no answer, and tasks.
const waits = `(SELECT count(*) FROM mention w WHERE w.matter = matter.id) +
	(SELECT count(*) FROM task w WHERE w.matter = matter.id AND w.assignee = ? AND w.done_by = x'')`

// MattersWhere lists the matters that a filter lets through. One whose description has not
// come yet is left out.
func (tx *Tx) MattersWhere(f Filter) ([]matter.Matter, error) {
	where := []string{"title <> ''"}
	var args []any
	if !f.Owner.IsZero() {
		where, args = append(where, "owner = ?"), append(args, f.Owner[:])
	}
	if f.Class != "" {
		where, args = append(where, "class = ?"), append(args, string(f.Class))
	}
	if len(f.States) > 0 {
		where = append(where, "state IN (?"+strings.Repeat(",?", len(f.States)-1)+")")
		for _, s := range f.States {
			args = append(args, int(s))
		}
	}
	if !f.DueBy.IsZero() {
		where, args = append(where, "due > 0 AND due <= ?"), append(args, millis(f.DueBy))
	}
	if !f.Waiting.IsZero() {
		where, args = append(where, "removed = 0 AND "+waits+" > 0"), append(args, f.Waiting[:])
	}
	order := "active DESC, id"
	if f.Soonest {
		order = "due = 0, due, active DESC, id"
	}
	return tx.matters("SELECT "+matterColumns+" FROM matter WHERE "+strings.Join(where, " AND ")+" ORDER BY "+order+" LIMIT ?", append(args, f.Limit)...)
}

// Waits counts, for each matter, what waits for this device's member.
func (tx *Tx) Waits(self matter.MemberID) (map[matter.ID]int, error) {
	out := map[matter.ID]int{}
	err := tx.each(func(r *sql.Rows) error {
		var id []byte
		var n int
		if err := r.Scan(&id, &n); err != nil {
			return err
		}
		out[matter.ID(id)] += n
		return nil
	}, `SELECT matter, count(*) FROM mention GROUP BY matter
		UNION ALL SELECT matter, count(*) FROM task WHERE assignee = ? AND done_by = x'' GROUP BY matter`, self[:])
	return out, err
}

// WaitingLines lists the lines that wait for this device's member in matters that go on:
// tasks by date, then calls.
func (tx *Tx) WaitingLines(self matter.MemberID, limit int) ([]matter.Message, error) {
	return tx.linesAt(`SELECT w.matter, w.seq FROM task w JOIN matter x ON x.id = w.matter
			WHERE w.assignee = ? AND w.done_by = x'' AND x.removed = 0 AND x.state < ? ORDER BY w.due = 0, w.due, w.matter, w.seq LIMIT ?`,
		`SELECT w.matter, w.seq FROM mention w JOIN matter x ON x.id = w.matter
			WHERE x.removed = 0 AND x.state < ? ORDER BY x.active DESC, w.seq LIMIT ?`,
		[]any{self[:], int(matter.StateConcluded), limit}, []any{int(matter.StateConcluded), limit})
}

// linesAt reads the lines whose matters and sequences two queries yield, each once.
func (tx *Tx) linesAt(first, second string, firstArgs, secondArgs []any) (out []matter.Message, err error) {
	type at struct {
		id  matter.ID
		seq uint64
	}
	var places []at
	seen := map[at]bool{}
	take := func(r *sql.Rows) error {
		var id []byte
		var seq int64
		if err := r.Scan(&id, &seq); err != nil {
			return err
		}
		if p := (at{matter.ID(id), uint64(seq)}); !seen[p] {
			seen[p] = true
			places = append(places, p)
		}
		return nil
	}
	if err := tx.each(take, first, firstArgs...); err != nil {
		return nil, err
	}
	if err := tx.each(take, second, secondArgs...); err != nil {
		return nil, err
	}
	for _, p := range places {
		m, err := tx.Message(p.id, p.seq)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Side is a part of a thread that is listed beside it.
type Side string

// The sides of a thread.
const (
	SidePinned    Side = "seq IN (SELECT seq FROM pin WHERE pin.matter = message.matter)"
	SideTasks     Side = "seq IN (SELECT seq FROM task WHERE task.matter = message.matter)"
	SidePolls     Side = "seq IN (SELECT seq FROM poll WHERE poll.matter = message.matter)"
	SideDecisions Side = "kind = 8" // matter.KindConcluded
	SideHistory   Side = "kind NOT IN (1, 30, 31, 32, 33, 34) AND kind NOT BETWEEN 50 AND 59"
)

// SideLines lists one side of a thread, oldest first.
func (tx *Tx) SideLines(id matter.ID, s Side, limit int) ([]matter.Message, error) {
	ms, refs, err := tx.lines(id, string(s)+" ORDER BY seq LIMIT ?", limit)
	if err != nil {
		return nil, err
	}
	return ms, tx.dress(id, ms, refs)
}
