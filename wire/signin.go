package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
)

// signInLabel keeps a sign-in's signature from meaning anything elsewhere.
const signInLabel = "causa sign-in v1"

// Who signs in: a device by its id, the holder of an invite or a locked device by its
// public key. The zero Who is nobody; make one with [DeviceSignIn],
// [InviteSignIn] or [UnlockSignIn].
type Who struct {
	kind byte
	id   [32]byte
}

// DeviceSignIn is an enrolled device, signing with its identity key.
func DeviceSignIn(device [32]byte) Who { return Who{kind: 1, id: device} }

// InviteSignIn is the holder of an invite (or of the founding link), signing with the
// invite's key.
func InviteSignIn(invite ed25519.PublicKey) (Who, error) {
	if len(invite) != ed25519.PublicKeySize {
		return Who{}, fmt.Errorf("invite key has %d bytes", len(invite))
	}
	return Who{kind: 2, id: [32]byte(invite)}, nil
}

// UnlockSignIn is a locked device, signing with the unlock key of one of its slots.
func UnlockSignIn(unlock ed25519.PublicKey) (Who, error) {
	if len(unlock) != ed25519.PublicKeySize {
		return Who{}, fmt.Errorf("unlock key has %d bytes", len(unlock))
	}
	return Who{kind: 3, id: [32]byte(unlock)}, nil
}

// PinOf is the pin of a hub's TLS key: the SHA-256 of the certificate's
// SubjectPublicKeyInfo as it stands in the certificate.
func PinOf(subjectPublicKeyInfo []byte) [32]byte { return sha256.Sum256(subjectPublicKeyInfo) }

// SignInBytes is what a sign-in signs, in TLS presentation:
//
//	struct {
//	  opaque label<0..255> = "causa sign-in v1";
//	  opaque nonce[32];       the hub's challenge, so that it can't be replayed
//	  opaque pin[32];         PinOf the key this connection is with, as the device
//	                          saw it, so that nobody with another key can pass it on
//	  uint8  kind;            1 device, 2 invite, 3 unlock
//	  opaque id[32];          the device's id, or the invite's or unlock key's public half
//	} SignIn;
func SignInBytes(nonce, pin [32]byte, who Who) []byte {
	b := make([]byte, 0, 1+len(signInLabel)+32+32+1+32)
	b = append(b, byte(len(signInLabel)))
	b = append(b, signInLabel...)
	b = append(b, nonce[:]...)
	b = append(b, pin[:]...)
	b = append(b, who.kind)
	return append(b, who.id[:]...)
}
