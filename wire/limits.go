// Package wire is what a device and its hub say to each other: the frames (generated
// from causa.proto), their limits, the list of refusals and the bytes that a sign-in
// signs. It knows nothing of what the opaque parts mean.
package wire

import "time"

// Version is the protocol version of this tree.
const Version = 1

// Limits that both sides hold. Sizes are bytes.
const (
	MaxFrame         = 4 << 20              // one WebSocket message from the hub
	MaxFrameDevice   = 3*MaxCommit + 64<<10 // one from a device that has signed in
	MaxFrameJoining  = 64 << 10             // one before sign-in, and from the holder of an invite
	MaxLogEntry      = 16 << 10             // one organisation log entry
	MaxLogPage       = 256                  // entries in a LogPage ...
	MaxLogPageBytes  = 1 << 20              // ... and together (one entry is always sent)
	MaxText          = 64 << 10             // what a person can say in one message, UTF-8
	MaxPayload       = 128 << 10            // SendContent.payload
	MaxCommit        = 3 << 20              // CommitBundle.commit, .welcome and .group_info, each (1,000 devices need 2.7 MB)
	MaxKeyPackage    = 8 << 10              // one key package
	MaxKeyPackages   = 100                  // in one PublishKeyPackages, and in stock
	MaxClaim         = 1000                 // devices in one ClaimKeyPackages
	MaxPageEntries   = 256                  // entries in a MatterPage ...
	MaxPageBytes     = 256 << 10            // ... and their payloads together (one entry may exceed it)
	MaxWelcomesBatch = 32                   // items in one Welcomes ...
	MaxWelcomesBytes = 2 << 20              // ... and their welcomes together (a single one may exceed it)
	MaxDrop          = 1000                 // ids in one DropWelcomes
	MaxHeads         = 20000                // heads in one Heads
	MaxReoffer       = 1000                 // entries in one Reoffer ...
	MaxReofferBytes  = 2 * MaxCommit        // ... and their payloads together
)

// SignInTimeout is how long a connection may stay without a valid SignIn.
const SignInTimeout = 10 * time.Second

// MaxClockSkew is how far the time of an appended organisation log entry may be from
// the hub's clock.
const MaxClockSkew = 10 * time.Minute
