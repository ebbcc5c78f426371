package framing

import (
	"causa/crypto/mls/suite"
	"causa/crypto/mls/syntax"
	"causa/crypto/mls/tree"
)

// A ProposalType names a kind of proposal (section 17.4).
type ProposalType uint16

// The proposal types of RFC 9420.
const (
	ProposalAdd                    ProposalType = 1
	ProposalUpdate                 ProposalType = 2
	ProposalRemove                 ProposalType = 3
	ProposalPSK                    ProposalType = 4
	ProposalReInit                 ProposalType = 5
	ProposalExternalInit           ProposalType = 6
	ProposalGroupContextExtensions ProposalType = 7
)

func (t ProposalType) String() string {
	names := [...]string{"add", "update", "remove", "psk", "reinit", "external_init", "group_context_extensions"}
	if t >= 1 && int(t) <= len(names) {
		return names[t-1]
	}
	return "unknown"
}

// A Proposal asks for one change to the group (section 12.1). Only the field of its type
// is set.
type Proposal struct {
	Type         ProposalType
	Add          *KeyPackage
	Update       *tree.LeafNode
	Remove       tree.LeafIndex
	PSK          PSKID
	ReInit       *ReInit
	ExternalInit []byte          // the KEM output
	Extensions   tree.Extensions // group_context_extensions
}

// Decode reads p.
func (p *Proposal) Decode(r *syntax.Reader) {
	switch p.Type = ProposalType(r.Uint16()); p.Type {
	case ProposalAdd:
		p.Add = DecodeKeyPackage(r)
	case ProposalUpdate:
		p.Update = tree.DecodeLeafNode(r)
	case ProposalRemove:
		p.Remove = tree.LeafIndex(r.Uint32())
	case ProposalPSK:
		p.PSK.Decode(r)
	case ProposalReInit:
		p.ReInit = new(ReInit)
		p.ReInit.Decode(r)
	case ProposalExternalInit:
		p.ExternalInit = r.Opaque()
	case ProposalGroupContextExtensions:
		p.Extensions.Decode(r)
	default:
		r.Fail("proposal type %d", p.Type)
	}
}

// Append appends p's encoding.
func (p *Proposal) Append(b []byte) []byte {
	b = syntax.AppendUint16(b, uint16(p.Type))
	switch p.Type {
	case ProposalAdd:
		return p.Add.Append(b)
	case ProposalUpdate:
		return p.Update.Append(b)
	case ProposalRemove:
		return syntax.AppendUint32(b, uint32(p.Remove))
	case ProposalPSK:
		return p.PSK.Append(b)
	case ProposalReInit:
		return p.ReInit.Append(b)
	case ProposalExternalInit:
		return syntax.AppendOpaque(b, p.ExternalInit)
	case ProposalGroupContextExtensions:
		return p.Extensions.Append(b)
	}
	panic("framing: proposal without a type")
}

// A ReInit proposes to continue in a new group with other parameters (section 12.1.5).
type ReInit struct {
	GroupID    []byte
	Version    uint16
	Suite      suite.ID
	Extensions tree.Extensions
}

// Decode reads q.
func (q *ReInit) Decode(r *syntax.Reader) {
	q.GroupID = r.Opaque()
	q.Version = r.Uint16()
	q.Suite = suite.ID(r.Uint16())
	q.Extensions.Decode(r)
}

// Append appends q's encoding.
func (q *ReInit) Append(b []byte) []byte {
	b = syntax.AppendOpaque(b, q.GroupID)
	b = syntax.AppendUint16(b, q.Version)
	b = syntax.AppendUint16(b, uint16(q.Suite))
	return q.Extensions.Append(b)
}

// PSK types and usages (section 8.4).
const (
	PSKExternal   uint8 = 1
	PSKResumption uint8 = 2

	UsageApplication uint8 = 1
	UsageReInit      uint8 = 2
	UsageBranch      uint8 = 3
)

// A PSKID names a pre-shared key and one use of it (section 8.4).
type PSKID struct {
	Type    uint8
	ID      []byte // external
	Usage   uint8  // resumption
	GroupID []byte // resumption
	Epoch   uint64 // resumption
	Nonce   []byte
}

// Decode reads p.
func (p *PSKID) Decode(r *syntax.Reader) {
	switch p.Type = r.Uint8(); p.Type {
	case PSKExternal:
		p.ID = r.Opaque()
	case PSKResumption:
		if p.Usage = r.Uint8(); p.Usage < UsageApplication || p.Usage > UsageBranch {
			r.Fail("resumption PSK usage %d", p.Usage)
		}
		p.GroupID = r.Opaque()
		p.Epoch = r.Uint64()
	default:
		r.Fail("PSK type %d", p.Type)
	}
	p.Nonce = r.Opaque()
}

// Append appends p's encoding.
func (p *PSKID) Append(b []byte) []byte {
	b = append(b, p.Type)
	if p.Type == PSKExternal {
		b = syntax.AppendOpaque(b, p.ID)
	} else {
		b = append(b, p.Usage)
		b = syntax.AppendOpaque(b, p.GroupID)
		b = syntax.AppendUint64(b, p.Epoch)
	}
	return syntax.AppendOpaque(b, p.Nonce)
}

// A ProposalOrRef is a proposal in a commit: by value, or by the hash of the message it
// was sent in (section 12.4).
type ProposalOrRef struct {
	Proposal *Proposal // nil: by reference
	Ref      []byte
}

// A Commit starts a new epoch (section 12.4).
type Commit struct {
	Proposals []ProposalOrRef
	Path      *UpdatePath
}

// Decode reads c.
func (c *Commit) Decode(r *syntax.Reader) {
	r.List(func(r *syntax.Reader) {
		var p ProposalOrRef
		switch typ := r.Uint8(); typ {
		case 1:
			p.Proposal = new(Proposal)
			p.Proposal.Decode(r)
		case 2:
			p.Ref = r.Opaque()
		default:
			r.Fail("ProposalOrRef type %d", typ)
		}
		c.Proposals = append(c.Proposals, p)
	})
	if r.Optional() {
		c.Path = new(UpdatePath)
		c.Path.Decode(r)
	}
}

// Append appends c's encoding.
func (c *Commit) Append(b []byte) []byte {
	b = syntax.AppendList(b, func(b []byte) []byte {
		for i := range c.Proposals {
			if p := &c.Proposals[i]; p.Proposal != nil {
				b = p.Proposal.Append(append(b, 1))
			} else {
				b = syntax.AppendOpaque(append(b, 2), p.Ref)
			}
		}
		return b
	})
	b = syntax.AppendOptional(b, c.Path != nil)
	if c.Path != nil {
		b = c.Path.Append(b)
	}
	return b
}

// An UpdatePath replaces the keys above the committer's leaf (section 7.6).
type UpdatePath struct {
	Leaf  *tree.LeafNode
	Nodes []UpdatePathNode
}

// An UpdatePathNode is one node's new key, and its path secret encrypted to everybody
// below the node's other child.
type UpdatePathNode struct {
	EncryptionKey []byte
	Secrets       []suite.Ciphertext
}

// Keys returns the public keys of the path's nodes.
func (p *UpdatePath) Keys() [][]byte {
	keys := make([][]byte, len(p.Nodes))
	for i := range p.Nodes {
		keys[i] = p.Nodes[i].EncryptionKey
	}
	return keys
}

// Decode reads p.
func (p *UpdatePath) Decode(r *syntax.Reader) {
	p.Leaf = tree.DecodeLeafNode(r)
	r.List(func(r *syntax.Reader) {
		n := UpdatePathNode{EncryptionKey: r.Opaque()}
		r.List(func(r *syntax.Reader) {
			var c suite.Ciphertext
			c.Decode(r)
			n.Secrets = append(n.Secrets, c)
		})
		p.Nodes = append(p.Nodes, n)
	})
}

// Append appends p's encoding.
func (p *UpdatePath) Append(b []byte) []byte {
	b = p.Leaf.Append(b)
	return syntax.AppendList(b, func(b []byte) []byte {
		for i := range p.Nodes {
			n := &p.Nodes[i]
			b = syntax.AppendOpaque(b, n.EncryptionKey)
			b = syntax.AppendList(b, func(b []byte) []byte {
				for j := range n.Secrets {
					b = n.Secrets[j].Append(b)
				}
				return b
			})
		}
		return b
	})
}
