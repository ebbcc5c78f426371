package dbtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"causa/hub/db"
)

func trim(t *testing.T, open func(t *testing.T) db.Store) {
	type page struct {
		Trimmed uint64
		Seqs    []uint64
	}
	tests := []struct {
		name       string
		beforeMS   int64
		limit      int
		gone       uint64
		first      page // from the start, for the device that was always in it
		second     page // for the one that was in it from 3 to 5 and from 8 on
		secondFrom uint64
	}{
		{"nothing is old", 100, 100, 0, page{0, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, page{0, []uint64{3, 4, 5}}, 0},
		{"before its time", 250, 100, 2, page{2, []uint64{3, 4, 5, 6, 7, 8, 9, 10}}, page{0, []uint64{3, 4, 5}}, 0},
		{"within its time", 450, 100, 4, page{4, []uint64{5, 6, 7, 8, 9, 10}}, page{4, []uint64{5}}, 0},
		{"its first time", 550, 100, 5, page{5, []uint64{6, 7, 8, 9, 10}}, page{5, []uint64{8, 9, 10}}, 0},
		{"between its times", 650, 100, 6, page{6, []uint64{7, 8, 9, 10}}, page{5, []uint64{8, 9, 10}}, 0},
		{"one who has its first time", 650, 100, 6, page{6, []uint64{7, 8, 9, 10}}, page{0, []uint64{8, 9, 10}}, 5},
		{"within its second time", 850, 100, 8, page{8, []uint64{9, 10}}, page{8, []uint64{9, 10}}, 0},
		{"a step", 850, 3, 3, page{3, []uint64{4, 5, 6, 7, 8, 9, 10}}, page{3, []uint64{4, 5}}, 0},
		{"all", 5000, 100, 10, page{10, nil}, page{10, nil}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, ctx := db.New(open(t)), t.Context()
			id, first, second := fill(t, d)
			due, err := d.Due(ctx, tt.beforeMS)
			if err != nil || (len(due) == 1) != (tt.gone > 0) {
				t.Fatalf("Due = %v, %v", due, err)
			}
			err = d.Write(ctx, func(tx *db.Tx) error {
				n, err := tx.Trim(1, tt.beforeMS, tt.limit)
				if n != tt.gone {
					t.Errorf("Trim = %d, want %d", n, tt.gone)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, who := range []struct {
				device db.DeviceNo
				after  uint64
				want   page
			}{{first, 0, tt.first}, {second, tt.secondFrom, tt.second}} {
				p, ok, err := d.Page(ctx, id, who.device, who.after, 100, 1000)
				if err != nil || !ok || p.Head != 10 {
					t.Fatalf("Page: %+v, %v, %v", p, ok, err)
				}
				got := page{Trimmed: p.Trimmed}
				for _, e := range p.Entries {
					got.Seqs = append(got.Seqs, e.Seq)
				}
				if diff := cmp.Diff(who.want, got); diff != "" {
					t.Errorf("page of device %d (-want +got):\n%s", who.device, diff)
				}
			}
		})
	}
}
