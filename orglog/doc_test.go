package orglog

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// docs/protocol.md is what other clients are written from: its table of statements, its
// labels and its example must be those of the code.
func TestProtocolPage(t *testing.T) {
	b, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)

	documented := map[Type]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| ([A-Z][A-Za-z]+) \| .(?:opaque|uint64)`).FindAllStringSubmatch(page, -1) {
		n, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		documented[Type(n)] = row[2]
	}
	for _, st := range statements() {
		if _, ok := st.(Unknown); ok {
			continue
		}
		if want := strings.TrimPrefix(fmt.Sprintf("%T", st), "orglog."); documented[st.Type()] != want {
			t.Errorf("type %d is called %q in the page, want %s", st.Type(), documented[st.Type()], want)
		}
		delete(documented, st.Type())
	}
	if len(documented) > 0 {
		t.Errorf("the page has statements that the code has not: %v", documented)
	}

	for _, label := range []string{labelEntry, labelEnrolment, labelInvite} {
		if !strings.Contains(page, fmt.Sprintf("opaque label<0..255> = %q;", label)) {
			t.Errorf("the page lacks the label %q", label)
		}
	}
	for _, label := range []string{labelEntry, labelEnrolment} {
		if !strings.Contains(page, fmt.Sprintf("| `%02x` then `%s` |", len(label), label)) {
			t.Errorf("the page lacks the first bytes of %q", label)
		}
	}

	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	example := Invite{
		Hub: "hub.example.com:7443", Key: ed25519.NewKeyFromSeed(seed),
		Pin: [32]byte(bytes.Repeat([]byte{0x11}, 32)), Org: Hash(bytes.Repeat([]byte{0x22}, 32)),
	}
	if !strings.Contains(page, "\n"+example.Link()+"\n") {
		t.Errorf("the page lacks its example link %s", example.Link())
	}
}
