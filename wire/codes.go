package wire

// A Code says why the hub refused a request. The numbers are for ever; a peer that
// does not know one treats it as [CodeInternal].
type Code uint32

// The one list of refusals on the wire.
const (
	CodeInternal       Code = 1  // the hub's own fault; try again later
	CodeMalformed      Code = 2  // the frame or something in it can't be read
	CodeTooLarge       Code = 3  // over a limit of limits.go
	CodeVersion        Code = 4  // no common protocol version
	CodeSignIn         Code = 5  // signature wrong, or device or invite unknown
	CodeRevoked        Code = 6  // the device was revoked, or its member has left
	CodeNotSignedIn    Code = 7  // the first frame must be SignIn
	CodeNotAllowed     Code = 8  // such a connection may not ask for this
	CodeInvite         Code = 9  // the invite is unknown, expired, withdrawn or used
	CodeLogConflict    Code = 10 // the log has grown; want = next free index
	CodeLogRefused     Code = 11 // the entry breaks a rule of the organisation log
	CodeClock          Code = 12 // the entry's time is too far from the hub's clock
	CodeNoMatter       Code = 13 // no such matter, or this device is not in it
	CodeMatterExists   Code = 14 // CreateMatter with an id that is taken
	CodeEpochConflict  Code = 15 // CommitBundle for another epoch than the current one
	CodeEpochStale     Code = 16 // SendContent sealed in another epoch than the current one
	CodeCommitRefused  Code = 17 // the commit breaks MLS or names a device that is not active
	CodeRemovalDue     Code = 18 // a revoked device must be removed from the matter first
	CodeCounterGap     Code = 19 // SendContent out of order; want = last counter taken
	CodeBusy           Code = 20 // too much at once; retry_after_ms says when
	CodeFull           Code = 21 // the hub's disk is full; nothing is taken for now
	CodeReplaced       Code = 22 // a newer connection of the same device took over
	CodeKeyPackage     Code = 23 // a published key package is not valid for this device
	CodeAlreadyFounded Code = 24 // the founding link was used already
	CodeLocked         Code = 25 // the device is locked until another one or an administrator unlocks it
	CodeUnavailable    Code = 29 // the hub can't reach its database; retry_after_ms says when to try again

	CodeNoBlob    Code = 50 // no such blob in this matter, or it is not complete, or no longer kept
	CodeBlobQuota Code = 51 // blobs of this device or of the organisation have no more room

	CodeQuiet        Code = 90 // these quiet hours can't be used here: bytes, signature or time zone
	CodeUrgentBudget Code = 91 // no more urgent messages of this member now
	CodeWakeHost     Code = 92 // the hub sends nothing to this endpoint

	CodeVaultNone    Code = 80 // no such slot, or its keys were destroyed
	CodeVaultWait    Code = 81 // after so many wrong tries, wait: retry_after_ms; want = tries left
	CodeVaultLocked  Code = 82 // too many wrong tries: an administrator must unlock the slot
	CodeVaultRefused Code = 83 // signature, proof or generation is not the slot's, or there are too many slots
)
