package matter

import (
	"encoding/hex"
	"strings"
)

// A mention of a member in a text is <@ID> with the member's id in hex: whatever the
// member is called, and whatever the text says beside it, the right one is meant.
const mentionSize = len("<@>") + 2*len(MemberID{})

// Mention is how a text names a member.
func Mention(id MemberID) string { return "<@" + id.String() + ">" }

// MapMentions returns text with every mention replaced by what f makes of it.
func MapMentions(text string, f func(MemberID) string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, "<@")
		if i < 0 {
			break
		}
		id, ok := mentionAt(text[i:])
		if !ok {
			b.WriteString(text[:i+2])
			text = text[i+2:]
			continue
		}
		b.WriteString(text[:i])
		b.WriteString(f(id))
		text = text[i+mentionSize:]
	}
	b.WriteString(text)
	return b.String()
}

// Mentions reports whether a text names a member.
func Mentions(text string, id MemberID) bool { return strings.Contains(text, Mention(id)) }

// mentionAt reads the mention that s begins with.
func mentionAt(s string) (id MemberID, ok bool) {
	if len(s) < mentionSize || s[mentionSize-1] != '>' {
		return id, false
	}
	digits := s[2 : mentionSize-1]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil || digits != strings.ToLower(digits) {
		return MemberID{}, false
	}
	return id, true
}
