package core

import (
	"strings"

	"causa/matter"
	"causa/store"
	"causa/wire"
)

// address makes mentions of the participants whom a text names after an @, as people
// type them; of several names that fit, the longest is meant. A name that two of them
// have means nobody.
func (c *Client) address(tx *store.Tx, id matter.ID, text string) (string, error) {
	if !strings.Contains(text, "@") {
		return text, nil
	}
	in, err := tx.Participants(id)
	if err != nil {
		return "", err
	}
	names := map[string]matter.MemberID{}
	for _, p := range in {
		m, ok := c.Member(p)
		if !ok || m.Name == "" {
			continue
		}
		if _, twice := names[m.Name]; twice {
			p = matter.MemberID{}
		}
		names[m.Name] = p
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '@')
		if i < 0 {
			break
		}
		best := ""
		if i == 0 || text[i-1] != '<' { // else it is a mention already
			for n := range names {
				if len(n) > len(best) && strings.HasPrefix(text[i+1:], n) {
					best = n
				}
			}
		}
		if who := names[best]; best == "" || who.IsZero() {
			b.WriteString(text[:i+1])
			text = text[i+1:]
		} else {
			b.WriteString(text[:i] + matter.Mention(who))
			text = text[i+1+len(best):]
		}
	}
	b.WriteString(text)
	if b.Len() > wire.MaxText {
		return cleanText(b.String()) // its error has the words
	}
	return b.String(), nil
}

func (c *Client) addressed(tx *store.Tx, id matter.ID, text string) ([]byte, error) {
	text, err := c.address(tx, id, text)
	return []byte(text), err
}
