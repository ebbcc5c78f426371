// Package mls is Messaging Layer Security (RFC 9420) for one device: groups that agree on
// a secret per epoch, and whose members come and go.
//
// A [Group] is created with [Create], joined with [Join] or [JoinExternal], changed by
// [Group.Commit] on the device that wants the change and by [Group.Process] on the
// others. A commit of one's own takes effect only when the delivery service accepted it:
// see [Pending]. The package does no I/O. What it returns as bytes is framed as MLSMessage
// unless said otherwise.
//
// The chapters of RFC 9420 are found here:
//
//	2    presentation language            syntax
//	4    tree math, views, resolution     tree/math.go, tree/tree.go
//	5.1  cipher suites, labels            suite
//	5.1.3 public-key encryption           suite/hpke.go, suite/seal.go (the sender's half)
//	5.2  references                       suite/kdf.go (RefHash)
//	5.3  credentials                      tree/leaf.go; LeafCheck is the authentication service
//	6    framing                          framing/content.go, framing/message.go; private.go
//	7.1  nodes, validation                tree/leaf.go, tree/verify.go
//	7.4  update paths                     treekem (secret), evolution/apply.go (public)
//	7.8  tree and parent hashes           tree/hash.go, tree/verify.go
//	8    key schedule, PSKs, exporter     schedule/schedule.go, schedule/psk.go
//	9    secret tree, ratchets            schedule/secrettree.go, schedule/ratchet.go
//	10   key packages                     framing/keypackage.go, keypackage.go
//	11   creation, reinit, branching      group.go, link.go
//	12.1 proposals                        framing/proposal.go, proposal.go, external.go
//	12.2 proposal lists                   evolution/plan.go
//	12.3 applying them                    evolution/apply.go
//	12.4 commits, Welcome, GroupInfo      commit.go, process.go, join.go, external.go
//	13   extensions                       tree/extension.go
//	15   sequencing, late messages        commit.go (Pending), private.go
//
// Package view is the public part that the hub uses: it imports nothing that holds
// secrets.
//
// Structures that came from outside have types of their own until they are checked:
// framing.Unverified becomes framing.Authentic, tree.Received becomes tree.Tree,
// []evolution.Sourced becomes evolution.Plan.
//
// # Limits
//
// A tree has at most 65,536 leaves, an epoch at most [MaxProposals] proposals. A private
// message may be 1,024 generations ahead of the last, and 256 keys of missing messages are
// kept for each sender; late messages are read for [DefaultKeepEpochs] epochs, resumption
// secrets kept for 16. A key package may live for [DefaultMaxLifetime]. On receipt its
// lifetime isn't compared with the clock (section 7.3 leaves that open), because a device
// that catches up reads commits of the past.
//
// # Storing
//
// [Group.Marshal] gives all of a group. Where private messages are used, store
// [Group.MarshalGroup] once per epoch and [Group.RatchetChanges] after each message: some
// fifty bytes, however large the group. Stored forms have versions, and examples of each
// in testdata open for ever. Secrets are overwritten when they have served; [Group.Wipe]
// and [Pending.Discard] do so where only the caller knows the time.
//
// # Not implemented
//
// Cipher suites 0x0004 and 0x0006 need X448 and Ed448, which Go's standard library lacks;
// nobody should write curve arithmetic for a messenger. X.509 credentials are read and
// compared but not offered by our own leaves: devices are known by the organisation log.
// AppAck and other extensions outside of RFC 9420 are unknown proposals, and refused.
package mls
