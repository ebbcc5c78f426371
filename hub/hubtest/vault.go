package hubtest

import (
	"crypto/ed25519"

	"causa/wire"
	"causa/wire/pb"
)

// SignInUnlock signs in as a locked device.
func (p *Peer) SignInUnlock(key ed25519.PrivateKey) (*pb.Ready, error) {
	public, _ := key.Public().(ed25519.PublicKey)
	who, err := wire.UnlockSignIn(public)
	if err != nil {
		return nil, err
	}
	return p.signIn(&pb.SignIn{Who: &pb.SignIn_Unlock{Unlock: public}}, who, key)
}

// SignVault signs the vault frame that is sent next, by whoever is the only one to send.
func (p *Peer) SignVault(key ed25519.PrivateKey, purpose wire.VaultPurpose, slot [16]byte, subject []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return ed25519.Sign(key, wire.VaultBytes([32]byte(p.challenge.GetNonce()), p.last+1, purpose, slot, subject))
}
