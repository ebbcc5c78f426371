package store

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"causa/matter"
)

// shards is how many indexes there are; a released number never changes.
const shards = 32

// Words of the index that stand for facts about a line rather than for its text. They
// begin with characters for private use, which fold and classOf keep out of texts.
const (
	tokenAuthor = "\ue001"
	tokenFile   = "\ue002"
	tokenMonth  = "\ue003"
	tokenDay    = "\ue004"
)

func authorToken(id matter.MemberID) string { return tokenAuthor + hex.EncodeToString(id[:4]) }
func monthToken(t time.Time) string         { return tokenMonth + t.UTC().Format("200601") }
func dayToken(t time.Time) string           { return tokenDay + t.UTC().Format("20060102") }

// dated keeps a time within the years that the index can name. Clocks go wrong; a line
// from the year 20000 must still be found.
func dated(t time.Time) time.Time {
	t = t.UTC()
	switch y := t.Year(); {
	case y < 1970:
		return time.Unix(0, 0).UTC()
	case y > 9999:
		return time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	return t
}

// words returns what of a text goes into the index, each once, with spaces between:
// words, and of unspaced scripts each character and each pair of neighbours. Pairs
// without positions find every run of characters; what has the pairs but not the run is
// sorted out when the text is read.
func words(text string) string {
	var b strings.Builder
	b.Grow(3 * len(text))
	seen := make(map[string]struct{}, len(text)/2)
	add := func(w string) {
		if _, ok := seen[w]; ok {
			return
		}
		seen[w] = struct{}{}
		b.WriteByte(' ')
		b.WriteString(w)
	}
	runs(fold(text), func(class runeClass, run string) {
		if class == wordRune {
			add(clip(run))
			return
		}
		last := -1
		for i, r := range run {
			end := i + utf8.RuneLen(r)
			add(run[i:end])
			if last >= 0 {
				add(run[last:end])
			}
			last = i
		}
	})
	return b.String()
}

// rowOf is a line's row in its index.
func rowOf(num int64, seq uint64) int64 { return num<<32 | int64(seq&0xffffffff) }

func shardTable(num int64) string { return fmt.Sprintf("search_%02d", num%shards) }

// searchNum returns a matter's number, giving it one when it has none.
func (tx *Tx) searchNum(id matter.ID) (num int64, err error) {
	if num, ok := tx.nums[id]; ok {
		return num, nil
	}
	if err := tx.exec("INSERT OR IGNORE INTO search_matter(matter) VALUES(?)", id[:]); err != nil {
		return 0, err
	}
	if err := tx.one([]any{&num}, "SELECT num FROM search_matter WHERE matter = ?", id[:]); err != nil {
		return 0, err
	}
	if tx.nums == nil {
		tx.nums = map[matter.ID]int64{}
	}
	tx.nums[id] = num
	return num, nil
}

// index makes a line findable.
func (tx *Tx) index(id matter.ID, seq uint64, text string, at time.Time, author matter.MemberID, hasFile bool) error {
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	at = dated(at)
	if day := (at.Year()*100+int(at.Month()))*100 + at.Day(); day != tx.day {
		if err := tx.exec("INSERT OR IGNORE INTO search_day(day) VALUES(?)", day); err != nil {
			return err
		}
		tx.day = day
	}
	text = matter.MapMentions(text, func(matter.MemberID) string { return " " }) // ids are no words
	w := words(text) + " " + authorToken(author) + " " + monthToken(at) + " " + dayToken(at)
	if hasFile {
		w += " " + tokenFile
	}
	return tx.exec("INSERT INTO "+shardTable(num)+"(rowid, t) VALUES(?, ?)", rowOf(num, seq), w)
}

// indexTitle makes a matter findable by its title; a different one before is forgotten.
func (tx *Tx) indexTitle(id matter.ID) error {
	num, err := tx.searchNum(id)
	if err != nil {
		return err
	}
	var title, indexed string
	var opened int64
	var owner []byte
	err = tx.one([]any{&title, &opened, &owner, &indexed},
		"SELECT m.title, m.opened, m.owner, s.title FROM matter m JOIN search_matter s ON s.matter = m.id WHERE m.id = ?", id[:])
	if err != nil || title == indexed {
		return err
	}
	if err := tx.exec("UPDATE search_matter SET title = ? WHERE num = ?", title, num); err != nil {
		return err
	}
	if indexed != "" {
		if err := tx.unindex(num, 0, 0); err != nil {
			return err
		}
	}
	if title == "" {
		return nil
	}
	return tx.index(id, 0, title, instant(opened), matter.MemberID(owner), false)
}

// unindex takes the lines from first to last out of the index. They can't be found any
// more when the transaction is committed; what the index held of them is gone for good
// when the purger has rewritten it.
func (tx *Tx) unindex(num int64, first, last uint64) error {
	res, err := tx.sql.ExecContext(tx.ctx, "DELETE FROM "+shardTable(num)+" WHERE rowid BETWEEN ? AND ?", rowOf(num, first), rowOf(num, last))
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	tx.freed = true
	return tx.exec("INSERT OR IGNORE INTO search_purge(shard) VALUES(?)", num%shards)
}
