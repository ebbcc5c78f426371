package store

import (
	"database/sql"
	"errors"
	"math"
	"strings"
	"time"

	"causa/matter"
)

// collect gathers hits, newest first, until there are more than the limit.
func (s *search) collect() error {
	if s.match != "" {
		rows, err := s.rows(s.match, few)
		if err == nil {
			return s.read(rows)
		}
		if !errors.Is(err, errMany) {
			return err
		}
	}
	days, err := s.days()
	if err != nil {
		return err
	}
	for len(days) > 0 && len(s.hits) <= s.limit {
		n := 1
		for n < len(days) && sameMonth(days[n], days[0]) {
			n++
		}
		if err := s.inMonth(days[:n]); err != nil {
			return err
		}
		days = days[n:]
	}
	return nil
}

func sameMonth(a, b time.Time) bool { return a.Year() == b.Year() && a.Month() == b.Month() }

// days lists the days on which there can be hits, newest first.
func (s *search) days() ([]time.Time, error) {
	var out []time.Time
	err := s.tx.each(func(r *sql.Rows) error {
		var n int
		if err := r.Scan(&n); err != nil {
			return err
		}
		if day := time.Date(n/10000, time.Month(n/100%100), n%100, 0, 0, 0, 0, time.UTC); s.overlaps(day) {
			out = append(out, day)
		}
		return nil
	}, "SELECT day FROM search_day ORDER BY day DESC")
	return out, err
}

// overlaps reports whether anything on a day can be a hit.
func (s *search) overlaps(day time.Time) bool {
	end := day.AddDate(0, 0, 1)
	if day.Year() == 9999 || day.Year() == 1970 {
		return true // see dated
	}
	return (s.q.From.IsZero() || end.After(s.q.From)) && (s.q.To.IsZero() || day.Before(s.q.To)) &&
		(s.q.After.IsZero() || !day.After(time.UnixMilli(s.q.After.time)))
}

// inMonth gathers the hits of a month, day by day when there are many.
func (s *search) inMonth(days []time.Time) error {
	rows, err := s.rows(s.with(monthToken(days[0])), max(month, 2*s.limit))
	if err == nil {
		return s.read(rows)
	}
	if !errors.Is(err, errMany) {
		return err
	}
	// A day is read whole, however much was said on it; when it did not fill the page,
	// twice as many days come next.
	for n := 1; len(days) > 0 && len(s.hits) <= s.limit; n *= 2 {
		n = min(n, len(days))
		rows, err := s.rows(s.with(dayTokens(days[:n])...), math.MaxInt)
		if err != nil {
			return err
		}
		if err := s.read(rows); err != nil {
			return err
		}
		days = days[n:]
	}
	return nil
}

func dayTokens(days []time.Time) []string {
	tokens := make([]string, len(days))
	for i, d := range days {
		tokens[i] = dayToken(d)
	}
	return tokens
}

// with is the index query for lines that have one of the tokens as well.
func (s *search) with(tokens ...string) string {
	for i, t := range tokens {
		tokens[i] = quote(t)
	}
	dates := strings.Join(tokens, " OR ")
	if s.match == "" {
		return dates
	}
	return s.match + " AND (" + dates + ")"
}

// read reads the lines, drops those that only look like hits and keeps the others.
func (s *search) read(rows []int64) error {
	if s.lines == nil {
		st, err := s.tx.sql.PrepareContext(s.tx.ctx, "SELECT time, author, text FROM message WHERE matter = ? AND seq = ?")
		if err != nil {
			return err
		}
		s.lines = st
	}
	for _, row := range rows {
		w, err := s.where(row >> 32)
		if errors.Is(err, ErrNone) {
			continue
		}
		if err != nil {
			return err
		}
		h := Hit{Matter: w.id, Seq: uint64(row & 0xffffffff), row: row, Author: w.owner}
		at, text := w.open, w.title
		if h.Seq != 0 {
			var author []byte
			err := s.lines.QueryRowContext(s.tx.ctx, w.id[:], int64(h.Seq)).Scan(&at, &author, &text)
			if errors.Is(err, sql.ErrNoRows) {
				continue // the index is ahead of nothing; a line that is gone is no hit
			}
			if err != nil {
				return err
			}
			h.Author = matter.MemberID(author)
		}
		h.Time = instant(at)
		if !s.wanted(h, at) {
			continue
		}
		var ok bool
		if h.marks, h.Phrase, ok = s.terms.find(fold(text)); ok {
			h.text = text
			s.hits = append(s.hits, h)
		}
	}
	return nil
}

// wanted compares what the index knows only roughly.
func (s *search) wanted(h Hit, at int64) bool {
	switch {
	case s.q.Author != (matter.MemberID{}) && h.Author != s.q.Author,
		!s.q.From.IsZero() && h.Time.Before(s.q.From),
		!s.q.To.IsZero() && !h.Time.Before(s.q.To):
		return false
	}
	c := s.q.After
	return c.IsZero() || at < c.time || at == c.time && h.row < c.row
}
