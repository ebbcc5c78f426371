package hub_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"causa/crypto/mls"
	"causa/hub"
	"causa/hub/db/postgres/pgtest"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// asHub is set for a process that a test starts to be a hub, so as to kill it.
const asHub = "CAUSA_TEST_HUB"

func TestMain(m *testing.M) {
	if data := os.Getenv(asHub); data != "" {
		beHub(data)
	}
	goleak.VerifyTestMain(m)
}

// onPostgres is set for a process that a test starts to run other tests on PostgreSQL: a
// folder of a server's socket.
const onPostgres = "CAUSA_TEST_POSTGRES"

// engine is an option: the database that the test is to run on.
func engine(t testing.TB) func(*hub.Options) {
	return func(o *hub.Options) {
		if dir := os.Getenv(onPostgres); dir != "" {
			o.Database = pgtest.At(t, dir).Database()
		}
	}
}

// A rig is a hub with a founded company.
type rig struct {
	*hubtest.Hub
	t       testing.TB
	company *hubtest.Company
}

func newRig(t testing.TB, options ...func(*hub.Options)) *rig {
	t.Helper()
	h := hubtest.Start(t, append([]func(*hub.Options){engine(t)}, options...)...)
	c, _, err := hubtest.Found(h.Addr(), h.Founding())
	if err != nil {
		t.Fatalf("found: %v", err)
	}
	return &rig{Hub: h, t: t, company: c}
}

// A member is a device with a connection and what MLS it needs.
type member struct {
	*hubtest.Device
	*hubtest.Peer
	t       testing.TB
	ready   *pb.Ready
	counter uint64
	secrets map[string]*mls.KeyPackageSecrets
	groups  map[matter.ID]*mls.Group
	pending *mls.Pending // a commit whose answer was lost
}

// hire makes a connected member of a role.
func (r *rig) hire(role matter.Role) *member {
	r.t.Helper()
	d, err := r.company.Hire(role)
	if err != nil {
		r.t.Fatalf("hire: %v", err)
	}
	return r.member(d)
}

func (r *rig) owner() *member { r.t.Helper(); return r.member(r.company.Owner()) }

func (r *rig) member(d *hubtest.Device) *member {
	r.t.Helper()
	m := &member{Device: d, t: r.t, secrets: map[string]*mls.KeyPackageSecrets{}, groups: map[matter.ID]*mls.Group{}}
	m.connect()
	r.t.Cleanup(func() { m.Peer.Close(); <-m.Ended() })
	return m
}

// connect signs in on a new connection.
func (m *member) connect() {
	m.t.Helper()
	p, ready, err := m.Device.Connect()
	if err != nil {
		m.t.Fatalf("connect: %v", err)
	}
	m.Peer, m.ready = p, ready
}

// must fails the test when a request was refused.
func (m *member) must(f *pb.ClientFrame) *pb.HubFrame {
	m.t.Helper()
	answer, err := m.Call(f)
	if err != nil {
		m.t.Fatalf("%T: %v", f.GetBody(), err)
	}
	return answer
}

// refused fails the test unless a request is refused with a code.
func (m *member) refused(want wire.Code, f *pb.ClientFrame) *pb.Failure {
	m.t.Helper()
	_, err := m.Call(f)
	var r *hubtest.Refused
	if !errors.As(err, &r) || wire.Code(r.GetCode()) != want {
		m.t.Fatalf("%T: %v, want code %d", f.GetBody(), err, want)
	}
	return r.Failure
}

func (m *member) keyPackage(o mls.KeyPackageOptions) []byte {
	m.t.Helper()
	return m.keyPackageOf(mls.Classic, o)
}

func (m *member) keyPackageOf(suite mls.Suite, o mls.KeyPackageOptions) []byte {
	m.t.Helper()
	kp, secrets, err := mls.NewKeyPackage(suite, m.ID[:], m.Key, o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.secrets[string(kp.Ref())] = secrets
	return kp.Bytes()
}

func publish(last []byte, kps ...[]byte) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_PublishKeyPackages{PublishKeyPackages: &pb.PublishKeyPackages{KeyPackages: kps, LastResort: last}}}
}

func claim(devices ...matter.DeviceID) *pb.ClientFrame {
	c := &pb.ClaimKeyPackages{Suite: uint32(mls.Classic)}
	for _, d := range devices {
		c.Devices = append(c.Devices, d[:])
	}
	return &pb.ClientFrame{Body: &pb.ClientFrame_ClaimKeyPackages{ClaimKeyPackages: c}}
}

// stockOf counts the key packages of the suite that the tests use.
func stockOf(stocks []*pb.Stock) (n int) {
	for _, s := range stocks {
		if s.GetSuite() == uint32(mls.Classic) {
			n = int(s.GetCount())
		}
	}
	return n
}

// stock publishes one key package.
func (m *member) stock() {
	m.t.Helper()
	m.must(publish(nil, m.keyPackage(mls.KeyPackageOptions{})))
}

func create(id matter.ID, info []byte) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_CreateMatter{CreateMatter: &pb.CreateMatter{Matter: id[:], GroupInfo: info}}}
}

// group makes a group of the member alone, without the hub.
func (m *member) group(id matter.ID) (*mls.Group, []byte) {
	m.t.Helper()
	g, err := mls.Create(mls.Classic, id[:], m.ID[:], m.Key, mls.GroupOptions{})
	if err != nil {
		m.t.Fatal(err)
	}
	info, err := g.GroupInfo()
	if err != nil {
		m.t.Fatal(err)
	}
	return g, info
}

// open starts a matter.
func (m *member) open() matter.ID {
	m.t.Helper()
	id := matter.NewID()
	g, info := m.group(id)
	m.must(create(id, info))
	m.groups[id] = g
	return id
}

// bundle makes a commit that adds and removes devices.
func (m *member) bundle(id matter.ID, add []*member, remove []*member) (*mls.Pending, *pb.CommitBundle) {
	m.t.Helper()
	var ids []matter.DeviceID
	for _, a := range add {
		a.stock()
		ids = append(ids, a.ID)
	}
	var claimed []*pb.KeyPackages_Claimed
	if len(ids) > 0 {
		claimed = m.must(claim(ids...)).GetKeyPackages().GetClaimed()
	}
	return m.bundleOf(id, claimed, remove...)
}

// bundleOf is bundle with the key packages at hand.
func (m *member) bundleOf(id matter.ID, claimed []*pb.KeyPackages_Claimed, remove ...*member) (*mls.Pending, *pb.CommitBundle) {
	m.t.Helper()
	g := m.groups[id]
	b := &pb.CommitBundle{Matter: id[:], Epoch: g.Epoch()}
	var req mls.CommitRequest
	for _, c := range claimed {
		kp, err := mls.ParseKeyPackage(c.GetKeyPackage())
		if err != nil {
			m.t.Fatal(err)
		}
		req.Add = append(req.Add, kp)
		b.WelcomeDevices = append(b.WelcomeDevices, c.GetDevice())
	}
	for _, r := range remove {
		leaf, ok := g.Find(r.ID[:])
		if !ok {
			m.t.Fatal("remove a device that is not in the group")
		}
		req.Remove = append(req.Remove, leaf)
	}
	p, err := g.Commit(req)
	if err != nil {
		m.t.Fatal(err)
	}
	b.Commit, b.Welcome, b.GroupInfo = p.Commit(), p.Welcome(), p.GroupInfo()
	return p, b
}

func commit(b *pb.CommitBundle) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_CommitBundle{CommitBundle: b}}
}

// change commits, and has those who are added join.
func (m *member) change(id matter.ID, add []*member, remove []*member) *pb.Accepted {
	m.t.Helper()
	p, b := m.bundle(id, add, remove)
	a := m.must(commit(b)).GetAccepted()
	m.groups[id] = p.Group()
	for _, n := range add {
		n.join(id)
	}
	return a
}

// join takes the welcome that waits for a matter and drops it.
func (m *member) join(id matter.ID) *pb.Welcomes_Item {
	m.t.Helper()
	for _, w := range m.must(take()).GetWelcomes().GetItems() {
		if matter.ID(w.GetMatter()) != id {
			continue
		}
		g, err := mls.Join(w.GetWelcome(), func(ref []byte) (*mls.KeyPackageSecrets, bool) { s, ok := m.secrets[string(ref)]; return s, ok }, m.Key, mls.GroupOptions{})
		if err != nil {
			m.t.Fatalf("join: %v", err)
		}
		m.groups[id] = g
		m.must(drop(w.GetId()))
		return w
	}
	m.t.Fatal("no welcome for this matter")
	return nil
}

// process has a member apply the commits that follow its group's epoch.
func (m *member) process(id matter.ID) {
	m.t.Helper()
	for _, e := range m.log(id) {
		g := m.groups[id]
		if e.GetKind() == pb.EntryKind_ENTRY_KIND_COMMIT && e.GetEpoch() == g.Epoch() {
			if _, err := g.Process(e.GetPayload()); err != nil {
				m.t.Fatalf("process commit of epoch %d: %v", e.GetEpoch(), err)
			}
		}
	}
}

func take() *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_TakeWelcomes{TakeWelcomes: &pb.TakeWelcomes{}}}
}

func drop(ids ...uint64) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_DropWelcomes{DropWelcomes: &pb.DropWelcomes{Ids: ids}}}
}

func send(id matter.ID, counter, epoch uint64, payload string) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_SendContent{SendContent: &pb.SendContent{
		Counter: counter, Matter: id[:], Epoch: epoch, Payload: []byte(payload),
	}}}
}

func pull(id matter.ID, after uint64) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_PullMatter{PullMatter: &pb.PullMatter{Matter: id[:], After: after}}}
}

func heads() *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_PullHeads{PullHeads: &pb.PullHeads{}}}
}

func pullLog(from uint64) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_PullLog{PullLog: &pb.PullLog{From: from}}}
}

func pullGroupInfo(id matter.ID) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_PullGroupInfo{PullGroupInfo: &pb.PullGroupInfo{Matter: id[:]}}}
}

// say sends the member's next message.
func (m *member) say(id matter.ID, payload string) *pb.Accepted {
	m.t.Helper()
	a := m.must(send(id, m.counter+1, m.groups[id].Epoch(), payload)).GetAccepted()
	m.counter++
	return a
}

// log pulls all of a matter's log that the member may see, and checks its order.
func (m *member) log(id matter.ID) (entries []*pb.Entry) {
	m.t.Helper()
	for after := uint64(0); ; {
		page := m.must(pull(id, after)).GetMatterPage()
		for _, e := range page.GetEntries() {
			if e.GetSeq() <= after {
				m.t.Fatalf("entry %d after %d", e.GetSeq(), after)
			}
			after = e.GetSeq()
		}
		entries = append(entries, page.GetEntries()...)
		if after >= page.GetHead() || len(page.GetEntries()) == 0 {
			return entries
		}
	}
}

// payloads returns the messages among entries.
func payloads(entries []*pb.Entry) (out []string) {
	for _, e := range entries {
		if e.GetKind() == pb.EntryKind_ENTRY_KIND_CONTENT {
			out = append(out, string(e.GetPayload()))
		}
	}
	return out
}

// awaitEnd waits for a connection to end with a code's status.
func awaitEnd(t testing.TB, p *hubtest.Peer, want wire.Code) {
	t.Helper()
	select {
	case <-p.Ended():
	case <-time.After(10 * time.Second):
		t.Fatal("connection does not end")
	}
	if got := p.Status(); int(got) != 4000+int(want) {
		t.Fatalf("connection ended with status %d, want %d", got, 4000+int(want))
	}
}

// isPage matches pushed pages of a matter.
func isPage(id matter.ID) func(*pb.HubFrame) bool {
	return func(f *pb.HubFrame) bool {
		return f.GetMatterPage() != nil && matter.ID(f.GetMatterPage().GetMatter()) == id
	}
}

// isFailure matches a pushed failure.
func isFailure(code wire.Code) func(*pb.HubFrame) bool {
	return func(f *pb.HubFrame) bool { return wire.Code(f.GetFailure().GetCode()) == code }
}

func name(i int) string { return fmt.Sprintf("message %d", i) }
