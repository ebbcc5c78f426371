// Package details is the panel beside a thread: who takes part in a matter, and what
// else is known of it.
package details

import (
	"context"
	"slices"

	"causa/app/quiet"
	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/dnd"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// An Engine is what this screen needs of one.
type Engine interface {
	AddParticipants(ctx context.Context, id matter.ID, members []matter.MemberID) error
	RemoveParticipant(ctx context.Context, id matter.ID, member matter.MemberID) error
	Conclude(ctx context.Context, id matter.ID, c core.Conclusion) (matter.Message, error)
	Reopen(ctx context.Context, id matter.ID, why string) (matter.Message, error)
	quiet.Sender
	Quiet() core.Quiet
	EditQuiet(ctx context.Context, edit func(*core.Quiet) error) error
	Cosign(ctx context.Context, id matter.ID) (matter.Message, error)
	WithdrawConclusion(ctx context.Context, id matter.ID) (matter.Message, error)
}

// A Panel shows the details of one matter.
type Panel struct {
	widget.BaseWidget
	OnClose func()
	OnFiles func(id matter.ID) // the files of the matter were asked for

	env    *screen.Env
	engine Engine

	m      matter.Matter
	close  *appwidget.Button
	top    *appwidget.Row
	column *appwidget.Column
	page   *appwidget.Page
	ground *appwidget.Fill
}

// New returns an empty panel.
func New(env *screen.Env, engine Engine) *Panel {
	p := &Panel{env: env, engine: engine}
	p.close = appwidget.NewIconButton("x", "", appwidget.Bare, func() { p.OnClose() })
	p.close.Height = 28
	p.top = appwidget.NewRow(8, 0, appwidget.NewHeading(env.T("Details"), apptheme.SizeHeading), p.close)
	p.top.Hide()
	p.column = appwidget.NewColumn(9)
	p.column.Insets = appwidget.Insets{Top: 18, Right: 18, Bottom: 24, Left: 18}
	p.page = appwidget.NewPage(p.column)
	p.ground = appwidget.NewFill(apptheme.Surface, p.page)
	p.ExtendBaseWidget(p)
	return p
}

// SetClosable says whether the panel lies over something else, and can be closed.
func (p *Panel) SetClosable(closable bool) {
	if p.top.Hidden == closable {
		p.top.Hidden = !closable
		p.page.Fit()
	}
}

// Renamed shows names anew after the directory changed.
func (p *Panel) Renamed() { p.Set(p.m) }

// Set shows a matter.
func (p *Panel) Set(m matter.Matter) {
	p.m = m
	if m.ID.IsZero() {
		p.column.Set()
		p.page.Fit()
		return
	}
	env := p.env
	objects := []fyne.CanvasObject{p.top, section(env.T("Participants %d", len(m.Participants)))}
	for _, id := range m.Participants {
		objects = append(objects, p.participant(id))
	}
	if !m.Removed {
		objects = append(objects, appwidget.NewIconButton("user-plus", env.T("Add people"), appwidget.Quiet, p.add))
	}
	objects = append(objects, appwidget.NewSpace(0, 4), section(env.T("About this matter")),
		fact(env.T("Class"), env.Class(m.Class)), fact(env.T("In charge"), env.NameOrYou(m.Owner)))
	if !m.Due.IsZero() {
		objects = append(objects, fact(env.T("Due"), env.Words.Date(m.Due, env.Now())))
	}
	if !m.Opened.IsZero() {
		objects = append(objects, fact(env.T("Opened"), env.Words.Moment(m.Opened, env.Now())))
	}
	objects = append(objects, p.life()...)
	objects = append(objects, fact(env.T("Number"), m.ID.Short()))
	if p.OnFiles != nil {
		objects = append(objects, appwidget.NewIconButton("paperclip", env.T("Files"), appwidget.Quiet, func() { p.OnFiles(m.ID) }))
	}
	objects = append(objects,
		appwidget.NewSpace(0, 4), section(env.T("Notifications")), p.bell(),
		appwidget.NewSpace(0, 4), section(env.T("Confidentiality")),
		appwidget.NewSmall(env.T("Only the devices of the participants can read this matter. The hub passes on what it can't read.")).Wrapped())
	if !m.Removed && !m.State.Closed() {
		objects = append(objects, appwidget.NewWrapping(8,
			appwidget.NewIconButton("clock", env.T("Send later…"), appwidget.Quiet, func() { quiet.SendLater(env, p.engine, m.ID) }),
			appwidget.NewIconButton("circle-alert", env.T("Urgent message…"), appwidget.Quiet, func() { quiet.SendUrgent(env, p.engine, m.ID) })))
	}
	if act := p.ending(); act != nil {
		objects = append(objects, appwidget.NewSpace(0, 6), act)
	}
	p.column.Set(objects...)
	p.page.Fit()
}

// bell is the choice of how this matter notifies.
func (p *Panel) bell() fyne.CanvasObject {
	env, id := p.env, p.m.ID
	modes := []dnd.Mode{0, dnd.ModeAlways, dnd.ModeNever}
	return appwidget.NewChoice([]string{env.T("As usual"), env.T("Always"), env.T("Never")}, slices.Index(modes, quiet.ModeOf(p.engine.Quiet(), id)), func(i int) {
		env.Do(func(ctx context.Context) error { return quiet.SetMatter(ctx, p.engine, id, modes[i]) }, env.TellFault)
	})
}

// ending is the button by which the owner concludes the matter, or reopens it, and
// others sign its conclusion.
func (p *Panel) ending() fyne.CanvasObject {
	switch me := p.env.People.Me().ID; {
	case p.m.AwaitsSignature(me) && !p.m.Removed:
		return appwidget.NewButton(p.env.T("Sign the conclusion"), appwidget.Final, p.act(p.engine.Cosign))
	case p.m.Proposal != nil && p.m.Owner == me:
		return appwidget.NewButton(p.env.T("Withdraw the conclusion"), appwidget.Quiet, p.act(p.engine.WithdrawConclusion))
	case p.m.Removed || p.m.Owner != p.env.People.Me().ID:
		return nil
	case p.m.State.Closed():
		return appwidget.NewButton(p.env.T("Reopen this matter…"), appwidget.Quiet, p.reopen)
	}
	return appwidget.NewButton(p.env.T("Conclude this matter…"), appwidget.Final, p.conclude)
}

func section(name string) *appwidget.Text {
	return appwidget.NewHeading(name, apptheme.SizeSmall).In(apptheme.Muted)
}

func fact(name, value string) *appwidget.Row {
	label := appwidget.NewSmall(name)
	r := appwidget.NewRow(8, 1, appwidget.NewBox(72, 0, label), smaller(value))
	return r
}

func smaller(text string) *appwidget.Text {
	t := appwidget.NewText(appwidget.OneLine(text))
	t.Points = apptheme.SizeSmall
	return t
}

func (p *Panel) participant(id matter.MemberID) fyne.CanvasObject {
	env := p.env
	end := env.Standing(env.People.Member(id))
	switch p.m.PartOf(id, env.Now()) {
	case matter.PartOwner:
		end = env.T("In charge")
	case matter.PartObserver:
		end = env.T("Observer")
	case matter.PartGuest, 0:
		end = env.T("Guest")
	}
	row := env.Person(id, end)
	if p.mayRemove(id) {
		remove := appwidget.NewIconButton("x", "", appwidget.Bare, func() { p.confirmRemoval(id) })
		remove.Height = 24
		return appwidget.NewRow(2, 0, row, remove)
	}
	return row
}

// mayRemove reports whether to offer a removal; the engine has the last word.
func (p *Panel) mayRemove(id matter.MemberID) bool {
	me := p.env.People.Me()
	if p.m.Removed || id == p.m.Owner || id == me.ID {
		return false
	}
	return me.ID == p.m.Owner || me.Role == matter.RoleOwner || me.Role == matter.RoleAdmin
}

func (p *Panel) confirmRemoval(id matter.MemberID) {
	env, m := p.env, p.m
	name := appwidget.OneLine(env.Name(id))
	text := env.T("%s will not be able to read what is said from now on. What was said before stays on their devices.", name)
	var sheet *appwidget.Sheet
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0),
		appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }),
		appwidget.NewButton(env.T("Remove"), appwidget.Final, func() {
			sheet.Close()
			env.Do(func(ctx context.Context) error { return p.engine.RemoveParticipant(ctx, m.ID, id) }, env.TellFault)
		}))
	sheet = appwidget.ShowSheet(env.Window, env.T("Remove %s?", name), 420, appwidget.NewColumn(10, appwidget.NewText(text).Wrapped()), foot)
}

// add lets one choose who else takes part.
func (p *Panel) add() {
	env, m := p.env, p.m
	var others []matter.Member
	for _, x := range env.People.List {
		if x.Joined && !x.Left && !slices.Contains(m.Participants, x.ID) {
			others = append(others, x)
		}
	}
	notice := appwidget.NewNotice()
	picker := screen.NewPicker(env, others)
	body := appwidget.NewColumn(12, notice, picker)
	if len(others) == 0 {
		body = appwidget.NewColumn(12, appwidget.NewSmall(env.T("Everybody of your organisation takes part already.")).Wrapped())
	}
	var sheet *appwidget.Sheet
	var act *appwidget.Button
	act = appwidget.NewButton(env.T("Add"), appwidget.Primary, func() {
		chosen := picker.Chosen()
		if len(chosen) == 0 {
			return
		}
		p.submit(sheet, act, notice, func(ctx context.Context) error { return p.engine.AddParticipants(ctx, m.ID, chosen) })
	})
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }), act)
	sheet = appwidget.ShowSheet(env.Window, env.T("Add people"), 460, body, foot)
	picker.OnChanged = sheet.Fit
	picker.Focus()
}

// MinSize is part of fyne.CanvasObject.
func (p *Panel) MinSize() fyne.Size { return fyne.NewSize(200, 100) }

// CreateRenderer is part of fyne.Widget.
func (p *Panel) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(p.ground) }
