package orglog

import (
	"fmt"
	"testing"

	"causa/matter"
)

// longLog returns the bytes of a log of about n entries: members coming, and the last head.
func longLog(b *testing.B, n int) ([][]byte, Hash) {
	b.Helper()
	c := newCompany(b)
	for i := 0; len(c.log) < n; i++ {
		c.hire("bob", fmt.Sprint("member ", i), matter.RoleMember)
	}
	out := make([][]byte, 0, len(c.log))
	for _, e := range c.log {
		out = append(out, e.Bytes())
	}
	return out, c.s.Head()
}

func BenchmarkApply(b *testing.B) {
	entries, _ := longLog(b, 2000)
	for b.Loop() {
		s := NewState()
		for _, raw := range entries {
			e, err := Decode(raw)
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Apply(e); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(entries)), "µs/entry")
}

func BenchmarkRestore(b *testing.B) {
	entries, head := longLog(b, 2000)
	for b.Loop() {
		if _, err := Restore(each(entries), head); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(entries)), "µs/entry")
}
