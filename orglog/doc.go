// Package orglog is the organisation log: an append-only, hash-chained sequence of
// signed statements about who belongs to an organisation, on which devices, with
// which role and under which policies. Every device and the hub verify it for
// themselves, so the hub can neither make members nor devices; see docs/protocol.md
// for the bytes and the rules.
//
// [Decode] reads an entry strictly but does not believe it. [State.Apply] is the only
// road from an entry to the state of the organisation.
package orglog
