package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"causa/dnd"
	"causa/matter"
	"causa/store"
)

// floorPolicy holds the quiet hours of everybody, as [dnd.Floor.Text] writes them.
var floorPolicy = policy{
	name: "quiet.floor",
	help: "Quiet hours of the whole organisation, as causactl dnd floor writes them.",
	check: func(value string) error {
		_, err := dnd.ParseFloor(value)
		return err
	},
}

// quietSetting holds the quiet hours of this device's member.
const quietSetting = "quiet hours"

// A quietState is one version of a person's quiet hours. All devices of the person come to
// the same one: the highest version wins and, of two devices that changed the same
// version, the one with the higher id. Its bytes:
//
//	uint64 version; opaque device[32]; uint8 flags;  1: the hub is not told
//	opaque rules<0..2^24-1>;                         dnd.Rules.Encode
type quietState struct {
	version uint64
	device  matter.DeviceID // that made it
	private bool
	rules   dnd.Rules
}

func (q quietState) bytes() ([]byte, error) {
	rules, err := q.rules.Encode()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddUint64(q.version)
	b.AddBytes(q.device[:])
	flags := uint8(0)
	if q.private {
		flags = 1
	}
	b.AddUint8(flags)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(rules) })
	return b.Bytes()
}

func parseQuiet(raw []byte) (q quietState, err error) {
	s := cryptobyte.String(raw)
	var flags uint8
	var rules cryptobyte.String
	if !s.ReadUint64(&q.version) || !s.CopyBytes(q.device[:]) || !s.ReadUint8(&flags) || !s.ReadUint24LengthPrefixed(&rules) || !s.Empty() || flags > 1 {
		return q, errContent
	}
	q.private = flags == 1
	q.rules, err = dnd.DecodeRules(rules)
	return q, err
}

// after reports whether q replaces p.
func (q quietState) after(p quietState) bool {
	if q.version != p.version {
		return q.version > p.version
	}
	return string(q.device[:]) > string(p.device[:])
}

// quiet judges by the rules of this device's member and the organisation's floor. It is
// safe for concurrent use.
type quiet struct {
	compiler dnd.Compiler

	mu      sync.Mutex // a leaf; guards what follows
	state   quietState
	floor   string    // the policy that plan was made of
	plan    *dnd.Plan // nil: to be made
	problem error     // why the plan leaves something out
	judged  *dnd.Plan // by which what is held has been judged
}

// load reads what is stored.
func (q *quiet) load(ctx context.Context, db *store.DB) error {
	return db.View(ctx, func(tx *store.Tx) (err error) {
		q.state, err = storedQuiet(tx)
		return err
	})
}

func storedQuiet(tx *store.Tx) (quietState, error) {
	b, err := tx.Setting(quietSetting)
	if errors.Is(err, store.ErrNone) {
		return quietState{}, nil
	}
	if err != nil {
		return quietState{}, err
	}
	return parseQuiet(b)
}

// set takes over a newer state.
func (q *quiet) set(s quietState) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.after(q.state) {
		q.state, q.plan = s, nil
	}
}

func (q *quiet) get() quietState {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.state
}

// judgedBy reports whether what is held has been judged by a plan.
func (q *quiet) judgedBy(p *dnd.Plan) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.judged == p
}

func (q *quiet) setJudged(p *dnd.Plan) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.judged = p
}

// planFor returns the plan for the organisation's floor. Rules or a floor that can't be
// used here, because they name a time zone that this program does not know, are left out:
// rather a notification too many than one that never comes.
func (q *quiet) planFor(floor string) *dnd.Plan {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.plan != nil && q.floor == floor {
		return q.plan
	}
	q.floor, q.problem = floor, nil
	f, err := dnd.ParseFloor(floor)
	if err != nil {
		f, q.problem = dnd.Floor{}, err
	}
	for _, try := range []struct {
		floor dnd.Floor
		rules dnd.Rules
	}{{f, q.state.rules}, {dnd.Floor{}, q.state.rules}, {f, dnd.Rules{}}, {}} {
		p, err := q.compiler.Compile(try.floor, try.rules)
		if err == nil {
			q.plan = p
			break
		}
		q.problem = errors.Join(q.problem, err)
	}
	return q.plan
}

// quietPlan is the plan that counts now.
func (c *Client) quietPlan() *dnd.Plan { return c.quiet.planFor(c.dir.policy(floorPolicy.name)) }

// judge decides about a message that was sent at one time and has come here at another:
// what was quiet then stays for the digest, and what was not interrupts nobody who is
// quiet now.
func (c *Client) judge(m dnd.Message, sent, now time.Time) dnd.Verdict {
	p := c.quietPlan()
	v := p.Judge(m, sent)
	if v.Action == dnd.Notify {
		v = p.Judge(m, now)
	}
	return v
}

// Quiet are a person's quiet hours, the same on all of their devices.
type Quiet struct {
	Rules   dnd.Rules
	Private bool // the hub is not told: it wakes devices at any time, and they stay silent by themselves
}

// QuietNow says how quiet it is for this person.
type QuietNow struct {
	Quiet bool
	Until time.Time // zero: for longer than can be said, or not quiet
	Held  int       // notifications that wait
	Due   int       // of them, those that the digest lists
	// Problem has words when a part of the rules can't be used on this device.
	Problem error
}

// Quiet returns the person's quiet hours.
func (c *Client) Quiet() Quiet {
	s := c.quiet.get()
	return Quiet{Rules: s.rules, Private: s.private}
}

// Floor returns the organisation's quiet hours; ok is false when this program can't read
// them.
func (c *Client) Floor() (f dnd.Floor, ok bool) {
	f, err := dnd.ParseFloor(c.dir.policy(floorPolicy.name))
	return f, err == nil
}

// SetFloor sets the organisation's quiet hours. Only owners and administrators can.
func (c *Client) SetFloor(ctx context.Context, f dnd.Floor) error {
	text, err := f.Text()
	if err == nil {
		_, err = c.quiet.compiler.Compile(f, dnd.Rules{})
	}
	if err != nil {
		return worded(err)
	}
	if len(f.Windows) == 0 {
		text = "" // nothing is quiet: as if nobody had set it
	}
	return c.SetPolicy(ctx, floorPolicy.name, text)
}

// QuietNow says how quiet it is now.
func (c *Client) QuietNow(ctx context.Context) (q QuietNow, err error) {
	now := c.now()
	v := c.quietPlan().Judge(dnd.Message{}, now)
	q.Quiet, q.Until = v.Action != dnd.Notify, v.Until
	c.quiet.mu.Lock()
	q.Problem = c.quiet.problem
	c.quiet.mu.Unlock()
	err = c.home.db.View(ctx, func(tx *store.Tx) error {
		all, err := tx.HeldItems(time.Time{}, false)
		for _, h := range all {
			if q.Held++; !h.Until.After(now) {
				q.Due++
			}
		}
		return err
	})
	return q, worded(err)
}

// QuietZone returns the time zone of the person's clocks.
func (c *Client) QuietZone() *time.Location { return c.quietPlan().Location() }

// EditQuiet changes the person's quiet hours on all of their devices. What is held is
// judged again.
func (c *Client) EditQuiet(ctx context.Context, edit func(*Quiet) error) error {
	var s quietState
	err := c.home.db.Update(ctx, func(tx *store.Tx) error {
		old, err := storedQuiet(tx)
		if err != nil {
			return err
		}
		q := Quiet{Rules: old.rules, Private: old.private}
		if err := edit(&q); err != nil {
			return err
		}
		q.Rules = q.Rules.Normal()
		if _, err := c.quiet.compiler.Compile(dnd.Floor{}, q.Rules); err != nil {
			return err // they break a rule, or name a time zone that is not known here
		}
		s = quietState{version: old.version + 1, device: c.self, private: q.Private, rules: q.Rules}
		b, err := s.bytes()
		if err != nil {
			return err
		}
		if err := tx.SetSetting(quietSetting, b); err != nil {
			return err
		}
		return c.share(tx, contentQuiet, b)
	})
	if err != nil {
		return worded(err)
	}
	c.quiet.set(s)
	c.quietChanged()
	return nil
}

// quietChanged has everything that depends on quiet hours looked at again.
func (c *Client) quietChanged() {
	c.events.tell(QuietChanged{})
	c.setAlarm()
	c.kick()
}
