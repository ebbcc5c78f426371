package hub

import (
	"maps"
	"slices"

	"causa/hub/db"
	"causa/matter"
	"causa/wire"
)

// How many matters and devices the writer keeps in memory. What is left out is read
// from the database again.
const (
	maxCachedMatters  = 20000
	maxCachedCounters = 200000
)

// A cache is what the writer knows without asking the database. It belongs to the
// writer's goroutine and holds only what is committed.
type cache struct {
	matters  map[matter.ID]*matterState
	counters map[db.DeviceNo]uint64
	fences   map[db.DeviceNo]uint64 // number of the newest session of each device, where the hub has its database to itself
}

func newCache() *cache {
	return &cache{
		matters:  map[matter.ID]*matterState{},
		counters: map[db.DeviceNo]uint64{},
		fences:   map[db.DeviceNo]uint64{},
	}
}

// publish takes over what a committed batch changed.
func (c *cache) publish(b *batch) {
	for id, m := range b.matters {
		m.dirty = false
		c.matters[id] = m
	}
	if !b.hub.db.Shared() { // else the database is asked every time
		maps.Copy(c.counters, b.counters)
		maps.Copy(c.fences, b.fences)
	}
	shrink(c.matters, maxCachedMatters)
	shrink(c.counters, maxCachedCounters)
}

// shrink drops some entries of a map that has grown too large.
func shrink[K comparable, V any](m map[K]V, limit int) {
	if len(m) <= limit {
		return
	}
	drop := limit / 8
	for k := range m {
		if drop--; drop < 0 {
			return
		}
		delete(m, k)
	}
}

// A matterState is where a matter stands. The committed one is never changed: a batch
// changes a copy.
type matterState struct {
	db.Matter
	// due says that a device in it is no longer active; it is right for the
	// organisation log as it was when its next index was dueAt.
	due   bool
	dueAt uint64
	dirty bool // in batch.dirty
}

// has reports whether a device is in the matter.
func (m *matterState) has(no db.DeviceNo) bool {
	_, ok := slices.BinarySearch(m.Devices, no)
	return ok
}

// matter returns where a matter stands in this batch; ok is false when there is none.
func (b *batch) matter(id matter.ID) (m *matterState, ok bool, err error) {
	if m, ok := b.matters[id]; ok {
		return m, true, nil
	}
	if m, ok := b.cache.matters[id]; ok && !b.hub.db.Shared() {
		own := *m
		b.matters[id] = &own
		return &own, true, nil
	}
	stored, ok, err := b.tx.Matter(id)
	if err != nil || !ok {
		return nil, false, err
	}
	m = &matterState{Matter: stored}
	b.matters[id] = m
	return m, true, nil
}

// matterOf is matter for a session that must be in it.
func (b *batch) matterOf(id matter.ID, s *session) (*matterState, error) {
	m, ok, err := b.matter(id)
	if err != nil {
		return nil, err
	}
	if !ok || !m.has(s.no) {
		return nil, refuse(wire.CodeNoMatter)
	}
	return m, nil
}

// touched marks a matter for storing.
func (b *batch) touched(m *matterState) {
	if !m.dirty {
		m.dirty = true
		b.dirty = append(b.dirty, m)
	}
}

// removalDue reports whether some device in the matter is no longer active.
func (b *batch) removalDue(m *matterState) bool {
	next := b.hub.org.next()
	if m.dueAt != next {
		m.due = b.hub.org.anyOut(m.ID, b.hub.directory.ids(m.Devices))
		m.dueAt = next
	}
	return m.due
}
