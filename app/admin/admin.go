// Package admin is the screen on which owners and administrators look after the
// organisation: its people, its devices, its rules, its log.
package admin

import (
	"context"
	"strings"

	"causa/app/audit"
	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// An Engine is what this screen needs of one.
type Engine interface {
	audit.Engine
	Devices(ctx context.Context) ([]matter.Device, error)
	RevokeDevice(ctx context.Context, device matter.DeviceID, reason string) error
	Policies(ctx context.Context) ([]core.Policy, error)
	SetPolicy(ctx context.Context, name, value string) error
}

// A tab is a part of the screen.
type tab int

const (
	tabPeople tab = iota
	tabDevices
	tabRules
	tabLog
	tabs
)

// An Admin is the screen.
type Admin struct {
	widget.BaseWidget
	OnInvite func()
	OnPerson func(matter.MemberID)

	env      *screen.Env
	engine   Engine
	at       tab
	devices  []matter.Device
	policies []core.Policy
	lines    []core.AuditLine
	failure  error

	chips  [tabs]*appwidget.Chip
	column *appwidget.Column
	page   *appwidget.Page
	ground *appwidget.Fill
}

// New returns the screen, which reads what it shows when it is led to.
func New(env *screen.Env, engine Engine) *Admin {
	a := &Admin{env: env, engine: engine}
	choice := appwidget.NewWrapping(8)
	var chips []fyne.CanvasObject
	for i, name := range [tabs]string{env.T("People"), env.T("Devices"), env.T("Rules"), env.T("Organisation log")} {
		a.chips[i] = appwidget.NewChip(name, i == 0, func() { a.Choose(tab(i)) })
		chips = append(chips, a.chips[i])
	}
	choice.Set(chips...)
	top := appwidget.NewColumn(12, appwidget.NewHeading(env.T("Manage"), apptheme.SizeTitle), choice).Inset(appwidget.Insets{Top: 18, Right: 20, Bottom: 8, Left: 20})
	top.Widest = 720
	a.column = appwidget.NewColumn(12).Inset(appwidget.Insets{Top: 8, Right: 20, Bottom: 36, Left: 20})
	a.column.Widest = 720
	a.page = appwidget.NewPage(a.column)
	a.ground = appwidget.NewFill(apptheme.Canvas, appwidget.NewUnder(top, a.page))
	a.ExtendBaseWidget(a)
	return a
}

// Choose shows a part.
func (a *Admin) Choose(t tab) {
	a.at = t
	for i, c := range a.chips {
		c.SetChosen(tab(i) == t)
	}
	a.Reload()
}

// Reload shows everything as it is now.
func (a *Admin) Reload() {
	var (
		devices  []matter.Device
		policies []core.Policy
		lines    []core.AuditLine
	)
	at := a.at
	a.env.Do(func(ctx context.Context) (err error) {
		switch at {
		case tabRules:
			policies, err = a.engine.Policies(ctx)
		case tabLog:
			lines, err = a.engine.Audit(ctx)
		default:
			devices, err = a.engine.Devices(ctx)
		}
		return err
	}, func(err error) {
		if at != a.at {
			return
		}
		a.failure, a.devices, a.policies, a.lines = err, devices, policies, lines
		a.show()
	})
}

func (a *Admin) show() {
	env := a.env
	switch {
	case a.failure != nil:
		text, hint := env.Fault(a.failure)
		a.column.Set(appwidget.NewSpace(0, 40), appwidget.NewCentre(appwidget.NewIcon("circle-alert").Sized(28)),
			appwidget.NewHeading(text, apptheme.SizeBody).Wrapped().Centered(), appwidget.NewSmall(hint).Wrapped().Centered(),
			appwidget.NewCentre(appwidget.NewButton(env.T("Try again"), appwidget.Quiet, a.Reload)))
	case a.at == tabPeople:
		a.showPeople()
	case a.at == tabDevices:
		a.showDevices()
	case a.at == tabRules:
		a.showRules()
	default:
		a.column.Set(audit.Lines(env, a.lines)...)
	}
	a.page.Fit()
}

func card(objects ...fyne.CanvasObject) fyne.CanvasObject {
	c := appwidget.NewCard(appwidget.NewColumn(6, objects...))
	c.Inset = appwidget.Around(8)
	return c
}

func (a *Admin) showPeople() {
	env := a.env
	count := map[matter.MemberID]int{}
	for _, d := range a.devices {
		if !d.Revoked {
			count[d.Member]++
		}
	}
	var rows []fyne.CanvasObject
	for _, m := range env.People.List {
		end := env.T("%s · %s", env.Standing(m), env.T("%d devices", count[m.ID]))
		rows = append(rows, appwidget.NewPersonRow(env.Name(m.ID), m.ID[:], end, func() {
			if a.OnPerson != nil {
				a.OnPerson(m.ID)
			}
		}))
	}
	invite := appwidget.NewIconButton("user-plus", env.T("Invite"), appwidget.Primary, func() {
		if a.OnInvite != nil {
			a.OnInvite()
		}
	})
	a.column.Set(appwidget.NewRow(8, 0, appwidget.NewSmall(env.T("%d members", len(rows))), invite), card(rows...))
}

func (a *Admin) showDevices() {
	env := a.env
	var objects []fyne.CanvasObject
	objects = append(objects, appwidget.NewSmall(env.T("Whoever loses a device tells you: revoke it. The hub stops serving it at once, and every matter gets new keys without it.")).Wrapped())
	for _, revoked := range []bool{false, true} {
		for _, d := range a.devices {
			if d.Revoked == revoked {
				objects = append(objects, a.device(d))
			}
		}
	}
	a.column.Set(objects...)
}

func (a *Admin) device(d matter.Device) fyne.CanvasObject {
	env := a.env
	owner := appwidget.NewHeading(appwidget.OneLine(env.Name(d.Member)), apptheme.SizeSmall)
	objects := []fyne.CanvasObject{owner, env.Device(d, false)}
	if !d.Revoked {
		revoke := appwidget.NewButton(env.T("Revoke…"), appwidget.Final, func() { a.revoke(d) })
		revoke.Height = 28
		objects[0] = appwidget.NewRow(8, 0, owner, revoke)
	}
	c := appwidget.NewCard(appwidget.NewColumn(8, objects...))
	c.Inset = appwidget.Around(14)
	return c
}

// revoke asks why, and whether this is meant.
func (a *Admin) revoke(d matter.Device) {
	env := a.env
	notice, why := appwidget.NewNotice(), appwidget.NewEntry(env.T("Such as: lost on a train"))
	text := env.T("%s of %s is shut out for good. What it has already received stays on it.", appwidget.OneLine(d.Name), appwidget.OneLine(env.Name(d.Member)))
	body := appwidget.NewColumn(12, notice, appwidget.NewText(text).Wrapped(), appwidget.NewField(env.T("Reason, for the organisation log"), why, ""))
	var sheet *appwidget.Sheet
	var act *appwidget.Button
	act = appwidget.NewButton(env.T("Revoke"), appwidget.Final, func() {
		act.Disable()
		reason := strings.TrimSpace(why.Text)
		env.Do(func(ctx context.Context) error { return a.engine.RevokeDevice(ctx, d.ID, reason) }, func(err error) {
			act.Enable()
			if err != nil {
				notice.Fail(env.Fault(err))
				sheet.Fit()
				return
			}
			sheet.Close()
			a.Reload()
		})
	})
	foot := appwidget.NewRow(10, 0, appwidget.NewSpace(0, 0), appwidget.NewButton(env.T("Cancel"), appwidget.Quiet, func() { sheet.Close() }), act)
	sheet = appwidget.ShowSheet(env.Window, env.T("Revoke this device?"), 440, body, foot)
	env.Window.Focus(why)
}

// MinSize is part of fyne.CanvasObject.
func (a *Admin) MinSize() fyne.Size { return fyne.NewSize(280, 200) }

// CreateRenderer is part of fyne.Widget.
func (a *Admin) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(a.ground) }
