package orglog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"

	"causa/internal/fault"
)

const (
	linkScheme    = "causa"
	labelInvite   = "causa orglog 1 invite"
	linkCheckSize = 4       // bytes of checksum behind the key
	maxLink       = 4 << 10 // bytes of pasted text that ParseInvite looks at
	maxHub        = 1 << 10 // bytes of a hub's address
)

// Why ParseInvite refuses a link.
var (
	ErrNotALink    = errors.New("not a causa link")
	ErrLinkKind    = errors.New("causa link of an unknown kind")
	ErrLinkCut     = errors.New("part of the link is missing")
	ErrLinkDamaged = errors.New("link does not match its checksum or layout")
)

// An Invite is what a link hands to a new device. Whoever has the link can use it, so
// an Invite can't be printed or marshalled; only [Invite.Link] writes it out.
type Invite struct {
	Hub string             // https or wss URL without a path, or host:port
	Pin [32]byte           // SHA-256 of the hub's TLS public key (SubjectPublicKeyInfo)
	Org Hash               // the organisation's id; zero in a founding link
	Key ed25519.PrivateKey // the invite's one-time key, or the founding key
}

// Founding reports whether the invite lets its holder found the organisation of a new hub.
func (i Invite) Founding() bool { return i.Org.IsZero() }

// Public returns the public half of the invite's key, by which the log and the hub know it.
func (i Invite) Public() ed25519.PublicKey { return publicOf(i.Key) }

// Format implements fmt.Formatter; it writes nothing that is secret.
func (i Invite) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "Invite(hidden)") }

// MarshalText refuses: a link must not get into files or logs by accident.
func (i Invite) MarshalText() ([]byte, error) {
	return nil, errors.New("an invite can't be marshalled")
}

// Link returns the link, causa://join?… or causa://found?…. It ends in a checksum over
// all of it, so that ParseInvite notices every slip.
func (i Invite) Link() string {
	seed := i.Key.Seed()
	sum := i.checksum(seed)
	kind, org := "found", ""
	if !i.Founding() {
		kind, org = "join", "&org="+b64(i.Org[:])
	}
	return linkScheme + "://" + kind + "?hub=" + url.QueryEscape(i.Hub) + "&pin=" + b64(i.Pin[:]) + org +
		"&key=" + b64(append(seed, sum...))
}

func (i Invite) checksum(seed []byte) []byte {
	w := writer{new(cryptobyte.Builder)}
	w.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(labelInvite)) })
	w.text(i.Hub)
	w.AddBytes(i.Pin[:])
	w.AddBytes(i.Org[:])
	w.AddBytes(seed)
	sum := sha256.Sum256(w.BytesOrPanic()) // the hub's address is at most maxHub bytes long
	return sum[:linkCheckSize]
}

// ParseInvite reads a link as people paste it: white space, line breaks and quotation
// marks that a mail program put around or into it do no harm. The error is a
// [*fault.Error] around one of the sentinels above; it never contains the link.
func ParseInvite(s string) (*Invite, error) {
	i, err := parseInvite(s)
	switch {
	case err == nil:
		return i, nil
	case errors.Is(err, ErrNotALink):
		return nil, &fault.Error{
			Text: "This is not a Causa link.",
			Hint: "It begins with causa://join or causa://found. Copy the whole link from the invitation.",
			Err:  err,
		}
	case errors.Is(err, ErrLinkKind):
		return nil, &fault.Error{
			Text: "This version of Causa does not know this kind of link.",
			Hint: "Update Causa, then try again.",
			Err:  err,
		}
	case errors.Is(err, ErrLinkCut):
		return nil, &fault.Error{
			Text: "The link is incomplete.",
			Hint: "Copy the whole link from the invitation, or scan its code.",
			Err:  err,
		}
	default:
		return nil, &fault.Error{
			Text: "The link is damaged: a character is wrong or missing.",
			Hint: "Copy the whole link from the invitation, or scan its code.",
			Err:  err,
		}
	}
}

func parseInvite(s string) (*Invite, error) {
	founding, query, err := splitLink(s)
	if err != nil {
		return nil, err
	}
	i := &Invite{Hub: query["hub"]}
	key := make([]byte, ed25519.SeedSize+linkCheckSize)
	if err := readPart(i.Pin[:], query["pin"]); err != nil {
		return nil, err
	}
	if err := readPart(key, query["key"]); err != nil {
		return nil, err
	}
	if !founding {
		if err := readPart(i.Org[:], query["org"]); err != nil {
			return nil, err
		}
	}
	if founding != (query["org"] == "") || founding != i.Founding() {
		return nil, ErrLinkDamaged
	}
	if err := CheckHub(i.Hub); err != nil {
		return nil, err
	}
	seed, check := key[:ed25519.SeedSize], key[ed25519.SeedSize:]
	if string(check) != string(i.checksum(seed)) {
		return nil, ErrLinkDamaged
	}
	i.Key = ed25519.NewKeyFromSeed(seed)
	return i, nil
}

// splitLink returns the parameters of a pasted link and whether it is a founding one.
// Parameters that a later version may add are let pass.
func splitLink(s string) (founding bool, query map[string]string, err error) {
	if len(s) > maxLink {
		return false, nil, ErrNotALink
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u200b' || r == '\u00ad' || r == '\ufeff' {
			return -1
		}
		return r
	}, s)
	s = strings.Trim(s, "<>()\"'“”‘’„«»「」《》")
	s = strings.ReplaceAll(s, "&amp;", "&")
	scheme, rest, found := strings.Cut(s, "://")
	if !found || !strings.EqualFold(scheme, linkScheme) {
		return false, nil, ErrNotALink
	}
	kind, parameters, found := strings.Cut(rest, "?")
	kind = strings.ToLower(strings.TrimSuffix(kind, "/"))
	switch {
	case !found && (strings.HasPrefix("join", kind) || strings.HasPrefix("found", kind)):
		return false, nil, ErrLinkCut
	case kind != "join" && kind != "found":
		return false, nil, ErrLinkKind
	}
	values, err := url.ParseQuery(parameters)
	if err != nil {
		return false, nil, ErrLinkDamaged // err would quote the link
	}
	query = map[string]string{}
	for name, v := range values {
		if len(v) > 1 {
			return false, nil, ErrLinkDamaged
		}
		query[name] = v[0]
	}
	return kind == "found", query, nil
}

// readPart fills dst from a base64url parameter.
func readPart(dst []byte, s string) error {
	want := base64.RawURLEncoding.EncodedLen(len(dst))
	if len(s) < want {
		return ErrLinkCut
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(dst) {
		return ErrLinkDamaged // err would quote the key
	}
	copy(dst, b)
	return nil
}

// CheckHub reports, as ErrLinkCut or ErrLinkDamaged, what is wrong with the address of
// a hub: host:port, or a URL that begins with https:// or wss:// and has no path.
func CheckHub(hub string) error {
	if hub == "" {
		return ErrLinkCut
	}
	if len(hub) > maxHub {
		return ErrLinkDamaged
	}
	host := hub
	if strings.Contains(hub, "://") {
		u, err := url.Parse(hub)
		if err != nil || u.Scheme != "https" && u.Scheme != "wss" || u.Hostname() == "" ||
			u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
			return ErrLinkDamaged
		}
		if u.Port() == "" {
			return nil
		}
		host = u.Host
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil || name == "" || strings.ContainsAny(name, "/@?# \t\r\n") {
		return ErrLinkDamaged
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return ErrLinkDamaged
	}
	return nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
