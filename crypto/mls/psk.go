package mls

import (
	"bytes"
	"fmt"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/schedule"
	"causa/crypto/mls/suite"
)

// ResumptionPSK returns the secret by which members prove later that they were in this
// epoch (section 8.6). It is for [GroupOptions.Resumption] of other groups.
func (g *Group) ResumptionPSK() []byte { return bytes.Clone(g.epoch.Resumption.Secret) }

// newPSKs gives each pre-shared key of a request a fresh nonce.
func (g *Group) newPSKs(req *CommitRequest) []framing.PSKID {
	nonce := func() []byte { return suite.RandomSecret(g.suite.HashLen()) }
	var out []framing.PSKID
	for _, id := range req.PSKs {
		out = append(out, framing.PSKID{Type: framing.PSKExternal, ID: id, Nonce: nonce()})
	}
	for _, epoch := range req.Resume {
		out = append(out, framing.PSKID{
			Type: framing.PSKResumption, Usage: framing.UsageApplication,
			GroupID: g.state.Context.GroupID, Epoch: epoch, Nonce: nonce(),
		})
	}
	for _, r := range req.ResumeFrom {
		out = append(out, framing.PSKID{
			Type: framing.PSKResumption, Usage: framing.UsageApplication, GroupID: r.GroupID, Epoch: r.Epoch, Nonce: nonce(),
		})
	}
	for _, id := range req.linked {
		id.Nonce = nonce()
		out = append(out, id)
	}
	return out
}

// find looks a pre-shared key up at the application.
func (o *GroupOptions) find(id framing.PSKID) (suite.Secret, error) {
	switch {
	case id.Type == framing.PSKExternal && o.PSK != nil:
		if b, ok := o.PSK(id.ID); ok {
			return bytes.Clone(b), nil
		}
	case id.Type == framing.PSKResumption:
		if o.Parent != nil {
			if b, ok := o.Parent.resumption(id); ok {
				return b, nil
			}
		}
		if o.Resumption != nil {
			if b, ok := o.Resumption(id.GroupID, id.Epoch); ok {
				return bytes.Clone(b), nil
			}
		}
	}
	return nil, fmt.Errorf("%w (section 8.4)", ErrNoPSK)
}

// resumption looks for one of g's own resumption secrets.
func (g *Group) resumption(id framing.PSKID) (suite.Secret, bool) {
	if !bytes.Equal(id.GroupID, g.state.Context.GroupID) {
		return nil, false
	}
	if id.Epoch == g.Epoch() {
		return bytes.Clone(g.epoch.Resumption.Secret), true
	}
	for _, p := range g.past {
		if p.epoch == id.Epoch {
			return bytes.Clone(p.psk.Secret), true
		}
	}
	return nil, false
}

// findPSK looks for a pre-shared key in the group and at the application.
func (g *Group) findPSK(id framing.PSKID) (suite.Secret, error) {
	if id.Type == framing.PSKResumption {
		if b, ok := g.resumption(id); ok {
			return b, nil
		}
	}
	return g.opts.find(id)
}

func findPSKs(ids []framing.PSKID, find func(framing.PSKID) (suite.Secret, error)) ([]schedule.PSK, error) {
	var out []schedule.PSK
	for _, id := range ids {
		secret, err := find(id)
		if err != nil {
			return nil, err
		}
		out = append(out, schedule.PSK{ID: id, Secret: secret})
	}
	return out, nil
}
