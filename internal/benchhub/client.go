//go:build linux && cgo

package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"causa/hub/hubtest"
	"causa/wire"
	"causa/wire/pb"
)

// A client is one device's connection. It speaks TLS, WebSocket and the protocol, but
// masks with zeros and unfolds no more than it needs: the loader shares the processor with
// the hub it measures. It is for use by one goroutine that reads and one that writes.
type client struct {
	conn   net.Conn
	in     *bufio.Reader
	out    []byte
	frame  []byte
	last   uint64 // request number
	device *hubtest.Device
}

const timeout = 60 * time.Second

// connect opens a connection and signs a device in.
func connect(addr string, d *hubtest.Device, buffer int) (*client, *pb.Ready, error) {
	c := &client{device: d}
	var pin [32]byte
	dialed, err := dial(addr)
	if err != nil {
		return nil, nil, err
	}
	conn := tls.Client(dialed, &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // the hub is this machine's own; its pin goes into the sign-in
	})
	if err := conn.Handshake(); err != nil { //nolint:noctx // the connection has a deadline
		_ = conn.Close() // the first error counts
		return nil, nil, err
	}
	pin = wire.PinOf(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	c.conn, c.in = conn, bufio.NewReaderSize(conn, buffer)
	ready, err := c.begin(pin)
	if err != nil {
		_ = conn.Close() // the first error counts
		return nil, nil, err
	}
	return c, ready, nil
}

// dial connects; whatever is said first has a deadline.
func dial(addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(timeout))
}

func (c *client) begin(pin [32]byte) (*pb.Ready, error) {
	key := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef"))
	if _, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\nSec-WebSocket-Key: %s\r\n\r\n", wire.Path, wire.Subprotocol, key); err != nil {
		return nil, err
	}
	line, err := c.in.ReadString('\n')
	if err == nil && !strings.Contains(line, " 101 ") {
		err = fmt.Errorf("upgrade refused: %q", line)
	}
	for err == nil && line != "\r\n" {
		line, err = c.in.ReadString('\n')
	}
	if err != nil {
		return nil, err
	}
	b, err := c.read()
	if err != nil {
		return nil, err
	}
	f, err := wire.DecodeHub(b)
	if err != nil || f.GetChallenge() == nil {
		return nil, fmt.Errorf("no challenge: %w", err)
	}
	in := &pb.SignIn{Version: wire.Version, Who: &pb.SignIn_Device{Device: c.device.ID[:]}}
	in.Signature = ed25519.Sign(c.device.Key, wire.SignInBytes([32]byte(f.GetChallenge().GetNonce()), pin, wire.DeviceSignIn(c.device.ID)))
	answer, err := c.call(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: in}})
	if err != nil {
		return nil, err
	}
	return answer.GetReady(), c.conn.SetDeadline(time.Time{})
}

// call asks and waits for the answer; pushes that come before it are dropped.
func (c *client) call(f *pb.ClientFrame) (*pb.HubFrame, error) {
	c.last++
	f.Request = c.last
	b, err := wire.EncodeClient(f)
	if err != nil {
		return nil, err
	}
	if err := c.write(b); err != nil {
		return nil, err
	}
	for {
		b, err := c.read()
		if err != nil {
			return nil, err
		}
		answer, err := wire.DecodeHub(b)
		if err != nil {
			return nil, err
		}
		if answer.GetRequest() != c.last {
			continue
		}
		if code := answer.GetFailure().GetCode(); code != 0 {
			return nil, fmt.Errorf("refused with code %d", code)
		}
		return answer, nil
	}
}

// write sends one binary message.
func (c *client) write(payload []byte) error {
	b := append(c.out[:0], 0x82)
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, 0, 0, 0, 0)
	c.out = append(b, payload...)
	_, err := c.conn.Write(c.out)
	if cap(c.out) > 64<<10 {
		c.out = nil
	}
	return err
}

// read returns the next message, which is valid until the next call. Pings are passed
// over: runs are shorter than what the hub takes for silence.
func (c *client) read() ([]byte, error) {
	for {
		h, err := c.in.Peek(2)
		if err != nil {
			return nil, err
		}
		op, n := h[0]&0x0f, uint64(h[1]&0x7f)
		size := 2
		switch n {
		case 126:
			if h, err = c.in.Peek(4); err != nil {
				return nil, err
			}
			n, size = uint64(binary.BigEndian.Uint16(h[2:])), 4
		case 127:
			if h, err = c.in.Peek(10); err != nil {
				return nil, err
			}
			n, size = binary.BigEndian.Uint64(h[2:]), 10
		}
		if _, err := c.in.Discard(size); err != nil {
			return nil, err
		}
		if n > wire.MaxFrame {
			return nil, errors.New("frame over its limit")
		}
		if uint64(cap(c.frame)) < n {
			c.frame = make([]byte, n)
		}
		b := c.frame[:n]
		if _, err := io.ReadFull(c.in, b); err != nil {
			return nil, err
		}
		switch op {
		case 0, 2:
			return b, nil
		case 8:
			return nil, io.EOF
		}
	}
}

func (c *client) close() { _ = c.conn.Close() } // it may be over already
