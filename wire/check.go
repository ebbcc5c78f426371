package wire

import (
	"causa/wire/pb"
)

// The lengths of the ids that frames carry.
const (
	matterIDLen  = 16
	deviceIDLen  = 32
	nonceLen     = 32
	signatureLen = 64

	maxStored = 1<<63 - 1 // largest number that the stores of both sides keep
)

// check gathers the first thing that is wrong with a frame.
type check struct {
	request uint64
	err     *FrameError
}

func (c *check) fail(code Code, field string) {
	if c.err == nil {
		c.err = &FrameError{Code: code, Request: c.request, Field: field}
	}
}

// exact holds a field to one length.
func (c *check) exact(field string, b []byte, n int) {
	if len(b) != n {
		c.fail(CodeMalformed, field)
	}
}

// most holds a field to a largest length.
func (c *check) most(field string, b []byte, n int) {
	if len(b) > n {
		c.fail(CodeTooLarge, field)
	}
}

// some is most, for a field that may not be empty.
func (c *check) some(field string, b []byte, n int) {
	if len(b) == 0 {
		c.fail(CodeMalformed, field)
	}
	c.most(field, b, n)
}

// count holds a list to a largest number of items.
func (c *check) count(field string, n, limit int) {
	if n > limit {
		c.fail(CodeTooLarge, field)
	}
}

// devices holds every item of a list to a device id's length.
func (c *check) devices(field string, ids [][]byte, limit int) {
	c.count(field, len(ids), limit)
	for _, id := range ids {
		c.exact(field, id, deviceIDLen)
	}
}

func (c *check) result() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

func checkClient(f *pb.ClientFrame) error {
	c := check{request: f.GetRequest()}
	if c.request == 0 {
		c.fail(CodeMalformed, "request")
	}
	switch body := f.GetBody().(type) {
	case *pb.ClientFrame_SignIn:
		m := body.SignIn
		switch who := m.GetWho().(type) {
		case *pb.SignIn_Device:
			c.exact("device", who.Device, deviceIDLen)
		case *pb.SignIn_Invite:
			c.exact("invite", who.Invite, 32)
		case *pb.SignIn_Unlock:
			c.exact("unlock", who.Unlock, 32)
		default:
			c.fail(CodeMalformed, "who")
		}
		c.exact("signature", m.GetSignature(), signatureLen)
	case *pb.ClientFrame_PullLog, *pb.ClientFrame_PullHeads, *pb.ClientFrame_TakeWelcomes, *pb.ClientFrame_PullWaiting, *pb.ClientFrame_PullDestructions:
	case *pb.ClientFrame_AppendLog:
		c.some("entry", body.AppendLog.GetEntry(), MaxLogEntry)
	case *pb.ClientFrame_PublishKeyPackages:
		c.publish(body.PublishKeyPackages)
	case *pb.ClientFrame_ClaimKeyPackages:
		c.devices("devices", body.ClaimKeyPackages.GetDevices(), MaxClaim)
		if s := body.ClaimKeyPackages.GetSuite(); s == 0 || s > 0xffff {
			c.fail(CodeMalformed, "suite")
		}
	case *pb.ClientFrame_CreateMatter:
		c.exact("matter", body.CreateMatter.GetMatter(), matterIDLen)
		c.some("group_info", body.CreateMatter.GetGroupInfo(), MaxCommit)
	case *pb.ClientFrame_CommitBundle:
		c.bundle(body.CommitBundle)
	case *pb.ClientFrame_SendContent:
		m := body.SendContent
		c.exact("matter", m.GetMatter(), matterIDLen)
		c.some("payload", m.GetPayload(), MaxPayload)
		if m.GetCounter() == 0 || m.GetCounter() > maxStored {
			c.fail(CodeMalformed, "counter")
		}
		c.count("blobs", len(m.GetBlobs()), MaxBlobs)
		for _, b := range m.GetBlobs() {
			c.exact("blobs", b, blobIDLen)
		}
	case *pb.ClientFrame_PullMatter:
		c.exact("matter", body.PullMatter.GetMatter(), matterIDLen)
	case *pb.ClientFrame_DropWelcomes:
		c.count("ids", len(body.DropWelcomes.GetIds()), MaxDrop)
	case *pb.ClientFrame_GrantHistory:
		m := body.GrantHistory
		c.exact("matter", m.GetMatter(), matterIDLen)
		if m.GetFrom() == 0 || m.GetFrom() > maxStored {
			c.fail(CodeMalformed, "from")
		}
		c.count("devices", len(m.GetDevices()), MaxClaim)
		for _, d := range m.GetDevices() {
			c.exact("devices", d, deviceIDLen)
		}
	case *pb.ClientFrame_PullGroupInfo:
		c.exact("matter", body.PullGroupInfo.GetMatter(), matterIDLen)
	case *pb.ClientFrame_Reoffer:
		c.reoffer(body.Reoffer)
	case *pb.ClientFrame_GrantBlob:
		c.grant(body.GrantBlob)
	case *pb.ClientFrame_DropBlob:
		c.exact("matter", body.DropBlob.GetMatter(), matterIDLen)
		c.exact("blob", body.DropBlob.GetBlob(), blobIDLen)
	case *pb.ClientFrame_VaultRegister:
		c.register(body.VaultRegister)
	case *pb.ClientFrame_VaultEvaluate:
		c.exact("slot", body.VaultEvaluate.GetSlot(), slotIDLen)
		c.exact("blinded", body.VaultEvaluate.GetBlinded(), elementLen)
		c.exact("signature", body.VaultEvaluate.GetSignature(), signatureLen)
	case *pb.ClientFrame_VaultConfirm:
		c.exact("slot", body.VaultConfirm.GetSlot(), slotIDLen)
		c.generation("generation", body.VaultConfirm.GetGeneration())
		c.exact("proof", body.VaultConfirm.GetProof(), signatureLen)
	case *pb.ClientFrame_VaultDrop:
		c.exact("slot", body.VaultDrop.GetSlot(), slotIDLen)
		c.exact("proof", body.VaultDrop.GetProof(), signatureLen)
	case *pb.ClientFrame_PublishQuiet:
		c.most("rules", body.PublishQuiet.GetRules(), MaxQuiet)
		c.exact("signature", body.PublishQuiet.GetSignature(), signatureLen)
		if v := body.PublishQuiet.GetVersion(); v == 0 || v > maxStored {
			c.fail(CodeMalformed, "version")
		}
	case *pb.ClientFrame_PullPresence:
		c.exact("matter", body.PullPresence.GetMatter(), matterIDLen)
	case *pb.ClientFrame_SetStatus:
		if s := body.SetStatus; s.GetStatus() < 0 || s.GetStatus() > pb.Status_STATUS_MEETING || s.GetUntilMs() < 0 || s.GetUntilMs() > maxMillis {
			c.fail(CodeMalformed, "status")
		}
	case *pb.ClientFrame_SetWake:
		c.count("endpoint", len(body.SetWake.GetEndpoint()), MaxEndpoint)
	default:
		c.fail(CodeMalformed, "body")
	}
	return c.result()
}

func (c *check) publish(m *pb.PublishKeyPackages) {
	c.count("key_packages", len(m.GetKeyPackages()), MaxKeyPackages)
	for _, kp := range m.GetKeyPackages() {
		c.some("key_packages", kp, MaxKeyPackage)
	}
	c.most("last_resort", m.GetLastResort(), MaxKeyPackage)
}

func (c *check) bundle(m *pb.CommitBundle) {
	c.exact("matter", m.GetMatter(), matterIDLen)
	c.some("commit", m.GetCommit(), MaxCommit)
	c.most("welcome", m.GetWelcome(), MaxCommit)
	c.devices("welcome_devices", m.GetWelcomeDevices(), MaxClaim)
	c.some("group_info", m.GetGroupInfo(), MaxCommit)
	if (len(m.GetWelcome()) == 0) != (len(m.GetWelcomeDevices()) == 0) {
		c.fail(CodeMalformed, "welcome_devices")
	}
}

func (c *check) reoffer(m *pb.Reoffer) {
	c.exact("matter", m.GetMatter(), matterIDLen)
	c.count("entries", len(m.GetEntries()), MaxReoffer)
	c.most("group_info", m.GetGroupInfo(), MaxCommit)
	c.most("first", m.GetFirst(), MaxCommit)
	size := 0
	for _, e := range m.GetEntries() {
		c.exact("entries.sender", e.GetSender(), deviceIDLen)
		c.some("entries.payload", e.GetPayload(), MaxCommit)
		if e.GetSeq() == 0 || e.GetSeq() > maxStored || e.GetEpoch() > maxStored {
			c.fail(CodeMalformed, "entries.seq")
		}
		size += len(e.GetPayload())
	}
	if size > MaxReofferBytes {
		c.fail(CodeTooLarge, "entries")
	}
}

func checkHub(f *pb.HubFrame) error {
	c := check{request: f.GetRequest()}
	switch body := f.GetBody().(type) {
	case *pb.HubFrame_Challenge:
		c.exact("nonce", body.Challenge.GetNonce(), nonceLen)
	case *pb.HubFrame_LogPage:
		c.count("entries", len(body.LogPage.GetEntries()), MaxLogPage)
		for _, e := range body.LogPage.GetEntries() {
			c.some("entries", e, MaxLogEntry)
		}
	case *pb.HubFrame_KeyPackages:
		c.count("claimed", len(body.KeyPackages.GetClaimed()), MaxClaim)
		for _, k := range body.KeyPackages.GetClaimed() {
			c.exact("device", k.GetDevice(), deviceIDLen)
			c.some("key_package", k.GetKeyPackage(), MaxKeyPackage)
		}
	case *pb.HubFrame_MatterPage:
		c.page(body.MatterPage)
	case *pb.HubFrame_Heads:
		c.count("heads", len(body.Heads.GetHeads()), MaxHeads)
		for _, h := range body.Heads.GetHeads() {
			c.exact("matter", h.GetMatter(), matterIDLen)
		}
	case *pb.HubFrame_Welcomes:
		c.count("items", len(body.Welcomes.GetItems()), MaxWelcomesBatch)
		for _, w := range body.Welcomes.GetItems() {
			c.exact("matter", w.GetMatter(), matterIDLen)
			c.exact("sender", w.GetSender(), deviceIDLen)
			c.some("welcome", w.GetWelcome(), MaxCommit)
		}
	case *pb.HubFrame_GroupInfo:
		c.exact("matter", body.GroupInfo.GetMatter(), matterIDLen)
		c.some("group_info", body.GroupInfo.GetGroupInfo(), MaxCommit)
	case *pb.HubFrame_BlobGrant:
		c.token(body.BlobGrant.GetToken())
	case *pb.HubFrame_Waiting:
		c.count("devices", len(body.Waiting.GetDevices()), MaxWaiting)
		for _, d := range body.Waiting.GetDevices() {
			c.exact("device", d.GetDevice(), deviceIDLen)
		}
	case *pb.HubFrame_VaultEvaluation:
		c.evaluation(body.VaultEvaluation)
	case *pb.HubFrame_Presences:
		c.count("members", len(body.Presences.GetMembers()), MaxHeads)
		for _, m := range body.Presences.GetMembers() {
			c.exact("member", m.GetMember(), matterIDLen)
			c.count("zone", len(m.GetZone()), 64)
			if m.GetStatusUntilMs() < 0 || m.GetStatusUntilMs() > maxMillis || m.GetQuietUntilMs() < 0 || m.GetQuietUntilMs() > maxMillis {
				c.fail(CodeMalformed, "until")
			}
		}
	}
	return c.result()
}

func (c *check) page(m *pb.MatterPage) {
	c.exact("matter", m.GetMatter(), matterIDLen)
	c.count("entries", len(m.GetEntries()), MaxPageEntries)
	for _, e := range m.GetEntries() {
		c.exact("sender", e.GetSender(), deviceIDLen)
		c.some("payload", e.GetPayload(), MaxCommit)
	}
}
