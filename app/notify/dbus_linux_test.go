//go:build linux && !android

package notify

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A desk is a desktop's notification server, on a bus of its own.
type desk struct {
	conn   *dbus.Conn
	calls  chan call
	closed chan uint32
	next   uint32
}

type call struct {
	replaces    uint32
	title, body string
	actions     []string
	urgency     byte
}

func (d *desk) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"body", "body-markup", "actions"}, nil
}

func (d *desk) Notify(_ string, replaces uint32, _, title, body string, actions []string, hints map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	urgency, _ := hints["urgency"].Value().(byte)
	d.calls <- call{replaces, title, body, actions, urgency}
	if replaces == 0 {
		d.next++
		replaces = d.next
	}
	return replaces, nil
}

func (d *desk) CloseNotification(id uint32) *dbus.Error {
	d.closed <- id
	return nil
}

// startBus starts a private bus and returns its address.
func startBus(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	cmd := exec.CommandContext(ctx, "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", "--address=unix:dir="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start dbus-daemon: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it knows no other end
		_ = cmd.Wait()         // the signal's own status
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// The desktop gets text as text, one notification for each key, and tells of clicks.
func TestBus(t *testing.T) {
	address := startBus(t)
	connect := func(o ...dbus.ConnOption) (*dbus.Conn, error) { return dbus.Connect(address, o...) }
	if on, err := openBus(func(string) {}, connect); err == nil {
		t.Error("a bus without a notification server was taken for one")
		_ = on.close()
	}
	conn, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	d := &desk{conn: conn, calls: make(chan call, 10), closed: make(chan uint32, 10)}
	if err := conn.Export(d, busPath, busName); err != nil {
		t.Fatal(err)
	}
	if r, err := conn.RequestName(busName, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("RequestName = %v, %v", r, err)
	}
	clicks := make(chan string, 10)
	on, err := openBus(func(key string) { clicks <- key }, connect)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := on.close(); err != nil {
			t.Error(err)
		}
	}()
	show := func(key string, n Notification) call {
		t.Helper()
		if err := on.show(key, n); err != nil {
			t.Fatal(err)
		}
		return <-d.calls
	}
	c := show("a", Notification{Title: "<b>T\nitle</b>\u202e", Body: `<a href="x">$(calc)</a> & "you"`, Urgent: true})
	if c.title != "<b>T itle</b>" || c.body != "&lt;a href=&#34;x&#34;&gt;$(calc)&lt;/a&gt; &amp; &#34;you&#34;" || c.replaces != 0 || c.urgency != busUrgent {
		t.Errorf("the server got %+v", c)
	}
	if c := show("b", Notification{Title: "B", Body: "b"}); c.replaces != 0 || c.urgency != busNormal || len(c.actions) != 2 || c.actions[0] != "default" {
		t.Errorf("the server got %+v", c)
	}
	if c := show("a", Notification{Title: "A", Body: "again"}); c.replaces != 1 {
		t.Errorf("the second one replaces %d, want 1", c.replaces)
	}
	for _, attack := range attacks {
		c := show("c", Notification{Title: attack.in, Body: attack.in})
		if strings.ContainsAny(c.title+c.body, "\n\r\x00\x1b\u202e") || strings.ContainsAny(c.body, "<>\"") {
			t.Errorf("of %q the server got %q and %q", attack.in, c.title, c.body)
		}
	}
	if err := conn.Emit(busPath, busName+".ActionInvoked", uint32(77), "default"); err != nil { // somebody else's
		t.Fatal(err)
	}
	if err := conn.Emit(busPath, busName+".ActionInvoked", uint32(2), "default"); err != nil {
		t.Fatal(err)
	}
	select {
	case key := <-clicks:
		if key != "b" {
			t.Errorf("clicked %q, want b", key)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a click was not heard")
	}
	if err := on.remove("b"); err != nil {
		t.Fatal(err)
	}
	if id := <-d.closed; id != 2 {
		t.Errorf("closed %d, want 2", id)
	}
	if err := on.remove("b"); err != nil {
		t.Fatal(err)
	}
	if c := show("b", Notification{Title: "B", Body: fmt.Sprint(strings.Repeat("x", 500))}); c.replaces != 0 || len([]rune(c.body)) > maxBody {
		t.Errorf("the server got %+v", c)
	}
}
