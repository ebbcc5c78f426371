// Package welcome is what one sees before there is an account: make a workspace, or
// join one.
package welcome

import (
	"context"
	"strings"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/internal/words"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// A Host makes a hub on this computer.
type Host interface {
	// Suggest returns the address under which colleagues can probably reach this
	// computer, as host:port.
	Suggest() string
	// Start starts the hub and returns the link with which its founder joins. It may
	// be called again after a failure.
	Start(ctx context.Context, address string) (link string, err error)
}

// Options say what a welcome needs.
type Options struct {
	Host   Host // nil: this program can't be a hub
	Device string
	Link   string // a link that the program was started with
	// Problem is why what was here before can't be opened; nil when nothing was.
	Problem error
	// Join makes the account. Joined is called on the UI goroutine after it worked.
	Join        func(ctx context.Context, r core.JoinRequest) error
	Joined      func()
	SetLanguage func(code string)
}

// A Welcome is the screen.
type Welcome struct {
	widget.BaseWidget
	env  *screen.Env
	opts Options

	notice *appwidget.Notice
	card   *appwidget.Fill
	column *appwidget.Column
	page   *appwidget.Page
	ground *appwidget.Fill
	begin  fyne.Focusable
	busy   bool
}

// New returns the first page, or the joining page when there is a link already.
func New(env *screen.Env, opts Options) *Welcome {
	w := &Welcome{env: env, opts: opts, notice: appwidget.NewNotice()}
	w.card = appwidget.NewCard(nil)
	w.card.Inset = appwidget.Insets{Top: 28, Right: 30, Bottom: 28, Left: 30}
	w.column = appwidget.NewColumn(16, w.card, w.languages()).Inset(appwidget.Insets{Top: 24, Right: 16, Bottom: 24, Left: 16})
	w.column.Widest = 440
	w.page = appwidget.NewPage(w.column)
	w.page.Balanced = true
	w.ground = appwidget.NewFill(apptheme.Canvas, w.page)
	w.ExtendBaseWidget(w)
	if opts.Link != "" {
		w.join()
	} else {
		w.first()
	}
	return w
}

func (w *Welcome) languages() fyne.CanvasObject {
	var names []string
	chosen := -1
	list := words.Languages()
	for i, l := range list {
		names = append(names, l.Name)
		if l.Code == w.env.Words.Lang() {
			chosen = i
		}
	}
	return appwidget.NewCentre(appwidget.NewBox(150, 0, appwidget.NewChoice(names, chosen, func(i int) { w.opts.SetLanguage(list[i].Code) })))
}

// put shows a page; the keyboard goes to begin, which may be nil.
func (w *Welcome) put(begin fyne.Focusable, objects ...fyne.CanvasObject) {
	w.notice.Clear()
	w.card.SetContent(appwidget.NewColumn(16, objects...))
	w.page.Fit()
	w.Refresh()
	w.begin = begin
	w.Focus()
}

// Focus gives the keyboard to where one begins to type, once the page is in the window.
func (w *Welcome) Focus() {
	if w.begin != nil && w.env.Window.Content() == fyne.CanvasObject(w) {
		w.env.Window.Focus(w.begin)
	}
}

// Back returns to the first page, and reports whether it was elsewhere.
func (w *Welcome) Back() bool {
	if w.busy {
		return false
	}
	w.first()
	return true
}

func (w *Welcome) first() {
	env := w.env
	objects := []fyne.CanvasObject{
		appwidget.NewCentre(appwidget.NewMark(64)),
		appwidget.NewColumn(4, appwidget.NewHeading("Causa 事由", 22).Centered(),
			appwidget.NewText(env.T("A company talks in matters. Only the people in one can read it.")).Wrapped().Centered().In(apptheme.Muted)),
	}
	if w.opts.Problem != nil {
		notice := appwidget.NewNotice()
		notice.Fail(env.Fault(w.opts.Problem))
		objects = append(objects, notice)
	}
	join := appwidget.NewIconButton("log-in", env.T("Join with an invite"), appwidget.Quiet, w.join)
	join.Height = 42
	if w.opts.Host != nil {
		create := appwidget.NewIconButton("building-2", env.T("Create a workspace on this computer"), appwidget.Primary, w.create)
		create.Height = 42
		objects = append(objects, create)
	} else {
		join.Kind = appwidget.Primary
	}
	w.put(nil, append(objects, join)...)
}

func (w *Welcome) head(title, text string) fyne.CanvasObject {
	back := appwidget.NewIconButton("chevron-left", "", appwidget.Bare, func() { w.Back() })
	back.Height = 30
	return appwidget.NewColumn(6, appwidget.NewRow(6, 1, back, appwidget.NewHeading(title, apptheme.SizeTitle)), appwidget.NewSmall(text).Wrapped())
}

// create makes a workspace on this computer.
func (w *Welcome) create() {
	env := w.env
	organisation := appwidget.NewEntry(env.T("Such as Hengda Foods"))
	name := appwidget.NewEntry(env.T("As colleagues know you"))
	device := appwidget.NewEntry("")
	device.SetText(w.opts.Device)
	address := appwidget.NewEntry("")
	address.SetText(w.opts.Host.Suggest())
	org, who := appwidget.NewField(env.T("Organisation"), organisation, ""), appwidget.NewField(env.T("Your name"), name, "")
	var act *appwidget.Button
	submit := func() {
		if !w.filled(org, organisation, env.T("Say what the organisation is called.")) || !w.filled(who, name, env.T("Say who you are.")) {
			return
		}
		w.work(act, func(ctx context.Context) error {
			link, err := w.opts.Host.Start(ctx, strings.TrimSpace(address.Text))
			if err != nil {
				return err
			}
			return w.opts.Join(ctx, core.JoinRequest{Link: link, Organisation: strings.TrimSpace(organisation.Text), Name: strings.TrimSpace(name.Text), Device: w.device(device)})
		})
	}
	organisation.OnSubmitted = func(string) { env.Window.Focus(name) }
	name.OnSubmitted = func(string) { submit() }
	device.OnSubmitted = func(string) { submit() }
	address.OnSubmitted = func(string) { submit() }
	act = appwidget.NewButton(env.T("Create workspace"), appwidget.Primary, submit)
	act.Height = 40
	w.put(organisation, w.head(env.T("Create a workspace"), env.T("This computer becomes the hub: colleagues reach it while it is switched on. You can move it to a server later.")),
		w.notice, org, who, appwidget.NewField(env.T("This device"), device, ""),
		appwidget.NewField(env.T("Address of this computer"), address, env.T("Colleagues' devices find the hub here. It should stay the same.")), act)
}

// join joins with an invite.
func (w *Welcome) join() {
	env := w.env
	link := appwidget.NewEntry("causa://join?…")
	link.SetText(w.opts.Link)
	name := appwidget.NewEntry(env.T("Leave empty to keep the name in the invite"))
	device := appwidget.NewEntry("")
	device.SetText(w.opts.Device)
	field := appwidget.NewField(env.T("Invite link"), link, env.T("From whoever invited you. It works once."))
	var act *appwidget.Button
	submit := func() {
		if !w.filled(field, link, env.T("Paste the link you were sent.")) {
			return
		}
		w.work(act, func(ctx context.Context) error {
			return w.opts.Join(ctx, core.JoinRequest{Link: strings.TrimSpace(link.Text), Name: strings.TrimSpace(name.Text), Device: w.device(device)})
		})
	}
	for _, e := range []*appwidget.Entry{link, name, device} {
		e.OnSubmitted = func(string) { submit() }
	}
	act = appwidget.NewButton(env.T("Join"), appwidget.Primary, submit)
	act.Height = 40
	w.put(link, w.head(env.T("Join with an invite"), env.T("The link carries a one-time key. Nobody can add a device to your organisation without one.")),
		w.notice, field, appwidget.NewField(env.T("Your name"), name, ""), appwidget.NewField(env.T("This device"), device, ""), act)
}

func (w *Welcome) device(e *appwidget.Entry) string {
	if name := strings.TrimSpace(e.Text); name != "" {
		return name
	}
	return w.opts.Device
}

func (w *Welcome) filled(f *appwidget.Field, e *appwidget.Entry, problem string) bool {
	defer w.page.Fit()
	if strings.TrimSpace(e.Text) == "" {
		f.SetProblem(problem)
		w.env.Window.Focus(e)
		return false
	}
	f.SetProblem("")
	return true
}

// work does what takes a moment, once at a time.
func (w *Welcome) work(act *appwidget.Button, work func(context.Context) error) {
	if w.busy {
		return
	}
	w.busy = true
	label := act.Text()
	act.Disable()
	act.SetText(w.env.T("One moment…"))
	w.notice.Clear()
	w.page.Fit()
	w.env.Do(work, func(err error) {
		w.busy = false
		act.Enable()
		act.SetText(label)
		if err != nil {
			w.notice.Fail(w.env.Fault(err))
			w.page.Fit()
			return
		}
		w.opts.Joined()
	})
}

// CreateRenderer is part of fyne.Widget.
func (w *Welcome) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(w.ground) }
