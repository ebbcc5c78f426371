package mls

import (
	"bytes"
	"crypto/ed25519"
	"testing"
)

func TestSealToALeaf(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Create(DefaultSuite, []byte("group"), []byte("alice"), key, GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kem, sealed, err := g.SealTo(g.Own(), "test", []byte("context"), []byte("words"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.OpenSealed("test", []byte("context"), kem, sealed); err != nil || !bytes.Equal(got, []byte("words")) {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := g.OpenSealed("test", []byte("another"), kem, sealed); err == nil {
		t.Error("it opens in another context")
	}
	if _, err := g.OpenSealed("other", []byte("context"), kem, sealed); err == nil {
		t.Error("it opens for another purpose")
	}
	if _, _, err := g.SealTo(7, "test", nil, nil); err == nil {
		t.Error("sealed to nobody")
	}
}
