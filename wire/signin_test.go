package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// The bytes are part of the protocol: this vector may never change.
func TestSignInBytes(t *testing.T) {
	nonce, pin := [32]byte(bytes.Repeat([]byte{0xa1}, 32)), [32]byte(bytes.Repeat([]byte{0xb2}, 32))
	id := [32]byte(bytes.Repeat([]byte{0xc3}, 32))
	got := SignInBytes(nonce, pin, DeviceSignIn(id))
	want := "10" + hex.EncodeToString([]byte("causa sign-in v1")) + hex.EncodeToString(nonce[:]) + hex.EncodeToString(pin[:]) + "01" + hex.EncodeToString(id[:])
	if hex.EncodeToString(got) != want {
		t.Errorf("SignInBytes = %x, want %s", got, want)
	}
	invite, err := InviteSignIn(id[:])
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, SignInBytes(nonce, pin, invite)) {
		t.Error("a device's sign-in and an invite's sign the same bytes")
	}
	if _, err := InviteSignIn(ed25519.PublicKey(id[:31])); err == nil {
		t.Error("InviteSignIn took a short key")
	}
	if PinOf([]byte("key")) != sha256.Sum256([]byte("key")) {
		t.Error("PinOf is not SHA-256")
	}
}
