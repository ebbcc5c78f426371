// Package settings is what one can change about the app, and what it knows of itself.
package settings

import (
	"context"
	"slices"

	"causa/app/audit"
	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/core"
	"causa/internal/words"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// An Engine is what this screen needs of one.
type Engine interface {
	Me() core.Me
	Devices(ctx context.Context) ([]matter.Device, error)
	audit.Engine
}

// Choices are what a person chose for this device.
type Choices struct {
	Mode        apptheme.Mode
	SetMode     func(apptheme.Mode)
	SetLanguage func(code string)
	LinkDevice  func()
	Shortcuts   func() // shows them
	Quiet       func() // opens the quiet hours
	Notices     int    // how much notifications show: nothing, the matter, the message
	SetNotices  func(int)
	Version     string
	Lock        func() []fyne.CanvasObject // how this device is locked; nil: it can't be
}

// A Settings is the screen.
type Settings struct {
	widget.BaseWidget
	env     *screen.Env
	engine  Engine
	choices Choices
	devices []matter.Device
	column  *appwidget.Column
	page    *appwidget.Page
	ground  *appwidget.Fill
}

// New returns the screen.
func New(env *screen.Env, engine Engine, choices Choices) *Settings {
	s := &Settings{env: env, engine: engine, choices: choices}
	s.column = appwidget.NewColumn(8).Inset(appwidget.Insets{Top: 18, Right: 20, Bottom: 36, Left: 20})
	s.column.Widest = 600
	s.page = appwidget.NewPage(s.column)
	s.ground = appwidget.NewFill(apptheme.Canvas, s.page)
	s.ExtendBaseWidget(s)
	s.show()
	s.Reload()
	return s
}

// Reload shows everything as it is now.
func (s *Settings) Reload() {
	var devices []matter.Device
	s.env.Do(func(ctx context.Context) (err error) {
		devices, err = s.engine.Devices(ctx)
		return err
	}, func(err error) {
		if err == nil {
			s.devices = devices
		}
		s.show()
	})
}

func (s *Settings) show() {
	env, me := s.env, s.engine.Me()
	mine := slices.DeleteFunc(slices.Clone(s.devices), func(d matter.Device) bool { return d.Member != me.Member.ID })
	devices := make([]fyne.CanvasObject, 0, len(mine)+1)
	for _, d := range mine {
		devices = append(devices, env.Device(d, d.ID == me.Device.ID))
	}
	devices = append(devices, appwidget.NewRow(0, 1, appwidget.NewIconButton("plus", env.T("Link a device"), appwidget.Quiet, s.choices.LinkDevice), appwidget.NewSpace(0, 0)))
	name := appwidget.NewHeading(appwidget.OneLine(me.Member.Name), apptheme.SizeHeading+1)
	who := appwidget.NewSmall(env.T("%s · %s", env.Role(me.Member.Role), appwidget.OneLine(me.Organisation)))
	var locking []fyne.CanvasObject
	if s.choices.Lock != nil {
		if rows := s.choices.Lock(); len(rows) > 0 {
			locking = []fyne.CanvasObject{section(env.T("Lock")), card(rows...)}
		}
	}
	objects := []fyne.CanvasObject{
		appwidget.NewHeading(env.T("Settings"), apptheme.SizeTitle),
		card(appwidget.NewRow(14, 1, appwidget.NewAvatar(me.Member.Name, me.Member.ID[:], 48), appwidget.NewColumn(1, name, who))),
		section(env.T("Language")), card(s.language()),
		section(env.T("Appearance")), card(s.appearance()),
		section(env.T("Notifications")), card(
			appwidget.NewField(env.T("They show"), appwidget.NewChoice([]string{env.T("Nothing of a message"), env.T("The matter"), env.T("The message")}, s.choices.Notices, s.setNotices), ""),
			appwidget.NewRow(0, 1, appwidget.NewIconButton("moon", env.T("Do not disturb"), appwidget.Quiet, s.choices.Quiet), appwidget.NewSpace(0, 0))),
		section(env.T("My devices")), card(devices...),
	}
	objects = append(append(objects, locking...),
		section(env.T("Organisation")), card(
			fact(env.T("Organisation"), me.Organisation),
			fact(env.T("Hub"), me.Hub),
			appwidget.NewRow(0, 1, appwidget.NewIconButton("scroll-text", env.T("Organisation log"), appwidget.Quiet, func() { audit.Show(env, s.engine) }), appwidget.NewSpace(0, 0))),
		section(env.T("About")), card(
			fact(env.T("Version"), s.choices.Version),
			appwidget.NewRow(0, 1, appwidget.NewIconButton("keyboard", env.T("Keyboard shortcuts"), appwidget.Quiet, s.choices.Shortcuts), appwidget.NewSpace(0, 0))))
	s.column.Set(objects...)
	s.page.Fit()
}

func (s *Settings) language() fyne.CanvasObject {
	var names []string
	chosen := -1
	list := words.Languages()
	for i, l := range list {
		names = append(names, l.Name)
		if l.Code == s.env.Words.Lang() {
			chosen = i
		}
	}
	return appwidget.NewChoice(names, chosen, func(i int) { s.choices.SetLanguage(list[i].Code) })
}

func (s *Settings) setNotices(i int) {
	s.choices.Notices = i
	s.choices.SetNotices(i)
}

func (s *Settings) appearance() fyne.CanvasObject {
	modes := []apptheme.Mode{apptheme.System, apptheme.Light, apptheme.Dark}
	return appwidget.NewChoice([]string{s.env.T("As the system"), s.env.T("Light"), s.env.T("Dark")}, slices.Index(modes, s.choices.Mode), func(i int) {
		s.choices.Mode = modes[i]
		s.choices.SetMode(modes[i])
	})
}

func section(name string) fyne.CanvasObject {
	t := appwidget.NewHeading(name, apptheme.SizeSmall).In(apptheme.Muted)
	return appwidget.NewRow(0, 0, t).Inset(appwidget.Insets{Top: 12, Left: 4})
}

func card(objects ...fyne.CanvasObject) fyne.CanvasObject {
	c := appwidget.NewCard(appwidget.NewColumn(12, objects...))
	c.Inset = appwidget.Around(14)
	return c
}

func fact(name, value string) fyne.CanvasObject {
	return appwidget.NewRow(8, 1, appwidget.NewBox(96, 0, appwidget.NewSmall(name)), appwidget.NewText(appwidget.OneLine(value)))
}

// MinSize is part of fyne.CanvasObject.
func (s *Settings) MinSize() fyne.Size { return fyne.NewSize(280, 200) }

// CreateRenderer is part of fyne.Widget.
func (s *Settings) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.ground) }
