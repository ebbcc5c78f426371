// Package people is the directory: who belongs to the organisation, and with which
// devices.
package people

import (
	"context"
	"slices"
	"strings"

	"causa/app/screen"
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// An Engine is what this screen needs of one.
type Engine interface {
	Devices(ctx context.Context) ([]matter.Device, error)
}

// A Directory lists the people, and shows one of them.
type Directory struct {
	widget.BaseWidget
	OnInvite func()
	OnMatter func(with matter.MemberID) // start a matter with this person
	OnDevice func(of matter.MemberID)   // make an invite for a device of this person

	env     *screen.Env
	engine  Engine
	devices []matter.Device
	chosen  matter.MemberID
	found   []matter.Member
	narrow  bool

	search *appwidget.Entry
	invite *appwidget.Button
	roll   *appwidget.Roll
	empty  *appwidget.Column
	list   *appwidget.Fill
	back   *appwidget.Button
	column *appwidget.Column
	page   *appwidget.Page
	person *appwidget.Fill
	border *appwidget.Fill
}

const rowHeight float32 = 52

// New returns the directory.
func New(env *screen.Env, engine Engine) *Directory {
	d := &Directory{env: env, engine: engine}
	d.search = appwidget.NewEntry(env.T("Search people"))
	d.search.OnChanged = func(string) { d.show() }
	d.invite = appwidget.NewIconButton("user-plus", env.T("Invite"), appwidget.Primary, func() {
		if d.OnInvite != nil {
			d.OnInvite()
		}
	})
	d.roll = appwidget.NewRoll(func(int) fyne.CanvasObject { return appwidget.NewPersonRow("", nil, "", nil) }, d.bind)
	head := appwidget.NewRow(8, 0, appwidget.NewHeading(env.T("People"), apptheme.SizeTitle), d.invite).High(34)
	top := appwidget.NewColumn(10, head, d.search).Inset(appwidget.Insets{Top: 15, Right: 16, Bottom: 8, Left: 16})
	d.empty = appwidget.NewColumn(8).Inset(appwidget.Insets{Top: 64, Right: 28, Left: 28})
	d.list = appwidget.NewFill(apptheme.Surface, appwidget.NewUnder(top, d.roll, d.empty))
	d.back = appwidget.NewIconButton("chevron-left", env.T("People"), appwidget.Bare, func() { d.Choose(matter.MemberID{}) })
	d.column = appwidget.NewColumn(14).Inset(appwidget.Insets{Top: 24, Right: 24, Bottom: 32, Left: 24})
	d.column.Widest = 560
	d.page = appwidget.NewPage(d.column)
	d.person = appwidget.NewFill(apptheme.Canvas, d.page)
	d.border = appwidget.NewFill(apptheme.Line, nil)
	d.ExtendBaseWidget(d)
	d.Reload()
	return d
}

// Reload shows the directory as it is now.
func (d *Directory) Reload() {
	d.show()
	var devices []matter.Device
	d.env.Do(func(ctx context.Context) (err error) {
		devices, err = d.engine.Devices(ctx)
		return err
	}, func(err error) {
		if err == nil {
			d.devices = devices
		}
		d.showPerson()
	})
}

// SetNarrow chooses the layout of a narrow window.
func (d *Directory) SetNarrow(narrow bool) {
	d.narrow = narrow
	d.showPerson()
	d.Refresh()
}

// Choose shows a person; in a narrow window nobody means the list.
func (d *Directory) Choose(id matter.MemberID) {
	d.chosen = id
	d.roll.Rebind()
	d.showPerson()
	d.Refresh()
}

// Back leaves the person shown in a narrow window, and reports whether there was one.
func (d *Directory) Back() bool {
	if !d.narrow || d.chosen.IsZero() {
		return false
	}
	d.Choose(matter.MemberID{})
	return true
}

// FocusSearch gives the keyboard to the search field.
func (d *Directory) FocusSearch() { d.env.Window.Focus(d.search) }

func (d *Directory) show() {
	me := d.env.People.Me().Role
	d.invite.Hidden = me != matter.RoleOwner && me != matter.RoleAdmin
	query := strings.ToLower(strings.TrimSpace(d.search.Text))
	d.found = d.found[:0]
	for _, m := range d.env.People.List {
		if query == "" || strings.Contains(strings.ToLower(m.Name), query) {
			d.found = append(d.found, m)
		}
	}
	d.roll.Set(make([]int, len(d.found)), func(int) float32 { return rowHeight })
	d.empty.Hidden = len(d.found) > 0
	d.empty.Set(appwidget.NewCentre(appwidget.NewIcon("users").Sized(30)), appwidget.NewSmall(d.env.T("Nobody has this name.")).Wrapped().Centered())
	d.showPerson()
}

func (d *Directory) bind(i int, o fyne.CanvasObject) {
	m := d.found[i]
	name := m.Name
	if m.ID == d.env.People.Self {
		name = d.env.T("%s (you)", name)
	}
	if row, ok := o.(*appwidget.Option); ok {
		row.Set(name, m.ID[:], d.env.Standing(m), m.ID == d.shown() && !d.narrow, func() { d.Choose(m.ID) })
	}
}

// shown returns whose page there is: in a wide window one's own before anyone is chosen.
func (d *Directory) shown() matter.MemberID {
	if d.chosen.IsZero() && !d.narrow {
		return d.env.People.Self
	}
	return d.chosen
}

func (d *Directory) showPerson() {
	env := d.env
	m := env.People.Member(d.shown())
	if m.ID.IsZero() {
		d.column.Set()
		return
	}
	name := appwidget.NewHeading(appwidget.OneLine(env.Name(m.ID)), 20)
	head := appwidget.NewRow(16, 1, appwidget.NewAvatar(env.Name(m.ID), m.ID[:], 64), appwidget.NewColumn(2, name, appwidget.NewSmall(env.Standing(m))))
	objects := []fyne.CanvasObject{}
	if d.narrow {
		objects = append(objects, appwidget.NewRow(0, 1, d.back, appwidget.NewSpace(0, 0)))
	}
	objects = append(objects, head)
	if m.ID != env.People.Self && m.Joined && !m.Left {
		objects = append(objects, appwidget.NewRow(0, 1, appwidget.NewIconButton("plus", env.T("Start a matter with them"), appwidget.Primary, func() {
			if d.OnMatter != nil {
				d.OnMatter(m.ID)
			}
		}), appwidget.NewSpace(0, 0)))
	}
	if role := env.People.Me().Role; m.ID != env.People.Self && !m.Left && (role == matter.RoleOwner || role == matter.RoleAdmin) {
		objects = append(objects, appwidget.NewRow(0, 1, appwidget.NewIconButton("qr-code", env.T("New invite for them"), appwidget.Quiet, func() {
			if d.OnDevice != nil {
				d.OnDevice(m.ID)
			}
		}), appwidget.NewSpace(0, 0)))
	}
	objects = append(objects, appwidget.NewHeading(env.T("Devices"), apptheme.SizeSmall).In(apptheme.Muted))
	cards := d.deviceRows(m)
	if len(cards) == 0 {
		words := env.T("No device yet. The invite has not been used.")
		if m.Joined {
			words = env.T("No device is active.")
		}
		cards = []fyne.CanvasObject{appwidget.NewSmall(words).Wrapped()}
	}
	card := appwidget.NewCard(appwidget.NewColumn(12, cards...))
	card.Inset = appwidget.Around(14)
	objects = append(objects, card,
		appwidget.NewSmall(env.T("Compare the fingerprint with the one on the device itself when it matters that it is really theirs.")).Wrapped())
	d.column.Set(objects...)
	d.page.Fit()
}

func (d *Directory) deviceRows(m matter.Member) []fyne.CanvasObject {
	env := d.env
	mine := slices.DeleteFunc(slices.Clone(d.devices), func(x matter.Device) bool { return x.Member != m.ID })
	out := make([]fyne.CanvasObject, 0, len(mine))
	for _, x := range mine {
		out = append(out, env.Device(x, false))
	}
	return out
}

// MinSize is part of fyne.CanvasObject.
func (d *Directory) MinSize() fyne.Size { return fyne.NewSize(280, 200) }

// CreateRenderer is part of fyne.Widget.
func (d *Directory) CreateRenderer() fyne.WidgetRenderer { return &directoryRenderer{d} }

type directoryRenderer struct{ d *Directory }

func (r *directoryRenderer) Destroy()           {}
func (r *directoryRenderer) MinSize() fyne.Size { return r.d.MinSize() }
func (r *directoryRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.d.list, r.d.person, r.d.border}
}

func (r *directoryRenderer) Refresh() {
	r.Layout(r.d.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *directoryRenderer) Layout(size fyne.Size) {
	d := r.d
	if d.narrow {
		d.list.Hidden, d.person.Hidden, d.border.Hidden = !d.chosen.IsZero(), d.chosen.IsZero(), true
		for _, o := range r.Objects() {
			o.Move(fyne.NewPos(0, 0))
			o.Resize(size)
		}
		return
	}
	d.list.Hidden, d.person.Hidden, d.border.Hidden = false, false, false
	d.list.Resize(fyne.NewSize(apptheme.ListWidth, size.Height))
	d.border.Move(fyne.NewPos(apptheme.ListWidth-1, 0))
	d.border.Resize(fyne.NewSize(1, size.Height))
	d.person.Move(fyne.NewPos(apptheme.ListWidth, 0))
	d.person.Resize(fyne.NewSize(size.Width-apptheme.ListWidth, size.Height))
}
