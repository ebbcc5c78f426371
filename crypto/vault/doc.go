// Package vault wraps the key of a store so that three things are needed to have it: the
// passcode, a share that the hub gives out only a few times, and a secret of the device.
//
// The share is an oblivious function of the passcode (RFC 9497, ristretto255-SHA512, base
// mode): the device blinds the passcode ([Begin]), the hub evaluates it under the slot's
// own key and learns nothing, the device unblinds ([Attempt.Share]). The key that wraps is
//
//	KEK = HKDF-SHA-512( Argon2id(passcode) ‖ share ‖ device secret )
//
// Each slot key of the hub has a generation. After every opening the slot is wrapped for
// the next generation, too ([Slot.Wrap]); once that is on the disk and the hub has
// destroyed the older key, the older wrap is dropped ([Slot.Keep]). So a copy of a slot
// opens with the slot key of its time only, and there is always exactly one that works.
//
// Wrapped with the store's key is a seed that nobody else has. Signatures by the key made
// from it prove to the hub that the slot was opened, passcode and all.
package vault
