//go:build linux && cgo

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ejabberd is loaded over its own protocol, and measured in the same way: a message
// carries its sender and when it was sent, and readers look for that mark in the stream
// without parsing it. There is no TLS between the two, which is to its advantage.
const markSize = 2 + 16 + 4 + 1 // ~T, time, sender, ~

// compare loads ejabberd as the hub was loaded, and prints ratios.
func (b *bench) compare(engines []string) error {
	const devices = 200
	for _, s := range b.shapes() {
		r, err := xmppLoad(b.xmpp, devices, s, func() []int { return []int{b.xmppPID, b.pgPID} })
		if err != nil {
			return fmt.Errorf("ejabberd, group of %d: %w", s.group, err)
		}
		fmt.Printf("%-9s group %3d  %v\n", "ejabberd", s.group, r)
		for _, e := range engines {
			if ours := b.perCPU[e][s.group]; ours > 0 {
				fmt.Printf("%-9s group %3d  %.1f times ejabberd's messages for a second of processor time\n", e, s.group, ours/r.perCPU())
			}
		}
	}
	return nil
}

// xmppLoad runs one shape: rooms with an archive, or for two devices, chats.
func xmppLoad(addr string, devices int, s shape, pids pids) (*result, error) {
	x := &xmpp{addr: addr, chats: s.group == 2, run: strconv.FormatInt(time.Now().UnixNano(), 36)}
	groups := devices / s.group
	r := &result{}
	var on, over atomic.Bool
	all := make([]net.Conn, devices)
	slots := make([]chan struct{}, devices)
	var wg sync.WaitGroup
	defer func() {
		over.Store(true)
		for _, c := range all {
			if c != nil {
				_ = c.Close() // it may be over already
			}
		}
		wg.Wait()
	}()
	for i := range all {
		c, err := x.open(i, i%groups, i < groups)
		if err != nil {
			return nil, fmt.Errorf("user %d: %w", i, err)
		}
		all[i], slots[i] = c, make(chan struct{}, s.window)
	}
	for i, c := range all {
		wg.Go(func() { x.listen(r, i, c, slots, &on) })
	}
	stop := make(chan struct{})
	body := make([]byte, payloadSize)
	_, _ = rand.Read(body) // never fails
	text := base64.StdEncoding.EncodeToString(body)
	for i := range s.senders {
		wg.Go(func() {
			for n := 1; ; n++ {
				select {
				case slots[i] <- struct{}{}:
				case <-stop:
					return
				}
				mark := fmt.Sprintf("~T%016x%04x~", int64(time.Since(began)), i)
				if _, err := all[i].Write(x.message(i, groups, devices, n, mark+text)); err != nil {
					return
				}
			}
		})
	}
	measure(r, &on, s, pids)
	close(stop)
	if r.acked == 0 {
		return nil, errors.New("no message came back")
	}
	return r, nil
}

type xmpp struct {
	addr  string
	chats bool
	run   string // part of names, so that runs do not meet
}

const streamOpen = `<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`

// open registers a user, signs it in and lets it enter its room.
func (x *xmpp) open(i, group int, first bool) (_ net.Conn, err error) {
	user := fmt.Sprintf("u%d-%s", i, x.run)
	c, err := dial(x.addr)
	if err != nil {
		return nil, err
	}
	say := func(text string, want ...string) {
		if err == nil {
			err = converse(c, text, want...)
		}
	}
	say(streamOpen, "</stream:features>")
	say(`<iq type='set' id='r1'><query xmlns='jabber:iq:register'><username>`+user+`</username><password>p</password></query></iq>`, "r1")
	say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>`+base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00p"))+`</auth>`, "<success")
	say(streamOpen, "</stream:features>")
	say(`<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>`, "</jid>")
	say(`<presence/>`, "<presence")
	if !x.chats {
		say(fmt.Sprintf(`<presence to='room%d-%s@conference.localhost/%s'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`,
			group, x.run, user), "code='110'", `code="110"`)
		if first {
			say(fmt.Sprintf(`<iq type='set' to='room%d-%s@conference.localhost' id='c1'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`,
				group, x.run), "c1")
		}
	}
	if err != nil {
		_ = c.Close() // the first error counts
		return nil, err
	}
	return c, nil
}

// message is one message of user i to its room, or to its partner.
func (x *xmpp) message(i, groups, devices, n int, body string) []byte {
	if !x.chats {
		return fmt.Appendf(nil, `<message to='room%d-%s@conference.localhost' type='groupchat' id='m%d'><body>%s</body></message>`, i%groups, x.run, n, body)
	}
	partner := i + groups
	if partner >= devices {
		partner = i - groups
	}
	return fmt.Appendf(nil, `<message to='u%d-%s@localhost/r' type='chat' id='m%d'><body>%s</body></message>`, partner, x.run, n, body)
}

// listen looks for marks. In a room a message is taken when its sender sees it again, in
// a chat when the partner has it.
func (x *xmpp) listen(r *result, i int, c net.Conn, slots []chan struct{}, on *atomic.Bool) {
	buf := make([]byte, 64<<10)
	have, seen := 0, 0
	for {
		n, err := c.Read(buf[have:])
		if err != nil {
			return
		}
		b, now := buf[:have+n], time.Since(began)
		for {
			at := bytes.Index(b, []byte("~T"))
			if at < 0 {
				b = b[max(0, len(b)-1):]
				break
			}
			if b = b[at:]; len(b) < markSize {
				break
			}
			sent, sentErr := strconv.ParseInt(string(b[2:18]), 16, 64)
			by, byErr := strconv.ParseUint(string(b[18:22]), 16, 16)
			b = b[markSize:]
			if sentErr != nil || byErr != nil || int(by) >= len(slots) {
				continue
			}
			mine := int(by) == i
			if mine || x.chats {
				if on.Load() {
					atomic.AddInt64(&r.acked, 1)
					r.ack.add(now - time.Duration(sent))
				}
				select {
				case <-slots[by]:
				default:
				}
			}
			if on.Load() && !mine {
				atomic.AddInt64(&r.delivered, 1)
				if seen++; seen%16 == 0 {
					r.delivery.add(now - time.Duration(sent))
				}
			}
		}
		have = copy(buf, b)
	}
}

// converse says something and reads until one of the wanted texts has come.
func converse(c net.Conn, text string, want ...string) error {
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := c.Write([]byte(text)); err != nil {
		return err
	}
	var got []byte
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		got = append(got, b[:n]...)
		for _, w := range want {
			if strings.Contains(string(got), w) {
				return c.SetDeadline(time.Time{})
			}
		}
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", want, err)
		}
	}
}
