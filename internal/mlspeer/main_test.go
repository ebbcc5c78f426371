package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// A remote is a peer on the other side of two pipes.
type remote struct {
	t   *testing.T
	in  *json.Encoder
	out *json.Decoder
}

func start(t *testing.T) *remote {
	t.Helper()
	reqR, reqW := io.Pipe()
	respR, respW := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := serve(reqR, respW)
		_ = respW.Close() // a pipe's Close never fails
		done <- err
	}()
	t.Cleanup(func() {
		_ = reqW.Close() // likewise
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &remote{t: t, in: json.NewEncoder(reqW), out: json.NewDecoder(respR)}
}

func (r *remote) try(req request) response {
	r.t.Helper()
	if err := r.in.Encode(req); err != nil {
		r.t.Fatal(err)
	}
	var resp response
	if err := r.out.Decode(&resp); err != nil {
		r.t.Fatal(err)
	}
	return resp
}

func (r *remote) do(req request) response {
	r.t.Helper()
	resp := r.try(req)
	if !resp.OK {
		r.t.Fatalf("%s: %s", req.Op, resp.Error)
	}
	return resp
}

func TestTwoPeers(t *testing.T) {
	one, two := start(t), start(t)
	group := hexBytes("g")
	for _, suite := range one.do(request{Op: "hello"}).Suites {
		one.do(request{Op: "client", Client: "a", Suite: uint16(suite)})
		two.do(request{Op: "client", Client: "b", Suite: uint16(suite)})
		two.do(request{Op: "client", Client: "c", Suite: uint16(suite)})
		same := func(clients ...string) {
			t.Helper()
			want := one.do(request{Op: "export", Client: "a", Group: group, Label: "l", Context: []byte("c"), Length: 20}).Bytes
			for _, c := range clients {
				got := two.do(request{Op: "export", Client: c, Group: group, Label: "l", Context: []byte("c"), Length: 20}).Bytes
				if !bytes.Equal(got, want) {
					t.Fatalf("%s exports another secret", c)
				}
			}
			a, b := one.do(request{Op: "state", Client: "a", Group: group}).State, two.do(request{Op: "state", Client: clients[0], Group: group}).State
			if a.Epoch != b.Epoch || !bytes.Equal(a.Authenticator, b.Authenticator) || len(a.Members) != len(b.Members) {
				t.Fatalf("states differ: %+v, %+v", a, b)
			}
		}
		one.do(request{Op: "create", Client: "a", Group: group})
		one.do(request{Op: "psk", Client: "a", Data: []byte("id"), Key: []byte("key")})
		two.do(request{Op: "psk", Client: "b", Data: []byte("id"), Key: []byte("key")})
		kp := two.do(request{Op: "keyPackage", Client: "b"}).KeyPackage
		added := one.do(request{Op: "add", Client: "a", Group: group, KeyPackages: []hexBytes{kp}, PSKs: []hexBytes{[]byte("id")}, Path: true})
		two.do(request{Op: "join", Client: "b", Welcome: added.Welcome})
		same("b")
		held := one.do(request{Op: "update", Client: "a", Group: group, Hold: true})
		two.do(request{Op: "process", Client: "b", Group: group, Message: held.Commit})
		one.do(request{Op: "accept", Client: "a", Group: group})
		same("b")
		said := one.do(request{Op: "send", Client: "a", Group: group, Data: []byte("hi"), AAD: []byte("x"), Padding: 5})
		if got := two.do(request{Op: "process", Client: "b", Group: group, Message: said.Message}); got.Kind != "application" || string(got.Data) != "hi" {
			t.Errorf("heard %+v", got)
		}
		info := one.do(request{Op: "groupInfo", Client: "a", Group: group}).GroupInfo
		joined := two.do(request{Op: "externalJoin", Client: "c", GroupInfo: info})
		one.do(request{Op: "process", Client: "a", Group: group, Message: joined.Commit})
		two.do(request{Op: "process", Client: "b", Group: group, Message: joined.Commit})
		same("b", "c")
		proposed := two.do(request{Op: "update", Client: "b", Group: group, Propose: true, Private: true})
		one.do(request{Op: "process", Client: "a", Group: group, Message: proposed.Proposals[0]})
		two.do(request{Op: "process", Client: "c", Group: group, Message: proposed.Proposals[0]})
		at := joined.State.Own
		removed := one.do(request{Op: "remove", Client: "a", Group: group, Members: append(request{}.Members, at)})
		two.do(request{Op: "process", Client: "b", Group: group, Message: removed.Commit})
		if got := two.do(request{Op: "process", Client: "c", Group: group, Message: removed.Commit}); !got.Change.SelfRemoved {
			t.Errorf("change %+v", got.Change)
		}
		same("b")
	}
}

func TestBadRequests(t *testing.T) {
	var out bytes.Buffer
	in := strings.Join([]string{
		"nonsense", `{"op":"fly"}`, `{"op":"create","client":"nobody"}`, `{"op":"client","suite":4}`,
		`{"op":"client","client":"a","suite":1}`, `{"op":"send","client":"a","group":"00"}`, `{"op":"join","client":"a","welcome":"zz"}`,
		`{"op":"process","client":"a","group":"00","message":"00"}`, `{"op":"accept","client":"a","id":[7]}`,
	}, "\n")
	if err := serve(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&out)
	for i := range 9 {
		var resp response
		if err := dec.Decode(&resp); err != nil {
			t.Fatal(err)
		}
		if resp.OK != (i == 4) || resp.OK != (resp.Error == "") {
			t.Errorf("request %d: %+v", i, resp)
		}
		if i == 8 && string(resp.ID) != "[7]" {
			t.Errorf("id comes back as %s", resp.ID)
		}
	}
}
