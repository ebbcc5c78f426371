package schedule

import (
	"fmt"

	"causa/crypto/mls/framing"
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
)

// A PSK is a pre-shared key together with the id it is used under.
type PSK struct {
	ID     framing.PSKID
	Secret suite.Secret
}

// CombinePSKs computes psk_secret (section 8.4). Without keys it is all zero.
func CombinePSKs(s *suite.Suite, psks []PSK) PSKSecret {
	out := s.Zero()
	for i := range psks {
		extracted := s.Extract(s.Zero(), psks[i].Secret)
		label := psks[i].ID.Append(nil)
		label = syntax.AppendUint16(label, uint16(i))
		label = syntax.AppendUint16(label, uint16(len(psks)))
		input := s.ExpandWithLabel(extracted, "derived psk", label, s.HashLen())
		next := s.Extract(input, out)
		extracted.Wipe()
		input.Wipe()
		out.Wipe()
		out = next
	}
	return PSKSecret{out}
}

// MaxPSKs is how many pre-shared keys the PSKLabel's counters can express.
const MaxPSKs = 1<<16 - 1

// GroupSecrets is what a Welcome tells one new member (section 12.4.3.1).
type GroupSecrets struct {
	Joiner     JoinerSecret
	PathSecret suite.Secret // nil: the commit had no path
	PSKs       []framing.PSKID
}

// DecodeGroupSecrets reads a decrypted GroupSecrets.
func DecodeGroupSecrets(b []byte) (*GroupSecrets, error) {
	r := syntax.NewReader(b)
	g := &GroupSecrets{Joiner: JoinerSecret{r.Opaque()}}
	if r.Optional() {
		g.PathSecret = r.Opaque()
	}
	r.List(func(r *syntax.Reader) {
		var p framing.PSKID
		p.Decode(r)
		g.PSKs = append(g.PSKs, p)
	})
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("group secrets: %w", err)
	}
	return g, nil
}

// Append appends g's encoding.
func (g *GroupSecrets) Append(b []byte) []byte {
	b = syntax.AppendOpaque(b, g.Joiner.Secret)
	b = syntax.AppendOptional(b, g.PathSecret != nil)
	if g.PathSecret != nil {
		b = syntax.AppendOpaque(b, g.PathSecret)
	}
	return syntax.AppendList(b, func(b []byte) []byte {
		for i := range g.PSKs {
			b = g.PSKs[i].Append(b)
		}
		return b
	})
}
