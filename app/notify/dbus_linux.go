//go:build linux && !android

package notify

import (
	"context"
	"errors"
	"html"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// The desktop's notification server (Desktop Notifications Specification).
const (
	busName   = "org.freedesktop.Notifications"
	busPath   = "/org/freedesktop/Notifications"
	busWait   = 5 * time.Second
	busUrgent = byte(2)
	busNormal = byte(1)
)

// A bus shows notifications over D-Bus, which takes text as data.
type bus struct {
	conn    *dbus.Conn
	server  dbus.BusObject
	markup  bool // the body is markup
	signals chan *dbus.Signal
	done    chan struct{}

	mu  sync.Mutex // a leaf; guards what follows
	ids map[string]uint32
}

func openSurface(clicked func(key string)) (surface, error) {
	return openBus(clicked, dbus.ConnectSessionBus)
}

func openBus(clicked func(key string), connect func(...dbus.ConnOption) (*dbus.Conn, error)) (surface, error) {
	conn, err := connect()
	if err != nil {
		return nil, err
	}
	b := &bus{
		conn: conn, server: conn.Object(busName, busPath), signals: make(chan *dbus.Signal, 16), done: make(chan struct{}), ids: map[string]uint32{},
	}
	ctx, stop := context.WithTimeout(context.Background(), busWait)
	defer stop()
	var can []string
	err = b.server.CallWithContext(ctx, busName+".GetCapabilities", 0).Store(&can)
	if err == nil {
		err = conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(busName), dbus.WithMatchObjectPath(busPath))
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	for _, c := range can {
		b.markup = b.markup || c == "body-markup"
	}
	conn.Signal(b.signals)
	go b.listen(clicked)
	return b, nil
}

func (b *bus) show(key string, n Notification) error {
	b.mu.Lock()
	replaces := b.ids[key]
	b.mu.Unlock()
	urgency := busNormal
	if n.Urgent {
		urgency = busUrgent
	}
	body := Line(n.Body, maxBody)
	if b.markup {
		body = html.EscapeString(body)
	}
	hints := map[string]dbus.Variant{
		"urgency": dbus.MakeVariant(urgency), "category": dbus.MakeVariant("im.received"), "desktop-entry": dbus.MakeVariant("im.causa.Causa"),
	}
	ctx, stop := context.WithTimeout(context.Background(), busWait)
	defer stop()
	var id uint32
	err := b.server.CallWithContext(ctx, busName+".Notify", 0,
		"Causa", replaces, "", Line(n.Title, maxTitle), body, []string{"default", "Causa"}, hints, int32(-1)).Store(&id)
	if err == nil {
		b.mu.Lock()
		b.ids[key] = id
		b.mu.Unlock()
	}
	return err
}

func (b *bus) remove(key string) error {
	b.mu.Lock()
	id, ok := b.ids[key]
	delete(b.ids, key)
	b.mu.Unlock()
	if !ok {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), busWait)
	defer stop()
	return b.server.CallWithContext(ctx, busName+".CloseNotification", 0, id).Err
}

// listen hears what people do with notifications.
func (b *bus) listen(clicked func(key string)) {
	defer close(b.done)
	for s := range b.signals {
		if len(s.Body) == 0 {
			continue
		}
		id, ok := s.Body[0].(uint32)
		if !ok {
			continue
		}
		key := b.key(id)
		switch {
		case key == "":
		case s.Name == busName+".ActionInvoked":
			clicked(key)
		case s.Name == busName+".NotificationClosed":
			b.mu.Lock()
			delete(b.ids, key)
			b.mu.Unlock()
		}
	}
}

// key returns what a notification of the server is about, "" when it is not ours.
func (b *bus) key(id uint32) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, own := range b.ids {
		if own == id {
			return key
		}
	}
	return ""
}

func (b *bus) close() error {
	err := b.conn.Close() // closes signals, too
	<-b.done
	return err
}
