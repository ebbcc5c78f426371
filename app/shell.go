package app

import (
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Widths of the window at which the layout changes.
const (
	narrowBelow float32 = 640  // one page at a time, with a tab bar
	panelFrom   float32 = 1100 // the details have a column of their own
	tabHeight   float32 = 54
)

// A shell lays the screens out: side by side in a wide window, as stacked pages with a
// tab bar in a narrow one.
type shell struct {
	widget.BaseWidget
	a *App

	rail      *appwidget.Fill
	railItems [places]*placeButton
	mark      *appwidget.Tile
	me        *appwidget.Tile
	tabs      *appwidget.Fill
	tabItems  [places]*placeButton
	tabLine   *appwidget.Fill
	lines     [2]*appwidget.Fill
	empty     *appwidget.Fill
	toast     *appwidget.Notice

	at      place
	reading bool // narrow: a thread is open
	panel   bool // the details are wanted where they have no column of their own
	hidden  bool // the details are not wanted where they have one
	narrow  bool
	laidOut bool
}

func newShell(a *App) *shell {
	s := &shell{a: a, toast: appwidget.NewNotice()}
	s.toast.Lifted = true
	for i, it := range [places]struct {
		icon      appwidget.IconName
		rail, tab string
	}{
		placeMatters:  {"message-square", a.env.T("Matters"), a.env.T("Matters")},
		placePeople:   {"users", a.env.T("People"), a.env.T("People")},
		placeSearch:   {"search", a.env.T("Search"), a.env.T("Search")},
		placeAdmin:    {"shield", a.env.T("Manage"), a.env.T("Manage")},
		placeSettings: {"sliders-horizontal", a.env.T("Settings"), a.env.T("Me")},
	} {
		s.railItems[i] = newPlaceButton(it.icon, it.rail, false, func() { a.Go(place(i)) })
		s.tabItems[i] = newPlaceButton(it.icon, it.tab, true, func() { a.Go(place(i)) })
	}
	s.rail = appwidget.NewFill(apptheme.Rail, nil)
	s.mark = appwidget.NewMark(36)
	self := a.engine.Me().Member
	s.me = appwidget.NewAvatar(self.Name, self.ID[:], 34)
	s.tabs = appwidget.NewFill(apptheme.Surface, nil)
	s.tabLine = appwidget.NewLine()
	for i := range s.lines {
		s.lines[i] = appwidget.NewFill(apptheme.Line, nil)
	}
	s.empty = appwidget.NewFill(apptheme.Canvas, nil)
	s.ExtendBaseWidget(s)
	return s
}

// offers reports whether a place is for this member.
func (s *shell) offers(p place) bool {
	return p != placeAdmin || s.a.env.Administers()
}

// showEmpty fills the place of a thread while none is open.
func (s *shell) showEmpty() {
	env := s.a.env
	words := appwidget.NewColumn(12,
		appwidget.NewCentre(appwidget.NewIcon("message-square").Sized(34)),
		appwidget.NewHeading(env.T("Choose a matter, or start one."), apptheme.SizeHeading).Wrapped().Centered(),
		appwidget.NewSmall(env.T("Every matter has its own people, its own thread and its own keys.")).Wrapped().Centered(),
		appwidget.NewCentre(appwidget.NewIconButton("plus", env.T("New matter"), appwidget.Primary, s.a.NewMatter)))
	words.Widest = 340
	words.Insets = appwidget.Around(20)
	s.empty.SetContent(appwidget.NewCentre(appwidget.NewBox(380, 0, words)))
}

// MouseIn is part of desktop.Hoverable.
func (s *shell) MouseIn(*desktop.MouseEvent) { s.a.moves++ }

// MouseMoved is part of desktop.Hoverable: somebody is there.
func (s *shell) MouseMoved(*desktop.MouseEvent) { s.a.moves++ }

// MouseOut is part of desktop.Hoverable.
func (s *shell) MouseOut() {}

// CreateRenderer is part of fyne.Widget.
func (s *shell) CreateRenderer() fyne.WidgetRenderer { return &shellRenderer{s} }

type shellRenderer struct{ s *shell }

func (r *shellRenderer) Destroy()           {}
func (r *shellRenderer) MinSize() fyne.Size { return fyne.NewSize(320, 400) }

func (r *shellRenderer) Objects() []fyne.CanvasObject {
	s, a := r.s, r.s.a
	out := []fyne.CanvasObject{a.list, s.lines[0], s.empty, a.thread, a.panel, s.lines[1], a.people, a.search, a.admin, a.settings, s.rail, s.mark, s.me}
	for _, b := range s.railItems {
		out = append(out, b)
	}
	out = append(out, s.tabs, s.tabLine)
	for _, b := range s.tabItems {
		out = append(out, b)
	}
	return append(out, s.toast)
}

func (r *shellRenderer) Refresh() {
	r.Layout(r.s.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func show(o fyne.CanvasObject, visible bool) {
	if o.Visible() != visible {
		if visible {
			o.Show()
		} else {
			o.Hide()
		}
	}
}

func put(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(max(w, 0), max(h, 0)))
}

func (r *shellRenderer) Layout(size fyne.Size) {
	s, a := r.s, r.s.a
	if size.Width <= 0 {
		return
	}
	if narrow := size.Width < narrowBelow; narrow != s.narrow || !s.laidOut {
		s.narrow, s.laidOut = narrow, true
		a.list.SetNarrow(narrow)
		a.thread.SetNarrow(narrow)
		a.people.SetNarrow(narrow)
	}
	for i := range s.railItems {
		s.railItems[i].choose(place(i) == s.at)
		s.tabItems[i].choose(place(i) == s.at)
		show(s.railItems[i], !s.narrow && s.offers(place(i)))
	}
	show(s.rail, !s.narrow)
	show(s.mark, !s.narrow)
	show(s.me, !s.narrow)
	show(a.people, s.at == placePeople)
	show(a.search, s.at == placeSearch)
	show(a.admin, s.at == placeAdmin)
	show(a.settings, s.at == placeSettings)
	if s.narrow {
		r.layOutNarrow(size)
	} else {
		r.layOutWide(size)
	}
	w := min(size.Width-24, 460)
	h := appwidget.HeightFor(s.toast, w)
	put(s.toast, (size.Width-w)/2, 14, w, h)
}

func (r *shellRenderer) layOutWide(size fyne.Size) {
	s, a := r.s, r.s.a
	rail := apptheme.RailWidth
	put(s.rail, 0, 0, rail, size.Height)
	put(s.mark, (rail-36)/2, 16, 36, 36)
	top, bottom := float32(70), size.Height-110
	for i, b := range s.railItems {
		if place(i) < placeAdmin {
			put(b, 4, top, rail-8, 54)
			top += 58
		} else {
			put(b, 4, bottom-58*float32(placeSettings-place(i)), rail-8, 54)
		}
	}
	put(s.me, (rail-34)/2, size.Height-49, 34, 34)
	for _, b := range s.tabItems {
		show(b, false)
	}
	show(s.tabs, false)
	show(s.tabLine, false)
	matters, open := s.at == placeMatters, !a.thread.ID().IsZero()
	column := size.Width >= panelFrom
	panel := matters && open && (column && !s.hidden || !column && s.panel)
	show(a.list, matters)
	show(a.thread, matters && open)
	show(s.empty, matters && !open)
	show(a.panel, panel)
	show(s.lines[0], matters)
	show(s.lines[1], panel)
	a.panel.SetClosable(!column)
	list := apptheme.ListWidth
	if size.Width < 860 {
		list = 268
	}
	x := rail + list
	put(a.list, rail, 0, list, size.Height)
	put(s.lines[0], x-1, 0, 1, size.Height)
	threadWidth := size.Width - x
	if panel {
		px := size.Width - apptheme.PanelWidth
		put(a.panel, px, 0, apptheme.PanelWidth, size.Height)
		put(s.lines[1], px, 0, 1, size.Height)
		if column {
			threadWidth -= apptheme.PanelWidth
		}
	}
	put(a.thread, x, 0, threadWidth, size.Height)
	put(s.empty, x, 0, size.Width-x, size.Height)
	for _, o := range []fyne.CanvasObject{a.people, a.search, a.admin, a.settings} {
		put(o, rail, 0, size.Width-rail, size.Height)
	}
}

func (r *shellRenderer) layOutNarrow(size fyne.Size) {
	s, a := r.s, r.s.a
	reading := s.at == placeMatters && s.reading && !a.thread.ID().IsZero()
	details := reading && s.panel
	show(a.list, s.at == placeMatters && !reading)
	show(a.thread, reading && !details)
	show(a.panel, details)
	show(s.empty, false)
	show(s.lines[0], false)
	show(s.lines[1], false)
	show(s.tabs, !reading)
	show(s.tabLine, !reading)
	a.panel.SetClosable(true)
	h := size.Height
	if !reading {
		h -= tabHeight
	}
	put(s.tabs, 0, h, size.Width, tabHeight)
	put(s.tabLine, 0, h, size.Width, 1)
	n := float32(0)
	for i := range s.tabItems {
		if s.offers(place(i)) {
			n++
		}
	}
	w, x := size.Width/n, float32(0)
	for i, b := range s.tabItems {
		show(b, !reading && s.offers(place(i)))
		if s.offers(place(i)) {
			put(b, x, h+2, w, tabHeight-4)
			x += w
		}
	}
	for _, o := range []fyne.CanvasObject{a.list, a.thread, a.panel, a.people, a.search, a.admin, a.settings} {
		put(o, 0, 0, size.Width, h)
	}
}
