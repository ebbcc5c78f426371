package suite

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/subtle"

	"causa/crypto/mls/syntax"
)

const labelPrefix = "MLS 1.0 "

// Extract is KDF.Extract (section 8).
func (s *Suite) Extract(salt, ikm []byte) Secret {
	out, err := hkdf.Extract(s.hash, ikm, salt)
	if err != nil {
		panic("suite: hkdf extract: " + err.Error()) // only in FIPS-only mode with short keys
	}
	return out
}

// ExpandWithLabel is section 8's function of that name. It panics when length is over
// what HKDF allows (255 hashes); callers bound what comes from outside.
func (s *Suite) ExpandWithLabel(secret []byte, label string, context []byte, length int) Secret {
	info := make([]byte, 0, 2+1+len(labelPrefix)+len(label)+4+len(context))
	info = syntax.AppendUint16(info, uint16(length))
	info = appendLabel(info, label)
	info = syntax.AppendOpaque(info, context)
	out, err := hkdf.Expand(s.hash, secret, string(info), length)
	if err != nil {
		panic("suite: hkdf expand: " + err.Error())
	}
	return out
}

// MaxExpand is the longest output of [Suite.ExpandWithLabel].
func (s *Suite) MaxExpand() int { return min(255*s.nh, 1<<16-1) }

// DeriveSecret is section 8's function of that name.
func (s *Suite) DeriveSecret(secret []byte, label string) Secret {
	return s.ExpandWithLabel(secret, label, nil, s.nh)
}

// DeriveTreeSecret is section 9.1's function of that name.
func (s *Suite) DeriveTreeSecret(secret []byte, label string, generation uint32, length int) Secret {
	return s.ExpandWithLabel(secret, label, syntax.AppendUint32(nil, generation), length)
}

// RefHash is section 5.2's hash of an object under a label.
func (s *Suite) RefHash(label string, value []byte) []byte {
	b := make([]byte, 0, len(label)+len(value)+8)
	b = syntax.AppendOpaque(b, []byte(label))
	return s.Hash(syntax.AppendOpaque(b, value))
}

// MAC authenticates data under key.
func (s *Suite) MAC(key, data []byte) []byte {
	m := hmac.New(s.hash, key)
	_, _ = m.Write(data) // hash.Hash never returns an error
	return m.Sum(nil)
}

// VerifyMAC reports whether tag is the MAC of data, in constant time.
func (s *Suite) VerifyMAC(key, data, tag []byte) bool {
	return subtle.ConstantTimeCompare(s.MAC(key, data), tag) == 1
}

// Zero is the all-zero secret of length KDF.Nh.
func (s *Suite) Zero() Secret { return make(Secret, s.nh) }

func appendLabel(b []byte, label string) []byte {
	b = syntax.AppendVarint(b, len(labelPrefix)+len(label))
	b = append(b, labelPrefix...)
	return append(b, label...)
}
