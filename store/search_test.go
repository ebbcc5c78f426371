//go:build cgo

package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"causa/internal/bigstore/corpus"
	"causa/internal/bigstore/fill"
	"causa/matter"
	"causa/store"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

type line struct {
	m      matter.ID
	seq    uint64
	at     time.Time
	author matter.MemberID
	text   string
}

func update(t testing.TB, db *store.DB, f func(*store.Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

func newMatter(t testing.TB, db *store.DB, title string, class matter.Class) matter.ID {
	t.Helper()
	m := matter.Matter{ID: matter.NewID(), Title: title, Class: class, State: matter.StateOpen, Opened: start, Active: start}
	update(t, db, func(tx *store.Tx) error { return tx.NewMatter(m, matter.DeviceID{1}, 0) })
	return m.ID
}

func say(t testing.TB, db *store.DB, lines ...line) {
	t.Helper()
	update(t, db, func(tx *store.Tx) error {
		for _, l := range lines {
			added, err := tx.AddMessage(matter.Message{
				ID: matter.NewMessageID(), Matter: l.m, Seq: l.seq, Time: l.at, Author: l.author, Kind: matter.KindText, Text: l.text,
			}, matter.MemberID{})
			if err != nil {
				return err
			}
			if !added {
				return fmt.Errorf("line %d is there already", l.seq)
			}
		}
		return nil
	})
}

func search(t testing.TB, db *store.DB, q store.Query) ([]store.Hit, store.Cursor) {
	t.Helper()
	var hits []store.Hit
	var next store.Cursor
	err := db.View(context.Background(), func(tx *store.Tx) (err error) {
		hits, next, err = tx.Search(q)
		return err
	})
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return hits, next
}

// marked writes a snippet with [ ] around its marks.
func marked(s store.Snippet) string {
	var b strings.Builder
	at := 0
	for _, m := range s.Marks {
		b.WriteString(s.Text[at:m.From] + "[" + s.Text[m.From:m.To] + "]")
		at = m.To
	}
	return b.String() + s.Text[at:]
}

func TestSearchWords(t *testing.T) {
	db := store.OpenTemp(t)
	m := newMatter(t, db, "华东仓库租赁合同", matter.ClassContract)
	texts := []string{
		1:  "请把合同发我一份",
		2:  "同意，合在一起签",
		3:  "The Contract clause 3.5 was signed",
		4:  "subcontractors are not contractors",
		5:  "Ｃｏｎｔｒａｃｔ in full width",
		6:  "résumé and naïve café",
		7:  "中国的国家标准",
		8:  "国家中国",
		9:  "这是中国家具",
		10: `he said "NEAR" and OR AND NOT * ^ : (x)`,
		11: "3% off -- SELECT * FROM message; DROP TABLE",
		12: "日本語のテキストと한국어 텍스트",
		13: "电话 13800138000，邮箱 li.wei@example.com",
		14: "𠮷野家的账单",
		15: "第一行\n第二行有发票\n第三行",
		16: "👍 收到",
		17: strings.Repeat("很长的前文，", 40) + "关键的结论在这里" + strings.Repeat("，很长的后文", 40),
	}
	for i, s := range texts {
		if s != "" {
			say(t, db, line{m: m, seq: uint64(i), at: start.Add(time.Duration(i) * time.Minute), text: s})
		}
	}
	tests := []struct {
		query string
		want  []string
	}{
		{"合同", []string{"请把[合同]发我一份", "华东仓库租赁[合同]"}},
		{"合", []string{"同意，[合]在一起签", "请把[合]同发我一份", "华东仓库租赁[合]同"}},
		{"租赁合同", []string{"华东仓库[租赁合同]"}},
		{"contract", []string{"[Ｃｏｎｔｒａｃｔ] in full width", "subcontractors are not [contract]ors", "The [Contract] clause 3.5 was signed"}},
		{"CONTRACT clause", []string{"The [Contract] [clause] 3.5 was signed"}},
		{"clause contract", []string{"The [Contract] [clause] 3.5 was signed"}},
		{"3.5", []string{"The Contract clause [3.5] was signed"}},
		{"resume CAFÉ", []string{"[résumé] and naïve [café]"}},
		{"中国家", []string{"这是[中国家]具"}},
		{"国家", []string{"这是中[国家]具", "[国家]中国", "中国的[国家]标准"}},
		{"NEAR", []string{`he said "[NEAR]" and OR AND NOT * ^ : (x)`}},
		{`"near" NOT`, []string{`he said "[NEAR]" and OR AND [NOT] * ^ : (x)`}},
		{"select * from", []string{"3% off -- [SELECT] * [FROM] message; DROP TABLE"}},
		{"テキスト", []string{"日本語の[テキスト]と한국어 텍스트"}},
		{"한국", []string{"日本語のテキストと[한국]어 텍스트"}},
		{"13800138000", []string{"电话 [13800138000]，邮箱 li.wei@example.com"}},
		{"li.wei@example.com", []string{"电话 13800138000，邮箱 [li.wei@example.com]"}},
		{"𠮷野", []string{"[𠮷野]家的账单"}},
		{"发票", []string{"…第二行有[发票] 第三行"}},
		{"👍", []string{"[👍] 收到"}},
		{"没有这个", nil},
		{"tract", nil}, // words are found from their beginning
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			hits, _ := search(t, db, store.Query{Text: tt.query})
			var got []string
			for _, h := range hits {
				got = append(got, marked(h.Snippet))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("hits (-want +got):\n%s", d)
			}
		})
	}
	hits, _ := search(t, db, store.Query{Text: "结论"})
	if len(hits) != 1 || !strings.HasPrefix(hits[0].Snippet.Text, "…") || !strings.HasSuffix(hits[0].Snippet.Text, "…") || !strings.Contains(marked(hits[0].Snippet), "关键的[结论]在这里") {
		t.Errorf("the snippet of a long text is %+v", hits)
	}
}

// Nothing a person can type is an error of the index or reaches SQL.
func TestSearchMetacharacters(t *testing.T) {
	db := store.OpenTemp(t)
	m := newMatter(t, db, "x", matter.ClassGeneral)
	say(t, db, line{m: m, seq: 1, at: start, text: "some text 文字"})
	for _, q := range []string{
		`"`, `*`, `NEAR(`, `NEAR("a" "b", 3)`, `t:text`, `-text`, `^text`, `text*`, `"text`, `text"`, `(text`, `text OR`, `a AND`, "\x00", "a\x00b",
		`'; DROP TABLE message; --`, "\xff\xfe", strings.Repeat("字", 5000), strings.Repeat("a ", 5000), strings.Repeat("a", 5000), "text文字", `{text} : x`, "+text", "\ue002", "\ue003202603",
	} {
		err := db.View(context.Background(), func(tx *store.Tx) error {
			_, _, err := tx.Search(store.Query{Text: q})
			return err
		})
		if err != nil && !errors.Is(err, store.ErrNoQuery) {
			t.Errorf("%.30q: %v", q, err)
		}
	}
	for _, q := range []store.Query{{}, {Text: "  "}, {Text: `"*"`}, {Limit: 5}} {
		err := db.View(context.Background(), func(tx *store.Tx) error {
			_, _, err := tx.Search(q)
			return err
		})
		if !errors.Is(err, store.ErrNoQuery) {
			t.Errorf("%+v: %v, want %v", q, err, store.ErrNoQuery)
		}
	}
}

func TestSearchFilters(t *testing.T) {
	db := store.OpenTemp(t)
	a := newMatter(t, db, "甲", matter.ClassContract)
	b := newMatter(t, db, "乙", matter.ClassExpense)
	anna, bo := matter.NewMemberID(), matter.NewMemberID()
	say(t, db,
		line{a, 1, start, anna, "合同一"},
		line{a, 2, start.AddDate(0, 1, 0), bo, "合同二"},
		line{b, 1, start.AddDate(0, 2, 0), anna, "合同三"},
		line{b, 2, start.AddDate(0, 2, 1), bo, "发票四"},
	)
	update(t, db, func(tx *store.Tx) error {
		ms, err := tx.Messages(b, 0, 10)
		if err != nil {
			return err
		}
		if err := tx.AddBlob(store.Blob{ID: store.BlobID{1}, Matter: b, Message: ms[0].ID, Name: "scan.pdf", Size: 3, Created: start}); err != nil {
			return err
		}
		return tx.PutBlobPart(store.BlobID{1}, 0, []byte("pdf"))
	})
	tests := []struct {
		name string
		q    store.Query
		want []string
	}{
		{"text", store.Query{Text: "合同"}, []string{"合同三", "合同二", "合同一"}},
		{"matter", store.Query{Text: "合同", Matter: a}, []string{"合同二", "合同一"}},
		{"author", store.Query{Text: "合同", Author: anna}, []string{"合同三", "合同一"}},
		{"class", store.Query{Text: "合同", Class: matter.ClassExpense}, []string{"合同三"}},
		{"from", store.Query{Text: "合同", From: start.AddDate(0, 1, 0)}, []string{"合同三", "合同二"}},
		{"to", store.Query{Text: "合同", To: start.AddDate(0, 1, 0)}, []string{"合同一"}},
		{"file", store.Query{HasFile: true}, []string{"合同三"}},
		{"author alone", store.Query{Author: bo}, []string{"发票四", "合同二"}},
		{"class alone", store.Query{Class: matter.ClassExpense}, []string{"发票四", "合同三", "乙"}},
		{"all at once", store.Query{Text: "合同", Matter: b, Author: anna, Class: matter.ClassExpense, HasFile: true, From: start, To: start.AddDate(1, 0, 0)}, []string{"合同三"}},
		{"unknown matter", store.Query{Text: "合同", Matter: matter.NewID()}, nil},
		{"limit", store.Query{Text: "合同", Limit: 1}, []string{"合同三"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hits, _ := search(t, db, tt.q)
			var got []string
			for _, h := range hits {
				got = append(got, h.Snippet.Text)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("hits (-want +got):\n%s", d)
			}
		})
	}
}

// Lines and titles that were changed, emptied or deleted are not found by what they said.
func TestSearchForgets(t *testing.T) {
	db := store.OpenTemp(t)
	m := newMatter(t, db, "旧题", matter.ClassGeneral)
	say(t, db, line{m: m, seq: 1, at: start, text: "秘密一"}, line{m: m, seq: 2, at: start, text: "秘密二"}, line{m: m, seq: 3, at: start, text: "秘密三"})
	count := func(q string) int { hits, _ := search(t, db, store.Query{Text: q}); return len(hits) }
	if got := count("秘密"); got != 3 {
		t.Fatalf("%d hits, want 3", got)
	}
	update(t, db, func(tx *store.Tx) error { return tx.DropMessage(m, 1) })
	update(t, db, func(tx *store.Tx) error { return tx.ClearMessage(m, 2) })
	if got := count("秘密"); got != 1 {
		t.Errorf("%d hits after deleting and emptying, want 1", got)
	}
	update(t, db, func(tx *store.Tx) error {
		x, err := tx.Matter(m)
		if err != nil {
			return err
		}
		x.Title = "新题"
		return tx.Describe(x)
	})
	if a, b := count("旧题"), count("新题"); a != 0 || b != 1 {
		t.Errorf("%d hits for the old title and %d for the new one", a, b)
	}
	if err := db.DropMatter(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if a, b := count("秘密"), count("新题"); a+b != 0 {
		t.Errorf("%d and %d hits after deleting the matter", a, b)
	}
	// The same line comes again, as after a resync.
	update(t, db, func(tx *store.Tx) error {
		return tx.NewMatter(matter.Matter{ID: m, Title: "新题", Class: matter.ClassGeneral, State: matter.StateOpen, Opened: start, Active: start}, matter.DeviceID{1}, 0)
	})
	say(t, db, line{m: m, seq: 1, at: start, text: "秘密一"})
	if a, b := count("秘密"), count("新题"); a != 1 || b != 1 {
		t.Errorf("%d and %d hits after a resync, want 1 and 1", a, b)
	}
}

// Clocks go backwards and far ahead: every line is found, in the order of its time, also
// when there are so many that the search goes day by day.
func TestSearchWildClocks(t *testing.T) {
	db := store.OpenTemp(t)
	m := newMatter(t, db, "x", matter.ClassGeneral)
	var lines []line
	for i := range 900 {
		at := start.Add(-time.Duration(i) * 7 * time.Hour)
		switch i % 300 {
		case 1:
			at = time.UnixMilli(-1 << 60)
		case 2:
			at = time.Unix(0, 0)
		case 3:
			at = time.UnixMilli(1 << 50)
		}
		lines = append(lines, line{m: m, seq: uint64(i + 1), at: at, text: "同样的话"})
	}
	say(t, db, lines...)
	var last time.Time
	seen := 0
	for after := (store.Cursor{}); ; {
		hits, next := search(t, db, store.Query{Text: "同样", Limit: 70, After: after})
		for _, h := range hits {
			if seen > 0 && h.Time.After(last) {
				t.Fatalf("hit %d of %v after one of %v", seen, h.Time, last)
			}
			last = h.Time
			seen++
		}
		if next.IsZero() {
			break
		}
		after = next
	}
	if seen != 900 {
		t.Errorf("%d of 900 lines found", seen)
	}
}

// Against a plain scan of all texts: Chinese of one to four characters as it is typed,
// words and cuts across words, and English beginnings. All hits, in order, page by page.
func TestSearchRecall(t *testing.T) {
	db := store.OpenTemp(t)
	size := fill.Size{Messages: 4000, Matters: 100, Large: 400}
	if testing.Short() {
		size.Messages = 1500
	}
	made, err := fill.Store(context.Background(), db, size, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []line
	err = db.View(context.Background(), func(tx *store.Tx) error {
		for _, id := range made.Matters {
			m, err := tx.Matter(id)
			if err != nil {
				return err
			}
			all = append(all, line{m: id, at: m.Opened, author: m.Owner, text: m.Title})
			ms, err := tx.Messages(id, 0, 1_000_000)
			if err != nil {
				return err
			}
			for _, x := range ms {
				all = append(all, line{id, x.Seq, x.Time, x.Author, x.Text})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	g := corpus.New(5)
	var queries []string
	for len(queries) < 120 {
		queries = append(queries, g.Topic())
		rs := []rune(all[rand.IntN(len(all))].text)
		k := 1 + rand.IntN(4)
		if len(rs) <= k {
			continue
		}
		at := rand.IntN(len(rs) - k)
		if cut := rs[at : at+k]; !slices.ContainsFunc(cut, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) {
			queries = append(queries, string(cut))
		}
	}
	queries = append(queries, "contr", "inv", "the", "budget forecast")
	total := 0
	for _, q := range queries {
		want := map[string]bool{}
		for _, l := range all {
			if has(l.text, q) {
				want[fmt.Sprint(l.m, l.seq)] = true
			}
		}
		got := map[string]bool{}
		var last time.Time
		for after := (store.Cursor{}); ; {
			hits, next := search(t, db, store.Query{Text: q, Limit: 40, After: after})
			for i, h := range hits {
				key := fmt.Sprint(h.Matter, h.Seq)
				if got[key] {
					t.Fatalf("%s: %s comes twice", q, key)
				}
				got[key] = true
				if !strings.Contains(q, " ") && !last.IsZero() && h.Time.After(last) {
					t.Fatalf("%s: hit %d is newer than the one before", q, i)
				}
				last = h.Time
			}
			if next.IsZero() {
				break
			}
			after = next
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: hits (-want +got):\n%s", q, d)
		}
		total += len(got)
	}
	if total < len(queries)*3 {
		t.Errorf("%d hits for %d queries", total, len(queries))
	}
	t.Logf("%d queries, %d hits among %d lines", len(queries), total, len(all))
}

// has says, simply and slowly, whether a line is a hit.
func has(text, q string) bool {
	text = strings.ToLower(text)
	for _, w := range strings.Fields(q) {
		found := false
		for at := 0; ; {
			i := strings.Index(text[at:], w)
			if i < 0 {
				break
			}
			i += at
			at = i + len(w)
			if w[0] >= 0x80 || i == 0 || !isWord(text[i-1]) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func isWord(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }
