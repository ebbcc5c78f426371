package hub

import (
	"context"
	"sync"
	"time"

	"causa/hub/db"
	"causa/wire"
	"causa/wire/pb"
)

// lately is how far back a hub looks for what others have done: hubs' clocks may differ,
// and a transaction takes its time.
const lately = 5 * time.Minute

// told remembers how far the devices at this hub were told that matters have come. It is
// safe for concurrent use; its zero value is ready.
type told struct {
	mu    sync.Mutex
	heads map[db.MatterNo]uint64
}

// note remembers a head, and reports whether it is news.
func (t *told) note(no db.MatterNo, head uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.heads[no] >= head {
		return false
	}
	if t.heads == nil {
		t.heads = map[db.MatterNo]uint64{}
	}
	t.heads[no] = head
	return true
}

// keep forgets all matters but those that have moved lately.
func (t *told) keep(moves []db.Move) {
	t.mu.Lock()
	defer t.mu.Unlock()
	heads := make(map[db.MatterNo]uint64, len(moves))
	for _, m := range moves {
		heads[m.No] = max(t.heads[m.No], m.Head)
	}
	t.heads = heads
}

// tellMoved tells the devices at this hub what other hubs have taken for them: how far
// their matters have come, which they then pull, that welcomes wait, and that another
// connection of theirs is newer.
func (h *Hub) tellMoved(ctx context.Context) error {
	moves, err := h.db.Moved(ctx, h.opts.now().Add(-lately).UnixMilli())
	if err != nil {
		return err
	}
	news := map[db.MatterNo]db.Move{}
	var nos []db.MatterNo
	for _, m := range moves {
		if h.told.note(m.No, m.Head) {
			news[m.No] = m
			nos = append(nos, m.No)
		}
	}
	h.told.keep(moves)
	if len(nos) > 0 {
		in, err := h.db.Participants(ctx, nos)
		if err != nil {
			return err
		}
		for no, devices := range in {
			h.tellHead(news[no], devices)
		}
	}
	return h.tellPosts(ctx)
}

// tellHead tells devices how far a matter has come.
func (h *Hub) tellHead(m db.Move, devices []db.DeviceNo) {
	frame, err := wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_MatterPage{MatterPage: &pb.MatterPage{Matter: m.ID[:], Head: m.Head}}})
	if err != nil {
		h.log.Error("encode head", "err", err)
		return
	}
	it, pos := item{frame: frame, matter: m.No}, position{id: m.ID, head: m.Head}
	h.online.each(devices, func(s *session) { s.pushPage(it, pos) })
}

// tellPosts tells devices of their welcomes, and ends connections that are not their
// devices' newest.
func (h *Hub) tellPosts(ctx context.Context) error {
	var devices []db.DeviceNo
	h.online.everyDevice(func(s *session) { devices = append(devices, s.no) })
	if len(devices) == 0 {
		return nil
	}
	posts, err := h.db.Posts(ctx, devices)
	if err != nil {
		return err
	}
	poke, err := wire.EncodeHub(&pb.HubFrame{Body: &pb.HubFrame_Welcomes{Welcomes: &pb.Welcomes{}}})
	if err != nil {
		return err
	}
	h.online.everyDevice(func(s *session) {
		post, ok := posts[s.no]
		switch {
		case !ok: // it came meanwhile
		case post.Session > s.fence.Load():
			s.fail(wire.CodeReplaced)
		case post.Welcomes > s.welcomed.Swap(post.Welcomes):
			s.pushWelcome(poke)
		}
	})
	return nil
}
