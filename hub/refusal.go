package hub

import (
	"errors"
	"fmt"
	"time"

	"causa/hub/db"
	"causa/orglog"
	"causa/wire"
	"causa/wire/pb"
)

// A refusal is why a request is not carried out: the peer's concern, not the hub's.
type refusal struct{ failure *pb.Failure }

func (r *refusal) Error() string { return fmt.Sprintf("refused with code %d", r.failure.GetCode()) }

func refuse(code wire.Code) error { return &refusal{&pb.Failure{Code: uint32(code)}} }

// busy refuses until a token bucket has filled.
func busy(wait time.Duration) error {
	return &refusal{&pb.Failure{Code: uint32(wire.CodeBusy), RetryAfterMs: uint32(min(wait/time.Millisecond+1, 1<<31))}}
}

func refuseEpoch(code wire.Code, epoch, head uint64) error {
	return &refusal{&pb.Failure{Code: uint32(code), Epoch: epoch, Head: head}}
}

func refuseWant(code wire.Code, want uint64) error {
	return &refusal{&pb.Failure{Code: uint32(code), Want: want}}
}

// refuseEntry is the refusal for an organisation log entry that breaks a rule.
func refuseEntry(err error, next uint64) error {
	rule, ok := errors.AsType[orglog.Rule](err)
	switch {
	case !ok || rule == orglog.ErrMalformed:
		return refuse(wire.CodeMalformed)
	case rule == orglog.ErrOrder || rule == orglog.ErrChain:
		return refuseWant(wire.CodeLogConflict, next)
	case rule.Invite():
		return refuse(wire.CodeInvite)
	case rule == orglog.ErrRevoked:
		return refuse(wire.CodeRevoked)
	default:
		return refuse(wire.CodeLogRefused)
	}
}

// failureOf is what the peer is told about an error.
func (h *Hub) failureOf(err error) *pb.Failure {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.failure
	}
	if errors.Is(err, db.ErrFull) {
		if !h.full.Swap(true) {
			h.log.Warn("disk full: nothing more is taken until there is room")
		}
		return &pb.Failure{Code: uint32(wire.CodeFull), RetryAfterMs: 5000}
	}
	if errors.Is(err, db.ErrGone) {
		if !h.gone.Swap(true) {
			h.log.Warn("the database can't be reached: nothing is taken until it can", "err", err)
		}
		return &pb.Failure{Code: uint32(wire.CodeUnavailable), RetryAfterMs: 2000}
	}
	if errors.Is(err, db.ErrConflict) { // again and again
		return &pb.Failure{Code: uint32(wire.CodeBusy), RetryAfterMs: 1000}
	}
	h.log.Error("request failed", "err", err)
	return &pb.Failure{Code: uint32(wire.CodeInternal), RetryAfterMs: 1000}
}

// back notes that the database can be reached.
func (h *Hub) back() {
	if h.gone.CompareAndSwap(true, false) {
		h.log.Info("the database can be reached again")
	}
}
