package apptest

import (
	"context"
	"slices"
	"time"

	"causa/core"
	"causa/dnd"
	"causa/matter"
)

// quietHours are the quiet hours of the engine's member, without judging.
type quietHours struct {
	quiet    core.Quiet
	floor    dnd.Floor
	digest   core.Digest
	now      core.QuietNow
	status   core.Availability
	until    time.Time
	presence []core.Presence
	urgent   []core.UrgentState
}

// SetQuiet has the engine be quiet, or not, and hold a digest.
func (e *Engine) SetQuiet(q core.Quiet, now core.QuietNow, d core.Digest) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hours.quiet, e.hours.now, e.hours.digest = q, now, d
}

// SetPresence says how the people in every matter can be met.
func (e *Engine) SetPresence(all ...core.Presence) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hours.presence = all
}

// Quiet implements the app's engine.
func (e *Engine) Quiet() core.Quiet {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hours.quiet
}

// QuietNow implements the app's engine.
func (e *Engine) QuietNow(context.Context) (core.QuietNow, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hours.now, e.failure
}

// EditQuiet implements the app's engine.
func (e *Engine) EditQuiet(_ context.Context, edit func(*core.Quiet) error) error {
	e.mu.Lock()
	q := e.hours.quiet
	err := edit(&q)
	if err == nil {
		q.Rules = q.Rules.Normal()
		err = q.Rules.Check()
	}
	if err == nil {
		e.hours.quiet = q
	}
	e.mu.Unlock()
	if err == nil {
		e.Tell(core.QuietChanged{})
	}
	return err
}

// Floor implements the app's engine.
func (e *Engine) Floor() (dnd.Floor, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hours.floor, true
}

// SetFloor implements the app's engine.
func (e *Engine) SetFloor(_ context.Context, f dnd.Floor) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hours.floor = f
	return e.failure
}

// Availability implements the app's engine.
func (e *Engine) Availability(context.Context) (core.Availability, time.Time, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hours.status, e.hours.until, nil
}

// SetAvailability implements the app's engine.
func (e *Engine) SetAvailability(_ context.Context, s core.Availability, until time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hours.status, e.hours.until = s, until
	return e.failure
}

// Digest implements the app's engine.
func (e *Engine) Digest(context.Context) (core.Digest, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hours.digest, e.failure
}

// TakeDigest implements the app's engine.
func (e *Engine) TakeDigest(context.Context) (core.Digest, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.hours.digest
	e.hours.digest, e.hours.now.Held, e.hours.now.Due = core.Digest{}, 0, 0
	return d, e.failure
}

// Presence implements the app's engine.
func (e *Engine) Presence(context.Context, matter.ID) ([]core.Presence, time.Time, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hours.presence, time.Time{}, e.failure
}

// Schedule implements the app's engine.
func (e *Engine) Schedule(_ context.Context, id matter.ID, text string, at time.Time) (matter.Message, error) {
	return e.add(id, matter.Message{Author: e.self, Time: at, Kind: matter.KindText, Text: text, Delivery: matter.DeliveryScheduled}), nil
}

// SendUrgent implements the app's engine.
func (e *Engine) SendUrgent(_ context.Context, id matter.ID, text, reason string) (matter.Message, error) {
	return e.add(id, matter.Message{
		Author: e.self, Time: e.now, Kind: matter.KindUrgent, Text: text, Facts: []matter.Fact{{Name: "reason", Value: reason}}, Delivery: matter.DeliverySent,
	}), nil
}

// UrgentLeft implements the app's engine.
func (e *Engine) UrgentLeft(context.Context) (left, of int, err error) { return 2, 2, nil }

// SetUrgent has a matter ask for acknowledgements.
func (e *Engine) SetUrgent(all ...core.UrgentState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hours.urgent = all
}

// Urgent implements the app's engine.
func (e *Engine) Urgent(context.Context, matter.ID) ([]core.UrgentState, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.hours.urgent), nil
}

// Acknowledge implements the app's engine.
func (e *Engine) Acknowledge(_ context.Context, _ matter.ID, msg matter.MessageID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.hours.urgent {
		if u := &e.hours.urgent[i]; u.Message == msg {
			u.Mine = false
		}
	}
	return nil
}
