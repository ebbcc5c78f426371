package hub_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"causa/crypto/mls"
	"causa/crypto/mls/suite"
	"causa/hub"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

func TestKeyPackages(t *testing.T) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	one, two := b.keyPackage(mls.KeyPackageOptions{}), b.keyPackage(mls.KeyPackageOptions{})
	last := b.keyPackage(mls.KeyPackageOptions{LastResort: true})
	if n := stockOf(b.must(publish(last, one, two, one)).GetKeyPackagesPublished().GetStock()); n != 2 {
		t.Errorf("stock = %d, want 2", n)
	}
	claimOne := func() []byte {
		t.Helper()
		got := a.must(claim(b.ID, matter.DeviceID{1}, b.ID)).GetKeyPackages().GetClaimed()
		if len(got) != 1 || matter.DeviceID(got[0].GetDevice()) != b.ID {
			t.Fatalf("claimed %v", got)
		}
		return got[0].GetKeyPackage()
	}
	for i, want := range [][]byte{one, two, last, last} {
		if got := claimOne(); !bytes.Equal(got, want) {
			t.Errorf("claim %d gave another key package", i)
		}
	}
	// A new one of last resort replaces the old; the stock keeps the newest.
	again := b.keyPackage(mls.KeyPackageOptions{LastResort: true})
	b.must(publish(again))
	if got := claimOne(); !bytes.Equal(got, again) {
		t.Error("the old key package of last resort is still there")
	}
	var kps [][]byte
	for range wire.MaxKeyPackages + 1 {
		kps = append(kps, b.keyPackage(mls.KeyPackageOptions{}))
	}
	b.must(publish(nil, kps[:wire.MaxKeyPackages]...))
	if n := stockOf(b.must(publish(nil, kps[wire.MaxKeyPackages])).GetKeyPackagesPublished().GetStock()); n != wire.MaxKeyPackages {
		t.Errorf("stock = %d, want %d", n, wire.MaxKeyPackages)
	}
	if got := claimOne(); !bytes.Equal(got, kps[1]) {
		t.Error("not the oldest was dropped")
	}
}

func TestKeyPackagesRefused(t *testing.T) {
	r := newRig(t)
	a, b := r.owner(), r.hire(matter.RoleMember)
	damaged := a.keyPackage(mls.KeyPackageOptions{})
	damaged[len(damaged)-1] ^= 1
	impostor, _, err := mls.NewKeyPackage(mls.Classic, a.ID[:], b.Key, mls.KeyPackageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-48 * time.Hour)
	tests := []struct {
		name string
		f    *pb.ClientFrame
	}{
		{"not one at all", publish(nil, []byte("nonsense"))},
		{"damaged", publish(nil, damaged)},
		{"another device's", publish(nil, b.keyPackage(mls.KeyPackageOptions{}))},
		{"our name, another key", publish(nil, impostor.Bytes())},
		{"expired", publish(nil, a.keyPackage(mls.KeyPackageOptions{NotBefore: past, NotAfter: past.Add(time.Hour)}))},
		{"for ever", publish(nil, a.keyPackage(mls.KeyPackageOptions{Lifetime: 20000 * time.Hour}))},
		{"of last resort, unsaid", publish(nil, a.keyPackage(mls.KeyPackageOptions{LastResort: true}))},
		{"said to be of last resort", publish(a.keyPackage(mls.KeyPackageOptions{}))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.f.Request = 0
			a.t = t
			a.refused(wire.CodeKeyPackage, tt.f)
		})
	}
	a.t = t
	a.connect()
	if stockOf(a.ready.GetKeyPackages()) != 0 {
		t.Errorf("%v key packages in stock after all were refused", a.ready.GetKeyPackages())
	}
}

// Each suite has a stock of its own, with its own limit and last resort.
func TestKeyPackagesOfTwoSuites(t *testing.T) {
	r := newRig(t)
	a, b := r.hire(matter.RoleMember), r.hire(matter.RoleMember)
	hybrid := b.keyPackageOf(mls.Hybrid, mls.KeyPackageOptions{})
	hybridLast := b.keyPackageOf(mls.Hybrid, mls.KeyPackageOptions{LastResort: true})
	classic := b.keyPackage(mls.KeyPackageOptions{})
	classicLast := b.keyPackage(mls.KeyPackageOptions{LastResort: true})
	b.must(publish(hybridLast, hybrid))
	stock := b.must(publish(classicLast, classic)).GetKeyPackagesPublished().GetStock()
	if len(stock) != 2 || stock[0].GetCount() != 1 || stock[1].GetCount() != 1 {
		t.Fatalf("stock = %v, want one of each suite", stock)
	}
	claimed := func(s mls.Suite) []byte {
		f := claim(b.ID)
		f.GetClaimKeyPackages().Suite = uint32(s)
		got := a.must(f).GetKeyPackages().GetClaimed()
		if len(got) != 1 {
			return nil
		}
		return got[0].GetKeyPackage()
	}
	for i, want := range [][]byte{classic, classicLast, classicLast} {
		if got := claimed(mls.Classic); !bytes.Equal(got, want) {
			t.Errorf("claim %d of the classic suite: another key package", i)
		}
	}
	for i, want := range [][]byte{hybrid, hybridLast, hybridLast} {
		if got := claimed(mls.Hybrid); !bytes.Equal(got, want) {
			t.Errorf("claim %d of the hybrid suite: another key package", i)
		}
	}
	if got := claimed(suite.P256AES128SHA256P256); got != nil {
		t.Error("a key package of a suite that the device does not have")
	}
}

// However many ask at once, a key package is given to one.
func TestClaimsAreAtomic(t *testing.T) {
	r := newRig(t)
	target := r.hire(matter.RoleMember)
	const n = 40
	var kps [][]byte
	for range n {
		kps = append(kps, target.keyPackage(mls.KeyPackageOptions{}))
	}
	target.must(publish(nil, kps...))
	var mu sync.Mutex
	given := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		m := r.hire(matter.RoleMember)
		wg.Go(func() {
			for range n {
				f, err := m.Call(claim(target.ID))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, c := range f.GetKeyPackages().GetClaimed() {
					given[string(c.GetKeyPackage())]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(given) != n {
		t.Errorf("%d key packages given, want %d", len(given), n)
	}
	for kp, times := range given {
		if times != 1 {
			t.Errorf("a key package of %d bytes was given %d times", len(kp), times)
		}
	}
}

func TestRates(t *testing.T) {
	few := hub.Rate{PerSecond: 0.001, Burst: 3}
	r := newRig(t, func(o *hub.Options) { o.Sends, o.Claims, o.Requests = few, few, few })
	a, b := r.owner(), r.hire(matter.RoleMember)
	id := a.open()
	for i := range 3 {
		a.say(id, name(i))
	}
	if f := a.refused(wire.CodeBusy, send(id, 4, 0, "one more")); f.GetRetryAfterMs() < 1000 {
		t.Errorf("retry after %d ms", f.GetRetryAfterMs())
	}
	a.must(claim(b.ID, a.ID))
	a.refused(wire.CodeBusy, claim(b.ID, a.ID))
	for range 3 {
		a.must(pullLog(0))
	}
	a.refused(wire.CodeBusy, pullLog(0))
	a.connect() // a new connection is no way round it
	a.refused(wire.CodeBusy, pullLog(0))
	b.must(pullLog(0)) // nor does one device spend another's
}
