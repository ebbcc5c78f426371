// Command demo shows a company at work: a hub and four people, each a process of its
// own, talk in a matter over real WebSockets. It ends with a proof that the hub's files
// hold none of the words said.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"causa/e2e/rig"
)

// patience bounds every step of the demonstration.
const patience = 30 * time.Second

const (
	organisation = "恒达商贸 Hengda Trading"
	title        = "与 Hengda Foods 的年度供货合同"
)

// people in the order in which they come in; the first one founds the company.
var people = []struct{ key, name, role string }{
	{"zhou", "周敏", ""},
	{"lin", "林晓", "member"},
	{"sun", "孙倩", "member"},
	{"anna", "Anna Berg", "guest"},
}

// lines of the conversation, in order.
var lines = []struct{ who, text string }{
	{"zhou", "对方把账期从 45 天改成了 60 天，财务能接受吗？"},
	{"lin", "60 天可以，但要加上逾期违约金，按 LPR 的 1.5 倍。"},
	{"anna", "We can live with a penalty clause, but only from day 61 on."},
	{"sun", "法务意见：自第 61 天起计，上限为合同总额的 5%。"},
	{"anna", "Agreed. I will send the signed version on Friday."},
	{"lin", "好的，周五之前我会更新付款计划表。"},
}

// afterwards is said when Anna is out of the matter.
const afterwards = "Anna 已移出。内部备注：我们的底线其实是七十五天。"

func main() {
	signal.Ignore(syscall.SIGPIPE) // whoever closes the output early still gets the hub ended
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithTimeout(ctx, 10*time.Minute)
	err := run(ctx)
	end()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "causa-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &stage{dir: dir}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.programs, err = rig.Build(ctx, dir); err != nil {
		return err
	}

	fmt.Printf("A company in %s: one hub, four people, five processes.\n\n", dir)
	link, err := s.startHub(ctx)
	if err != nil {
		return err
	}
	if err := s.gather(ctx, link); err != nil {
		return err
	}
	id, err := s.ctl(ctx, "zhou", "matter", "open", title, "--class", "contract", "--due", "2026-11-28", "--with", "林晓,孙倩,Anna Berg")
	if err != nil {
		return err
	}
	fmt.Printf("\n周敏 opens a matter: %s (%.8s)\n\n", title, id)
	if err := s.converse(ctx, id); err != nil {
		return err
	}
	if err := s.part(ctx, id); err != nil {
		return err
	}
	if err := s.hub.Stop(); err != nil {
		return err
	}
	return s.prove()
}

// gather founds the company and brings everybody in.
func (s *stage) gather(ctx context.Context, link string) error {
	if _, err := s.ctl(ctx, "zhou", "join", link, "--name", "周敏", "--org", organisation, "--device", "laptop"); err != nil {
		return err
	}
	fmt.Printf("周敏 founds %s.\n", organisation)
	for _, p := range people[1:] {
		invite, err := s.ctl(ctx, "zhou", "invite", p.name, "--role", p.role)
		if err != nil {
			return err
		}
		if _, err := s.ctl(ctx, p.key, "join", invite, "--name", p.name, "--device", "phone"); err != nil {
			return err
		}
		fmt.Printf("周敏 invites %s (%s), who joins with %.42s…\n", p.name, p.role, invite)
	}
	return nil
}

// converse has all four talk at the same time, each line seen by everybody.
func (s *stage) converse(ctx context.Context, id string) error {
	var talkers []*talker
	for _, p := range people {
		t, err := s.talk(ctx, p.key, id)
		if err != nil {
			return err
		}
		talkers = append(talkers, t)
	}
	for _, l := range lines {
		began := time.Now()
		for i, p := range people {
			if p.key == l.who {
				if err := talkers[i].say(l.text); err != nil {
					return err
				}
			}
		}
		var seen message
		for i, t := range talkers {
			m, err := t.hear(ctx, l.text)
			if err != nil {
				return fmt.Errorf("%s does not see %q: %w", people[i].name, l.text, err)
			}
			if i > 0 && m.Seq != seen.Seq {
				return fmt.Errorf("%s sees %q at place %d, others at %d", people[i].name, l.text, m.Seq, seen.Seq)
			}
			seen = m
		}
		fmt.Printf("  %3d  %s  %s: %s   (on 4 of 4 devices after %d ms)\n",
			seen.Seq, seen.Time.Local().Format("15:04:05"), seen.Author, seen.Text, time.Since(began).Milliseconds())
	}
	for _, t := range talkers {
		if err := t.end(); err != nil {
			return err
		}
	}
	return nil
}

// part takes Anna out of the matter; what is said then she must not read.
func (s *stage) part(ctx context.Context, id string) error {
	if _, err := s.ctl(ctx, "zhou", "matter", "remove", id, "Anna Berg"); err != nil {
		return err
	}
	if _, err := s.ctl(ctx, "zhou", "send", id, afterwards); err != nil {
		return err
	}
	lin, err := s.ctl(ctx, "lin", "log", id)
	if err != nil {
		return err
	}
	anna, err := s.ctl(ctx, "anna", "log", id)
	if err != nil {
		return err
	}
	if !strings.Contains(lin, afterwards) {
		return errors.New("林晓 does not see what was said after Anna had gone")
	}
	if strings.Contains(anna, afterwards) {
		return errors.New("anna reads what was said after she had gone")
	}
	fmt.Printf("\n周敏 takes Anna out and says something internal: 林晓 reads it, Anna Berg does not.\n")
	return nil
}

// prove looks for everything that was said in every file of the hub.
func (s *stage) prove() error {
	secrets := []string{title, "Hengda Foods", afterwards}
	for _, l := range lines {
		secrets = append(secrets, l.text)
		for _, part := range strings.FieldsFunc(l.text, func(r rune) bool { return strings.ContainsRune(" ，。：？,.", r) }) {
			if len(part) >= 9 { // three Chinese characters or a long word
				secrets = append(secrets, part)
			}
		}
	}
	files, size := 0, 0
	err := filepath.WalkDir(s.hubDir(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, size = files+1, size+len(b)
		for _, secret := range secrets {
			if strings.Contains(string(b), secret) {
				return fmt.Errorf("%s contains %q", filepath.Base(path), secret)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if files == 0 {
		return errors.New("the hub has no files")
	}
	fmt.Printf("\nProof: the hub's %d files (%d bytes) contain none of the %d sentences and words said.\n", files, size, len(secrets))
	return nil
}
