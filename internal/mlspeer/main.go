// Command mlspeer drives package mls by JSON lines on standard input and output, so that
// other implementations of RFC 9420 can be run against it. Its README gives the fields.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"causa/crypto/mls"
)

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mlspeer:", err)
		os.Exit(1)
	}
}

// maxLine is the longest request: a Welcome to a large group in hex.
const maxLine = 64 << 20

// serve answers requests, one a line, until the input ends.
func serve(in io.Reader, out io.Writer) error {
	p := &peer{clients: make(map[string]*client)}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	enc := json.NewEncoder(out)
	for lines.Scan() {
		var req request
		var resp response
		if err := json.Unmarshal(lines.Bytes(), &req); err != nil {
			resp.Error = "request: " + err.Error()
		} else {
			resp = p.answer(&req)
		}
		if err := enc.Encode(resp); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	return nil
}

// hexBytes is a string in hex.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexBytes) UnmarshalText(b []byte) error {
	v, err := hex.AppendDecode([]byte{}, b)
	if err != nil {
		return fmt.Errorf("bytes in hex: %w", err)
	}
	*h = v
	return nil
}

type request struct {
	Op     string          `json:"op"`
	ID     json.RawMessage `json:"id,omitempty"` // echoed
	Client string          `json:"client,omitempty"`
	Group  hexBytes        `json:"group,omitempty"`

	Suite       uint16          `json:"suite,omitempty"`
	Identity    hexBytes        `json:"identity,omitempty"`
	LastResort  bool            `json:"lastResort,omitempty"`
	KeyPackages []hexBytes      `json:"keyPackages,omitempty"`
	Members     []mls.LeafIndex `json:"members,omitempty"`
	PSKs        []hexBytes      `json:"psks,omitempty"`
	Path        bool            `json:"path,omitempty"`
	Private     bool            `json:"private,omitempty"`
	Hold        bool            `json:"hold,omitempty"`
	Propose     bool            `json:"propose,omitempty"`
	Welcome     hexBytes        `json:"welcome,omitempty"`
	GroupInfo   hexBytes        `json:"groupInfo,omitempty"`
	Tree        hexBytes        `json:"tree,omitempty"`
	Resync      bool            `json:"resync,omitempty"`
	Message     hexBytes        `json:"message,omitempty"`
	Data        hexBytes        `json:"data,omitempty"`
	AAD         hexBytes        `json:"aad,omitempty"`
	Padding     int             `json:"padding,omitempty"`
	Label       string          `json:"label,omitempty"`
	Context     hexBytes        `json:"context,omitempty"`
	Length      int             `json:"length,omitempty"`
	Key         hexBytes        `json:"key,omitempty"`
}

type member struct {
	Index        mls.LeafIndex `json:"index"`
	Identity     hexBytes      `json:"identity"`
	SignatureKey hexBytes      `json:"signatureKey"`
}

type response struct {
	OK    bool            `json:"ok"`
	ID    json.RawMessage `json:"id,omitempty"`
	Error string          `json:"error,omitempty"`

	Name   string       `json:"name,omitempty"`
	Suites []mls.Suite  `json:"suites,omitempty"`
	Ops    []string     `json:"ops,omitempty"`
	Bytes  hexBytes     `json:"bytes,omitempty"` // what export gives
	State  *groupState  `json:"state,omitempty"`
	Change *groupChange `json:"change,omitempty"`

	SignatureKey hexBytes   `json:"signatureKey,omitempty"`
	KeyPackage   hexBytes   `json:"keyPackage,omitempty"`
	Ref          hexBytes   `json:"ref,omitempty"`
	Commit       hexBytes   `json:"commit,omitempty"`
	Proposals    []hexBytes `json:"proposals,omitempty"`
	Welcome      hexBytes   `json:"welcome,omitempty"`
	GroupInfo    hexBytes   `json:"groupInfo,omitempty"`
	Tree         hexBytes   `json:"tree,omitempty"`
	Message      hexBytes   `json:"message,omitempty"`

	Kind   string         `json:"kind,omitempty"` // of a processed message
	Sender *mls.LeafIndex `json:"sender,omitempty"`
	Data   hexBytes       `json:"data,omitempty"`
	AAD    hexBytes       `json:"aad,omitempty"`
}

type groupState struct {
	Group         hexBytes      `json:"group"`
	Suite         mls.Suite     `json:"suite"`
	Epoch         uint64        `json:"epoch"`
	Own           mls.LeafIndex `json:"own"`
	Authenticator hexBytes      `json:"epochAuthenticator"`
	Members       []member      `json:"members"`
	Proposals     int           `json:"proposals"`
}

type groupChange struct {
	Committer   mls.LeafIndex `json:"committer"`
	External    bool          `json:"external,omitempty"`
	Added       []member      `json:"added,omitempty"`
	Removed     []member      `json:"removed,omitempty"`
	Updated     []member      `json:"updated,omitempty"`
	SelfRemoved bool          `json:"selfRemoved,omitempty"`
}

func members(in []mls.Leaf) []member {
	out := make([]member, len(in))
	for i, l := range in {
		out[i] = member{Index: l.Index, Identity: l.Identity, SignatureKey: l.SignatureKey}
	}
	return out
}

var errNoClient = errors.New("no such client; make it with op client")
