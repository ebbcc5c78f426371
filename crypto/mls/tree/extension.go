package tree

import (
	"fmt"
	"slices"

	"causa/crypto/mls/syntax"
)

// An ExtensionType names an extension (section 17.3).
type ExtensionType uint16

// The extension types of RFC 9420, and last_resort of RFC 9750's registry.
const (
	ExtApplicationID        ExtensionType = 1
	ExtRatchetTree          ExtensionType = 2
	ExtRequiredCapabilities ExtensionType = 3
	ExtExternalPub          ExtensionType = 4
	ExtExternalSenders      ExtensionType = 5
	ExtLastResort           ExtensionType = 10
)

// Default reports whether every client supports the type without listing it.
func (t ExtensionType) Default() bool { return t >= ExtApplicationID && t <= ExtExternalSenders }

// An Extension carries data of its type.
type Extension struct {
	Type ExtensionType
	Data []byte
}

// Extensions is a list with at most one extension of each type (section 13.4).
type Extensions []Extension

// Decode reads the list.
func (e *Extensions) Decode(r *syntax.Reader) {
	*e = nil
	r.List(func(r *syntax.Reader) {
		*e = append(*e, Extension{Type: ExtensionType(r.Uint16()), Data: r.Opaque()})
	})
}

// Append appends the list's encoding.
func (e Extensions) Append(b []byte) []byte {
	n := 0
	for _, x := range e {
		n += 2 + syntax.VarintLen(len(x.Data)) + len(x.Data)
	}
	b = syntax.AppendVarint(b, n)
	for _, x := range e {
		b = syntax.AppendUint16(b, uint16(x.Type))
		b = syntax.AppendOpaque(b, x.Data)
	}
	return b
}

// Clone returns a deep copy.
func (e Extensions) Clone() Extensions {
	out := slices.Clone(e)
	for i := range out {
		out[i].Data = slices.Clone(out[i].Data)
	}
	return out
}

// Find returns the data of the extension of type t.
func (e Extensions) Find(t ExtensionType) ([]byte, bool) {
	i := slices.IndexFunc(e, func(x Extension) bool { return x.Type == t })
	if i < 0 {
		return nil, false
	}
	return e[i].Data, true
}

// CheckUnique enforces that no type occurs twice.
func (e Extensions) CheckUnique() error {
	if len(e) < 2 {
		return nil
	}
	seen := make(map[ExtensionType]bool, len(e))
	for _, x := range e {
		if seen[x.Type] {
			return fmt.Errorf("two extensions of type %d (section 13.4)", x.Type)
		}
		seen[x.Type] = true
	}
	return nil
}

// RequiredCapabilities lists what every member must support (section 11.1).
type RequiredCapabilities struct {
	Extensions  []uint16
	Proposals   []uint16
	Credentials []uint16
}

// Encode returns the extension's data.
func (q *RequiredCapabilities) Encode() []byte {
	b := syntax.AppendUint16s(nil, q.Extensions)
	b = syntax.AppendUint16s(b, q.Proposals)
	return syntax.AppendUint16s(b, q.Credentials)
}

// DecodeRequiredCapabilities reads the extension's data.
func DecodeRequiredCapabilities(b []byte) (*RequiredCapabilities, error) {
	r := syntax.NewReader(b)
	q := &RequiredCapabilities{Extensions: r.Uint16s(), Proposals: r.Uint16s(), Credentials: r.Uint16s()}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("required_capabilities: %w", err)
	}
	return q, nil
}

// CheckGroupExtensions checks that the leaf supports everything a group with these
// GroupContext extensions demands (sections 7.3, 11.1 and 13.4).
func (l *LeafNode) CheckGroupExtensions(group Extensions) error {
	c := &l.Capabilities
	for _, e := range group {
		if !e.Type.Default() && !slices.Contains(c.Extensions, uint16(e.Type)) {
			return fmt.Errorf("leaf doesn't support the group's extension %d (section 13.4)", e.Type)
		}
	}
	data, ok := group.Find(ExtRequiredCapabilities)
	if !ok {
		return nil
	}
	q, err := DecodeRequiredCapabilities(data)
	if err != nil {
		return err
	}
	for _, t := range q.Extensions {
		if !ExtensionType(t).Default() && !slices.Contains(c.Extensions, t) {
			return fmt.Errorf("leaf lacks required extension %d (section 11.1)", t)
		}
	}
	for _, t := range q.Proposals {
		if (t < 1 || t > 7) && !slices.Contains(c.Proposals, t) {
			return fmt.Errorf("leaf lacks required proposal type %d (section 11.1)", t)
		}
	}
	for _, t := range q.Credentials {
		if !slices.Contains(c.Credentials, t) {
			return fmt.Errorf("leaf lacks required credential type %d (section 11.1)", t)
		}
	}
	return nil
}
