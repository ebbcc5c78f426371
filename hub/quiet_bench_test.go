package hub_test

import (
	"crypto/ed25519"
	"flag"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causa/hub"
	"causa/hub/db"
	"causa/matter"
	"causa/orglog"
)

var benchMembers = flag.Int("members", 2000, "BenchmarkRelease: how many members are held")

// BenchmarkRelease measures what happens at 08:30: the quiet hours of so many members end at
// the same instant, each with wake-ups held, and a device to be woken at an endpoint over
// HTTP. Two other devices talk meanwhile. make bench-dnd runs it with 100,000.
func BenchmarkRelease(b *testing.B) {
	var woken atomic.Int64
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { woken.Add(1) }))
	defer sink.Close()
	var ahead atomic.Int64
	r := newRig(b, func(o *hub.Options) {
		o.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
		o.WakeHosts, o.WakePrivate = []string{strings.TrimPrefix(sink.URL, "http://")}, true
	})
	alice := r.owner()
	id := alice.open()
	bob := r.hire(matter.RoleMember)
	alice.change(id, []*member{bob}, nil)
	r.Stop()

	entries, members, devices := r.thousands(b, *benchMembers)
	until := time.Now().Add(time.Hour).Unix()
	var held []db.HeldWake
	for _, m := range members {
		for i := range 3 {
			held = append(held, db.HeldWake{Member: m, Matter: matter.ID{byte(i + 1)}, Sender: alice.Member, Until: until})
		}
	}
	if err := hub.Seed(r.Data(), entries, devices, sink.URL, held); err != nil {
		b.Fatal(err)
	}
	r.Restart()
	alice.connect()
	talk := func(done func() bool) (n int, worst []time.Duration) {
		for !done() {
			began := time.Now()
			alice.say(id, "live traffic")
			worst = append(worst, time.Since(began))
		}
		slices.Sort(worst)
		return len(worst), worst
	}
	end := time.Now().Add(2 * time.Second)
	before, calm := talk(func() bool { return time.Now().After(end) })

	b.ResetTimer()
	began := time.Now()
	ahead.Store(int64(2 * time.Hour))
	r.LookAtClock()
	during, busy := talk(func() bool { return woken.Load() >= int64(len(members)) || time.Since(began) > 5*time.Minute })
	took := time.Since(began)
	b.StopTimer()
	if n := woken.Load(); n != int64(len(members)) {
		b.Fatalf("%d of %d devices were woken", n, len(members))
	}
	b.ReportMetric(took.Seconds(), "s/release")
	b.ReportMetric(float64(before)/2, "sends/s-before")
	b.ReportMetric(float64(during)/took.Seconds(), "sends/s-during")
	b.ReportMetric(float64(calm[len(calm)*99/100].Microseconds())/1000, "ms-p99-before")
	b.ReportMetric(float64(busy[len(busy)*99/100].Microseconds())/1000, "ms-p99-during")
}

// thousands makes so many members with one device each, as entries that follow the log's.
func (r *rig) thousands(b *testing.B, n int) (entries [][]byte, members []matter.MemberID, devices []matter.DeviceID) {
	b.Helper()
	add := func(e *orglog.Entry, err error) {
		if err == nil {
			err = r.company.Apply(e)
		}
		if err != nil {
			b.Fatal(err)
		}
		entries = append(entries, e.Bytes())
	}
	for range n {
		public, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			b.Fatal(err)
		}
		m := matter.NewMemberID()
		add(r.company.SignAs(r.company.Owner(), orglog.MemberInvited{
			Member: m, Name: "Somebody", Role: matter.RoleMember, InviteKey: public, Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond),
		}))
		d, e, err := r.company.SignEnrolment(key)
		add(e, err)
		members, devices = append(members, m), append(devices, d.ID)
	}
	return entries, members, devices
}
