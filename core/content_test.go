package core

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
	"causa/orglog"
)

func TestContentRoundTrip(t *testing.T) {
	want := content{Time: time.UnixMilli(1763750000123), LogNext: 7, LogHead: orglog.Hash{1}, Seen: 9, Chain: chain{8}, Kind: contentText, Body: []byte("对方把账期改了")}
	b, err := want.bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseContent(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("content changed (-want +got):\n%s", d)
	}
}

func TestDescriptionRoundTrip(t *testing.T) {
	body, err := conclusion{Decision: "60 days", Upto: 1, Cosigners: []matter.MemberID{{4}, {5}}}.bytes()
	if err != nil {
		t.Fatal(err)
	}
	want := standing(&matter.Matter{
		Title: "年度供货合同", Class: matter.ClassContract, State: matter.StateWaiting, Due: time.UnixMilli(1764288000000),
		Owner: matter.MemberID{1}, OpenedBy: matter.MemberID{2}, Opened: time.UnixMilli(1763750000123),
		Life: matter.Life{
			Ref: "采 2026-7", WaitsFor: &matter.Waiting{On: matter.MemberID{3}, Until: time.UnixMilli(1764288000000), Why: "签字"},
			Labels: []string{"a", "b"}, Links: []matter.ID{{1}, {2}}, Parent: matter.ID{9}, History: matter.HistoryEverything, Log: 7,
			Parts: []matter.Assigned{{Member: matter.MemberID{4}, Part: matter.PartObserver}, {Member: matter.MemberID{5}, Part: matter.PartGuest, Until: time.UnixMilli(1764288000000)}},
			Proposal: &matter.Proposal{
				Seq: 3, By: matter.MemberID{1}, Device: matter.DeviceID{1}, Message: matter.MessageID{2}, Body: body, Decision: "60 days",
				Cosigners: []matter.MemberID{{4}, {5}}, Signed: []matter.MemberID{{5}},
			},
		},
	}, 12, chain{1})
	b, err := want.bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseDescription(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("description changed (-want +got):\n%s", d)
	}
	want.Title = "a\u202eb"
	if b, err = want.bytes(); err != nil {
		t.Fatal(err)
	}
	if _, err := parseDescription(b); err == nil {
		t.Error("a title that reverses the direction of text was accepted")
	}
}

func FuzzContent(f *testing.F) {
	b, err := content{Time: time.UnixMilli(1), Kind: 1, Body: []byte("x")}.bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseContent(b)
		if err != nil {
			return
		}
		again, err := c.bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted content re-encodes to %x, %v", again, err)
		}
	})
}

func FuzzDescription(f *testing.F) {
	b, err := standing(&matter.Matter{Title: "x", Class: "general", State: matter.StateOpen, Opened: time.UnixMilli(1), Life: matter.Life{Labels: []string{"l"}}}, 0, chain{}).bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseDescription(b)
		if err != nil {
			return
		}
		again, err := d.bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted description re-encodes to %x, %v", again, err)
		}
	})
}

func TestBackoff(t *testing.T) {
	tests := []struct {
		name  string
		fails int
		want  time.Duration
	}{
		{"first retry is quick", 1, firstRetry},
		{"doubles", 3, 4 * firstRetry},
		{"stops growing", 40, lastRetry},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := backoff(tt.fails); got != tt.want {
				t.Errorf("backoff(%d) = %v, want %v", tt.fails, got, tt.want)
			}
		})
	}
}

func TestCleanText(t *testing.T) {
	tests := []struct {
		name, in, want string
		bad            bool
	}{
		{name: "line ends become one kind", in: "a\r\nb\rc", want: "a\nb\nc"},
		{name: "control characters go", in: "a\x1b[31mb\x00", want: "a[31mb"},
		{name: "tabs stay", in: "a\tb", want: "a\tb"},
		{name: "space at the end goes", in: "a \n\n", want: "a"},
		{name: "nothing", in: " \n\t ", bad: true},
		{name: "only control characters", in: "\x00\x1b", bad: true},
		{name: "not text", in: "\xff\xfe", bad: true},
		{name: "too long", in: string(bytes.Repeat([]byte{'x'}, 65537)), bad: true},
		{name: "just short enough", in: string(bytes.Repeat([]byte{'x'}, 65536)), want: string(bytes.Repeat([]byte{'x'}, 65536))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := cleanText(tt.in)
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("cleanText = %.20q, %v", got, err)
			}
		})
	}
}

func FuzzConclusion(f *testing.F) {
	b, err := conclusion{Decision: "60 days", Facts: []matter.Fact{{Name: "账期", Value: "60 天"}}, From: 1, Upto: 9}.bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseConclusion(b)
		if err != nil {
			return
		}
		again, err := d.bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted conclusion re-encodes to %x, %v", again, err)
		}
	})
}

func FuzzChange(f *testing.F) {
	for _, c := range []change{
		{Field: matter.FieldTitle, Text: "x"},
		{Field: matter.FieldWaiting, ID: [16]byte{1}, Time: time.UnixMilli(5), Text: "why"},
		{Field: matter.FieldPart, ID: [16]byte{1}, Value: uint8(matter.PartGuest), Time: time.UnixMilli(5)},
	} {
		b, err := c.bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseChange(b)
		if err != nil {
			return
		}
		again, err := c.bytes()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted change re-encodes to %x, %v", again, err)
		}
	})
}
