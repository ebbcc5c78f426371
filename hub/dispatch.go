package hub

import (
	"context"
	"errors"

	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

// serve carries out one request of a signed-in peer: reads at once, everything else
// through the writer.
func (s *session) serve(f *pb.ClientFrame) {
	s.hub.counters.asked(f)
	err := s.may(f)
	var answer *pb.HubFrame
	if err == nil {
		if answer, err = s.handle(f); mayBeBehind(err) && s.hub.refresh() {
			answer, err = s.handle(f)
		}
	}
	switch {
	case err != nil:
		s.answer(f.GetRequest(), failed(s.hub.failureOf(err)))
	case answer != nil:
		s.answerRead(f, answer)
	}
}

// handle returns the answer, or nil when the writer will give it.
func (s *session) handle(f *pb.ClientFrame) (*pb.HubFrame, error) {
	id := f.GetRequest()
	switch body := f.GetBody().(type) {
	case *pb.ClientFrame_PullLog:
		return s.pullLog(body.PullLog)
	case *pb.ClientFrame_AppendLog:
		return nil, s.appendLog(id, body.AppendLog)
	case *pb.ClientFrame_PublishKeyPackages:
		return nil, s.publishKeyPackages(id, body.PublishKeyPackages)
	case *pb.ClientFrame_ClaimKeyPackages:
		return nil, s.claimKeyPackages(id, body.ClaimKeyPackages)
	case *pb.ClientFrame_CreateMatter:
		return nil, s.createMatter(id, body.CreateMatter)
	case *pb.ClientFrame_CommitBundle:
		return nil, s.commitBundle(id, body.CommitBundle)
	case *pb.ClientFrame_SendContent:
		return nil, s.sendContent(id, body.SendContent)
	case *pb.ClientFrame_Reoffer:
		return nil, s.reoffer(id, body.Reoffer)
	case *pb.ClientFrame_PullMatter:
		return s.pullMatter(body.PullMatter)
	case *pb.ClientFrame_PullHeads:
		return s.pullHeads()
	case *pb.ClientFrame_TakeWelcomes:
		return s.takeWelcomes()
	case *pb.ClientFrame_DropWelcomes:
		return nil, s.dropWelcomes(id, body.DropWelcomes)
	case *pb.ClientFrame_PullGroupInfo:
		return s.pullGroupInfo(body.PullGroupInfo)
	case *pb.ClientFrame_GrantHistory:
		return nil, s.grantHistory(id, body.GrantHistory)
	case *pb.ClientFrame_PullDestructions:
		return s.pullDestructions()
	case *pb.ClientFrame_GrantBlob:
		return s.grantBlob(body.GrantBlob)
	case *pb.ClientFrame_DropBlob:
		return s.dropBlob(body.DropBlob)
	case *pb.ClientFrame_PullWaiting:
		return s.pullWaiting()
	case *pb.ClientFrame_VaultRegister:
		return s.vaultRegister(body.VaultRegister)
	case *pb.ClientFrame_VaultEvaluate:
		return s.vaultEvaluate(f.GetRequest(), body.VaultEvaluate)
	case *pb.ClientFrame_VaultConfirm:
		return s.vaultConfirm(f.GetRequest(), body.VaultConfirm)
	case *pb.ClientFrame_VaultDrop:
		return s.vaultDrop(f.GetRequest(), body.VaultDrop)
	case *pb.ClientFrame_PublishQuiet:
		return nil, s.publishQuiet(id, body.PublishQuiet)
	case *pb.ClientFrame_PullPresence:
		return s.pullPresence(body.PullPresence)
	case *pb.ClientFrame_SetStatus:
		return s.setStatus(body.SetStatus)
	case *pb.ClientFrame_SetWake:
		return nil, s.setWake(id, body.SetWake)
	default: // a second SignIn
		return nil, refuse(wire.CodeNotAllowed)
	}
}

// may reports whether the peer may ask for such a thing at all, and holds it to its
// rates. Messages have a rate of their own.
func (s *session) may(f *pb.ClientFrame) error {
	h := s.hub
	log := false
	bucket, cost := s.limits.requests, 1.0
	switch body := f.GetBody().(type) {
	case *pb.ClientFrame_SendContent:
		bucket = nil
	case *pb.ClientFrame_PullLog:
		log = true
	case *pb.ClientFrame_AppendLog:
		log, bucket = true, s.limits.commits
	case *pb.ClientFrame_CommitBundle, *pb.ClientFrame_CreateMatter:
		bucket = s.limits.commits
	case *pb.ClientFrame_PublishKeyPackages:
		bucket, cost = s.limits.commits, max(1, float64(len(body.PublishKeyPackages.GetKeyPackages()))/10)
	case *pb.ClientFrame_PullHeads, *pb.ClientFrame_TakeWelcomes, *pb.ClientFrame_PullWaiting: // they can be long
		cost = 5
	case *pb.ClientFrame_ClaimKeyPackages:
		bucket, cost = s.limits.claims, float64(max(1, len(body.ClaimKeyPackages.GetDevices())))
	}
	if s.slot != nil {
		if !ofVault(f) {
			return refuse(wire.CodeNotAllowed)
		}
	} else if s.no == 0 {
		if !log {
			return refuse(wire.CodeNotAllowed)
		}
		if !s.founding && !s.enrolled.Load() && h.org.openInvite(s.invite, h.opts.now()) != nil {
			return refuse(wire.CodeInvite)
		}
		if s.founding && !s.enrolled.Load() && h.org.next() > 0 {
			return refuse(wire.CodeAlreadyFounded)
		}
	} else if why, owes := h.org.barred(s.device); why != 0 && (!log || !owes) {
		return refuse(why)
	}
	if bucket != nil {
		if wait := bucket.take(cost, h.opts.now()); wait > 0 {
			return busy(wait)
		}
	}
	return nil
}

// submit hands a request to the writer.
func (s *session) submit(r *request) {
	r.s = s
	r.turn, s.turn = s.turn, nil
	s.sent()
	s.hub.writer.in <- r
}

// pullMatter answers with the entries that the device may see.
func (s *session) pullMatter(m *pb.PullMatter) (*pb.HubFrame, error) {
	id := matter.ID(m.GetMatter())
	p, ok, err := s.hub.db.Page(context.Background(), id, s.no, m.GetAfter(), wire.MaxPageEntries, wire.MaxPageBytes)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse(wire.CodeNoMatter)
	}
	page := &pb.MatterPage{Matter: id[:], Head: p.Head, Trimmed: p.Trimmed, Entries: make([]*pb.Entry, len(p.Entries))}
	for i, e := range p.Entries {
		page.Entries[i] = &pb.Entry{
			Seq: e.Seq, TimeMs: e.TimeMS, Kind: pb.EntryKind(e.Kind), Sender: e.Sender[:], Epoch: e.Epoch, Payload: e.Payload,
		}
	}
	return &pb.HubFrame{Body: &pb.HubFrame_MatterPage{MatterPage: page}}, nil
}

// pullHeads answers where every matter of the device stands.
func (s *session) pullHeads() (*pb.HubFrame, error) {
	heads, err := s.hub.db.Heads(context.Background(), s.no, wire.MaxHeads)
	if err != nil {
		return nil, err
	}
	out := &pb.Heads{Heads: make([]*pb.Heads_Head, len(heads))}
	for i, h := range heads {
		out.Heads[i] = &pb.Heads_Head{Matter: h.Matter[:], Seq: h.Seq, Epoch: h.Epoch, TimeMs: h.TimeMS}
	}
	return &pb.HubFrame{Body: &pb.HubFrame_Heads{Heads: out}}, nil
}

// pullGroupInfo answers a device one of whose member's devices is in the matter.
func (s *session) pullGroupInfo(m *pb.PullGroupInfo) (*pb.HubFrame, error) {
	ctx, id := context.Background(), matter.ID(m.GetMatter())
	in, err := s.memberIn(ctx, id)
	if err != nil {
		return nil, err
	}
	if !in {
		return nil, refuse(wire.CodeNoMatter)
	}
	epoch, info, ok, err := s.hub.db.GroupInfo(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("a matter with participants has no group info")
	}
	return &pb.HubFrame{Body: &pb.HubFrame_GroupInfo{GroupInfo: &pb.GroupInfo{Matter: id[:], Epoch: epoch, GroupInfo: info}}}, nil
}

// memberIn reports whether any device of the session's member is in a matter.
func (s *session) memberIn(ctx context.Context, id matter.ID) (bool, error) {
	for _, device := range s.hub.org.devicesOf(s.device) {
		no, ok := s.hub.directory.no(device)
		if !ok {
			continue
		}
		if in, err := s.hub.db.IsIn(ctx, id, no); in || err != nil {
			return in, err
		}
	}
	return false, nil
}
