package store

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"causa/matter"
)

// A Query says what to look for. Fields that are zero do not narrow the search; one of
// them must be set.
type Query struct {
	Text    string // all of its words, in any order; a run of Chinese is one word
	Matter  matter.ID
	Author  matter.MemberID
	Class   matter.Class
	From    time.Time // not before
	To      time.Time // before
	HasFile bool
	Limit   int    // at most this many; 0: 50
	After   Cursor // the end of the page before; zero: the newest
}

// A Cursor is where a page of hits ended.
type Cursor struct {
	time int64
	row  int64
}

// IsZero reports whether there is no further page, or no page before.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// A Hit is a message, or with Seq 0 a matter's title, that a search has found.
type Hit struct {
	Matter  matter.ID
	Seq     uint64
	Time    time.Time
	Author  matter.MemberID // of a title: the matter's owner
	Phrase  bool            // the words stand together as they were typed
	Snippet Snippet

	row   int64
	text  string
	marks []span
}

// ErrNoQuery is returned for a search that would find everything: nothing to look for,
// or nothing but punctuation.
var ErrNoQuery = errors.New("nothing to search for")

const (
	defaultHits = 50
	maxHits     = 500
	// few is how many lines are read and sorted at once. When more have the words, the
	// search goes from month to month, newest first, and in a month where more than that
	// have them from day to day.
	few   = 300
	month = 200
)

// Search returns lines that have all the words of q: those where the words stand
// together come first, and the newer ones first among equals. Relevance is compared
// within a page. next is zero at the end.
func (tx *Tx) Search(q Query) (hits []Hit, next Cursor, err error) {
	s, err := tx.newSearch(q)
	if err != nil || s == nil {
		return nil, Cursor{}, err
	}
	defer s.close()
	if err := s.collect(); err != nil {
		return nil, Cursor{}, err
	}
	hits = s.hits
	slices.SortFunc(hits, newestFirst)
	if len(hits) > s.limit {
		hits = hits[:s.limit]
		last := hits[len(hits)-1]
		next = Cursor{time: last.Time.UnixMilli(), row: last.row}
	}
	for i := range hits {
		h := &hits[i]
		h.Snippet = snippet(h.text, h.marks)
		h.text, h.marks = "", nil
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		switch {
		case a.Phrase == b.Phrase:
			return 0
		case a.Phrase:
			return -1
		default:
			return 1
		}
	})
	return hits, next, nil
}

func newestFirst(a, b Hit) int {
	if c := b.Time.Compare(a.Time); c != 0 {
		return c
	}
	switch {
	case a.row > b.row:
		return -1
	case a.row < b.row:
		return 1
	}
	return 0
}

// A search is one run of a query.
type search struct {
	tx    *Tx
	q     Query
	limit int
	terms terms
	match string          // the index query, without dates
	nums  map[int64]where // what is known of matters
	among map[int64]bool  // the matters to search; nil: all
	only  int64           // the one matter, or 0
	stmts [shards]*sql.Stmt
	lines *sql.Stmt
	hits  []Hit
}

type where struct {
	id    matter.ID
	title string
	owner matter.MemberID
	open  int64
}

// newSearch prepares a run; nil when nothing can be found.
func (tx *Tx) newSearch(q Query) (*search, error) {
	s := &search{tx: tx, q: q, limit: q.Limit, terms: parseTerms(q.Text)}
	if s.limit <= 0 {
		s.limit = defaultHits
	}
	s.limit = min(s.limit, maxHits)
	var parts []string
	parts = append(parts, s.terms.match()...)
	if q.Author != (matter.MemberID{}) {
		parts = append(parts, quote(authorToken(q.Author)))
	}
	if q.HasFile {
		parts = append(parts, quote(tokenFile))
	}
	s.match = strings.Join(parts, " AND ")
	if s.match == "" && q.Text != "" {
		return nil, ErrNoQuery // nothing but punctuation
	}
	if s.match == "" && q.Matter.IsZero() && q.Class == "" && q.From.IsZero() && q.To.IsZero() {
		return nil, ErrNoQuery
	}
	s.nums = map[int64]where{}
	found, err := s.narrow()
	if err != nil || !found {
		return nil, err
	}
	return s, nil
}

// narrow finds the matters in which to look, when not in all.
func (s *search) narrow() (found bool, err error) {
	if !s.q.Matter.IsZero() {
		var class string
		err := s.tx.one([]any{&s.only, &class}, "SELECT s.num, m.class FROM search_matter s JOIN matter m ON m.id = s.matter WHERE m.id = ?", s.q.Matter[:])
		if errors.Is(err, ErrNone) {
			return false, nil
		}
		return s.q.Class == "" || class == string(s.q.Class), err
	}
	if s.q.Class == "" {
		return true, nil
	}
	s.among = map[int64]bool{}
	err = s.tx.each(func(r *sql.Rows) error {
		var num int64
		err := r.Scan(&num)
		s.among[num] = true
		return err
	}, "SELECT s.num FROM search_matter s JOIN matter m ON m.id = s.matter WHERE m.class = ?", string(s.q.Class))
	return len(s.among) > 0, err
}

// where tells a matter by its number.
func (s *search) where(num int64) (where, error) {
	if w, ok := s.nums[num]; ok {
		return w, nil
	}
	var w where
	var id, owner []byte
	err := s.tx.one([]any{&id, &w.title, &owner, &w.open},
		"SELECT m.id, m.title, m.owner, m.opened FROM search_matter s JOIN matter m ON m.id = s.matter WHERE s.num = ?", num)
	if err != nil {
		return w, err
	}
	w.id, w.owner = matter.ID(id), matter.MemberID(owner)
	s.nums[num] = w
	return w, nil
}

func (s *search) close() {
	for _, st := range s.stmts {
		if st != nil {
			_ = st.Close() // it was only read from
		}
	}
	if s.lines != nil {
		_ = s.lines.Close()
	}
}

// errMany stops a query that finds more than is wanted at once.
var errMany = errors.New("too many")

// rows returns the rows of the index that match, at most limit of them, or errMany.
func (s *search) rows(match string, limit int) ([]int64, error) {
	var out []int64
	var err error
	from, to := 0, shards-1
	if s.only != 0 {
		from = int(s.only % shards)
		to = from
	}
	for k := from; k <= to; k++ {
		if s.stmts[k] == nil {
			t := shardTable(int64(k))
			st, err := s.tx.sql.PrepareContext(s.tx.ctx, "SELECT rowid FROM "+t+" WHERE "+t+" MATCH ? AND rowid BETWEEN ? AND ?")
			if err != nil {
				return nil, err
			}
			s.stmts[k] = st
		}
		lo, hi := int64(0), int64(1)<<62
		if s.only != 0 {
			lo, hi = rowOf(s.only, 0), rowOf(s.only, 1<<32-1)
		}
		if out, err = s.shardRows(out, s.stmts[k], limit, match, lo, hi); err != nil {
			return nil, err
		}
		if len(out) > limit {
			return nil, errMany
		}
	}
	return out, nil
}

// shardRows adds what one index has, until there are more than limit.
func (s *search) shardRows(out []int64, st *sql.Stmt, limit int, args ...any) ([]int64, error) {
	rows, err := st.QueryContext(s.tx.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for len(out) <= limit && rows.Next() {
		var row int64
		if err := rows.Scan(&row); err != nil {
			return nil, err
		}
		if s.among == nil || s.among[row>>32] {
			out = append(out, row)
		}
	}
	return out, rows.Err()
}
