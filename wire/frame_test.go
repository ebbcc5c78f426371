package wire

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"causa/wire/pb"
)

var (
	id16 = bytes.Repeat([]byte{1}, 16)
	id32 = bytes.Repeat([]byte{2}, 32)
	sig  = bytes.Repeat([]byte{3}, 64)
)

func clientFrames() map[string]*pb.ClientFrame {
	return map[string]*pb.ClientFrame{
		"sign in device": {Request: 1, Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{Version: 1, Who: &pb.SignIn_Device{Device: id32}, Signature: sig}}},
		"sign in invite": {Request: 1, Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{Version: 1, Who: &pb.SignIn_Invite{Invite: id32}, Signature: sig}}},
		"pull log":       {Request: 2, Body: &pb.ClientFrame_PullLog{PullLog: &pb.PullLog{From: 7}}},
		"append log":     {Request: 2, Body: &pb.ClientFrame_AppendLog{AppendLog: &pb.AppendLog{Entry: make([]byte, MaxLogEntry)}}},
		"publish":        {Request: 2, Body: &pb.ClientFrame_PublishKeyPackages{PublishKeyPackages: &pb.PublishKeyPackages{KeyPackages: [][]byte{id32, make([]byte, MaxKeyPackage)}, LastResort: id16}}},
		"claim":          {Request: 2, Body: &pb.ClientFrame_ClaimKeyPackages{ClaimKeyPackages: &pb.ClaimKeyPackages{Devices: slicesOf(id32, MaxClaim), Suite: 1}}},
		"create":         {Request: 2, Body: &pb.ClientFrame_CreateMatter{CreateMatter: &pb.CreateMatter{Matter: id16, GroupInfo: make([]byte, MaxCommit)}}},
		"bundle": {Request: 2, Body: &pb.ClientFrame_CommitBundle{CommitBundle: &pb.CommitBundle{
			Matter: id16, Epoch: 9, Commit: make([]byte, MaxCommit), Welcome: make([]byte, MaxCommit), WelcomeDevices: slicesOf(id32, MaxClaim), GroupInfo: make([]byte, MaxCommit),
		}}},
		"send":          {Request: 2, Body: &pb.ClientFrame_SendContent{SendContent: &pb.SendContent{Counter: 1, Matter: id16, Epoch: 3, Payload: make([]byte, MaxPayload)}}},
		"pull matter":   {Request: 2, Body: &pb.ClientFrame_PullMatter{PullMatter: &pb.PullMatter{Matter: id16, After: 1 << 63}}},
		"pull heads":    {Request: 2, Body: &pb.ClientFrame_PullHeads{PullHeads: &pb.PullHeads{}}},
		"take welcomes": {Request: 2, Body: &pb.ClientFrame_TakeWelcomes{TakeWelcomes: &pb.TakeWelcomes{}}},
		"drop welcomes": {Request: 2, Body: &pb.ClientFrame_DropWelcomes{DropWelcomes: &pb.DropWelcomes{Ids: make([]uint64, MaxDrop)}}},
		"send blobs": {Request: 2, Body: &pb.ClientFrame_SendContent{SendContent: &pb.SendContent{
			Counter: 1, Matter: id16, Epoch: 3, Payload: make([]byte, MaxPayload), Blobs: slicesOf(id16, MaxBlobs),
		}}},
		"grant blob": {Request: 2, Body: &pb.ClientFrame_GrantBlob{GrantBlob: &pb.GrantBlob{
			Matter: id16, Blob: id16, Direction: pb.BlobDirection_BLOB_DIRECTION_UPLOAD, Size: MaxBlob,
		}}},
		"drop blob":  {Request: 2, Body: &pb.ClientFrame_DropBlob{DropBlob: &pb.DropBlob{Matter: id16, Blob: id16}}},
		"group info": {Request: 1 << 63, Body: &pb.ClientFrame_PullGroupInfo{PullGroupInfo: &pb.PullGroupInfo{Matter: id16}}},
	}
}

func slicesOf(b []byte, n int) [][]byte {
	s := make([][]byte, n)
	for i := range s {
		s[i] = b
	}
	return s
}

func hubFrames() map[string]*pb.HubFrame {
	heads := make([]*pb.Heads_Head, MaxHeads)
	for i := range heads {
		heads[i] = &pb.Heads_Head{Matter: id16, Seq: uint64(i), Epoch: 1 << 62, TimeMs: 1 << 60}
	}
	return map[string]*pb.HubFrame{
		"failure":   {Request: 1, Body: &pb.HubFrame_Failure{Failure: &pb.Failure{Code: 3}}},
		"challenge": {Body: &pb.HubFrame_Challenge{Challenge: &pb.Challenge{Version: 1, Nonce: id32}}},
		"heads":     {Request: 1, Body: &pb.HubFrame_Heads{Heads: &pb.Heads{Heads: heads}}},
		"page":      {Body: &pb.HubFrame_MatterPage{MatterPage: &pb.MatterPage{Matter: id16, Entries: []*pb.Entry{{Seq: 1, Sender: id32, Payload: sig}}}}},
		"welcomes":  {Body: &pb.HubFrame_Welcomes{Welcomes: &pb.Welcomes{Items: []*pb.Welcomes_Item{{Matter: id16, Sender: id32, Welcome: sig}}}}},
		"grant":     {Request: 1, Body: &pb.HubFrame_BlobGrant{BlobGrant: &pb.BlobGrant{Token: "abc", ExpiresMs: 1 << 60}}},
		"nothing":   {},
	}
}

func TestFramesAtTheirLimits(t *testing.T) {
	for name, f := range clientFrames() {
		b, err := EncodeClient(f)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := DecodeClient(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !proto.Equal(got, f) {
			t.Errorf("%s: decoded to something else", name)
		}
	}
	for name, f := range hubFrames() {
		b, err := EncodeHub(f)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := DecodeHub(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !proto.Equal(got, f) {
			t.Errorf("%s: decoded to something else", name)
		}
	}
}

func TestClientFrameRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(f *pb.ClientFrame)
		of     string
		want   Code
	}{
		{"no request number", func(f *pb.ClientFrame) { f.Request = 0 }, "pull log", CodeMalformed},
		{"no body", func(f *pb.ClientFrame) { f.Body = nil }, "pull log", CodeMalformed},
		{"short device", func(f *pb.ClientFrame) { f.GetSignIn().Who = &pb.SignIn_Device{Device: id16} }, "sign in device", CodeMalformed},
		{"nobody", func(f *pb.ClientFrame) { f.GetSignIn().Who = nil }, "sign in device", CodeMalformed},
		{"short signature", func(f *pb.ClientFrame) { f.GetSignIn().Signature = id32 }, "sign in device", CodeMalformed},
		{"log entry", func(f *pb.ClientFrame) { f.GetAppendLog().Entry = make([]byte, MaxLogEntry+1) }, "append log", CodeTooLarge},
		{"empty log entry", func(f *pb.ClientFrame) { f.GetAppendLog().Entry = nil }, "append log", CodeMalformed},
		{"key package", func(f *pb.ClientFrame) { f.GetPublishKeyPackages().KeyPackages[0] = make([]byte, MaxKeyPackage+1) }, "publish", CodeTooLarge},
		{"key packages", func(f *pb.ClientFrame) {
			f.GetPublishKeyPackages().KeyPackages = slicesOf(id16, MaxKeyPackages+1)
		}, "publish", CodeTooLarge},
		{"last resort", func(f *pb.ClientFrame) { f.GetPublishKeyPackages().LastResort = make([]byte, MaxKeyPackage+1) }, "publish", CodeTooLarge},
		{"claims", func(f *pb.ClientFrame) { f.GetClaimKeyPackages().Devices = slicesOf(id32, MaxClaim+1) }, "claim", CodeTooLarge},
		{"no suite", func(f *pb.ClientFrame) { f.GetClaimKeyPackages().Suite = 0 }, "claim", CodeMalformed},
		{"suite", func(f *pb.ClientFrame) { f.GetClaimKeyPackages().Suite = 1 << 16 }, "claim", CodeMalformed},
		{"claimed device", func(f *pb.ClientFrame) { f.GetClaimKeyPackages().Devices[0] = id16 }, "claim", CodeMalformed},
		{"matter id", func(f *pb.ClientFrame) { f.GetCreateMatter().Matter = id32 }, "create", CodeMalformed},
		{"group info", func(f *pb.ClientFrame) { f.GetCreateMatter().GroupInfo = make([]byte, MaxCommit+1) }, "create", CodeTooLarge},
		{"commit", func(f *pb.ClientFrame) { f.GetCommitBundle().Commit = make([]byte, MaxCommit+1) }, "bundle", CodeTooLarge},
		{"no commit", func(f *pb.ClientFrame) { f.GetCommitBundle().Commit = nil }, "bundle", CodeMalformed},
		{"welcome for nobody", func(f *pb.ClientFrame) { f.GetCommitBundle().WelcomeDevices = nil }, "bundle", CodeMalformed},
		{"nobody's welcome", func(f *pb.ClientFrame) { f.GetCommitBundle().Welcome = nil }, "bundle", CodeMalformed},
		{"blob", func(f *pb.ClientFrame) { f.GetSendContent().Blobs[0] = id32 }, "send blobs", CodeMalformed},
		{"blobs", func(f *pb.ClientFrame) { f.GetSendContent().Blobs = slicesOf(id16, MaxBlobs+1) }, "send blobs", CodeTooLarge},
		{"empty blob", func(f *pb.ClientFrame) { f.GetGrantBlob().Size = 0 }, "grant blob", CodeMalformed},
		{"huge blob", func(f *pb.ClientFrame) { f.GetGrantBlob().Size = MaxBlob + 1 }, "grant blob", CodeTooLarge},
		{"no direction", func(f *pb.ClientFrame) { f.GetGrantBlob().Direction = 0 }, "grant blob", CodeMalformed},
		{"long blob id", func(f *pb.ClientFrame) { f.GetDropBlob().Blob = id32 }, "drop blob", CodeMalformed},
		{"payload", func(f *pb.ClientFrame) { f.GetSendContent().Payload = make([]byte, MaxPayload+1) }, "send", CodeTooLarge},
		{"empty payload", func(f *pb.ClientFrame) { f.GetSendContent().Payload = nil }, "send", CodeMalformed},
		{"counter 0", func(f *pb.ClientFrame) { f.GetSendContent().Counter = 0 }, "send", CodeMalformed},
		{"counter past storage", func(f *pb.ClientFrame) { f.GetSendContent().Counter = 1 << 63 }, "send", CodeMalformed},
		{"drops", func(f *pb.ClientFrame) { f.GetDropWelcomes().Ids = make([]uint64, MaxDrop+1) }, "drop welcomes", CodeTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := clientFrames()[tt.of]
			tt.change(f)
			b, err := proto.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			_, err = DecodeClient(b)
			fe, ok := errors.AsType[*FrameError](err)
			if !ok || fe.Code != tt.want {
				t.Fatalf("DecodeClient: %v, want code %d", err, tt.want)
			}
			if fe.Request != f.GetRequest() {
				t.Errorf("request = %d, want %d", fe.Request, f.GetRequest())
			}
			if _, err := EncodeClient(f); err == nil {
				t.Error("EncodeClient took what DecodeClient refuses")
			}
		})
	}
}

// A small frame with very many fields must be refused before it is unfolded.
func TestFrameOfManyFields(t *testing.T) {
	var body []byte
	for range 20000 {
		body = protowire.AppendTag(body, 5, protowire.BytesType)
		body = protowire.AppendBytes(body, nil)
	}
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, 77)
	b = protowire.AppendTag(b, 8, protowire.BytesType) // commit bundle: the roomiest
	b = protowire.AppendBytes(b, body)
	_, err := DecodeClient(b)
	fe, ok := errors.AsType[*FrameError](err)
	if !ok || fe.Code != CodeTooLarge || fe.Field != "fields" || fe.Request != 77 {
		t.Fatalf("DecodeClient: %v", err)
	}
	if _, err := DecodeHub(append(b, make([]byte, MaxFrame)...)); err == nil {
		t.Fatal("DecodeHub took a frame over the limit")
	}
}

// A request of a later version is told apart from a frame that can't be read, so far
// as its number is echoed.
func TestUnknownRequest(t *testing.T) {
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, 5)
	b = protowire.AppendTag(b, 900, protowire.BytesType)
	b = protowire.AppendBytes(b, []byte("later"))
	_, err := DecodeClient(b)
	fe, ok := errors.AsType[*FrameError](err)
	if !ok || fe.Code != CodeMalformed || fe.Request != 5 || fe.Field != "body" {
		t.Fatalf("DecodeClient: %v", err)
	}
	f, err := DecodeHub(b)
	if err != nil || f.GetBody() != nil {
		t.Fatalf("DecodeHub = %v, %v; want a frame without body", f, err)
	}
}

func FuzzDecodeClient(f *testing.F) {
	for _, frame := range clientFrames() {
		b, err := proto.Marshal(frame)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 1<<12 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := DecodeClient(b)
		if err != nil {
			if _, ok := errors.AsType[*FrameError](err); !ok {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		again, err := EncodeClient(frame)
		if err != nil {
			t.Fatalf("encode what was decoded: %v", err)
		}
		back, err := DecodeClient(again)
		if err != nil || !proto.Equal(back, frame) {
			t.Fatalf("round trip: %v", err)
		}
	})
}

func FuzzDecodeHub(f *testing.F) {
	for _, frame := range hubFrames() {
		b, err := proto.Marshal(frame)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 1<<12 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := DecodeHub(b)
		if err != nil {
			return
		}
		again, err := EncodeHub(frame)
		if err != nil {
			t.Fatalf("encode what was decoded: %v", err)
		}
		back, err := DecodeHub(again)
		if err != nil || !proto.Equal(back, frame) {
			t.Fatalf("round trip: %v", err)
		}
	})
}
