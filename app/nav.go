package app

import (
	"causa/app/newmatter"
	"causa/app/quiet"
	appwidget "causa/app/widget"
	"causa/matter"
)

// Go leads to a place.
func (a *App) Go(p place) {
	a.shell.at = p
	a.shell.panel = false
	if p == placeMatters && a.shell.narrow {
		a.shell.reading = false
	}
	a.shell.Refresh()
	a.lookedAt()
	switch p {
	case placeSearch:
		a.search.Focus()
	case placeAdmin:
		a.admin.Reload()
	}
}

// Back leaves what is open: a sheet, the details, a thread, a person. It reports
// whether there was anything.
func (a *App) Back() bool {
	if sheet := appwidget.TopSheet(a.env.Window); sheet != nil {
		sheet.Close()
		return true
	}
	if top := a.env.Window.Overlays().Top(); top != nil {
		top.Hide()
		return true
	}
	if a.shell == nil {
		return a.welcome != nil && a.welcome.Back()
	}
	s := a.shell
	switch {
	case s.panel:
		s.panel = false
	case s.at == placePeople && a.people.Back():
	case s.at == placeSearch || s.at == placeAdmin:
		s.at = placeMatters
	case s.narrow && s.at == placeMatters && s.reading:
		s.reading = false
		a.thread.Close()
	default:
		return false
	}
	s.Refresh()
	a.lookedAt()
	return true
}

// open shows a matter because somebody asked for it.
func (a *App) open(m matter.Matter) {
	a.openMatter(m)
	a.shell.at, a.shell.reading = placeMatters, true
	a.shell.Refresh()
	a.lookedAt()
	if !a.shell.narrow {
		a.thread.FocusComposer()
	}
	a.opts.Choices.SetString(prefMatter, m.ID.String())
	quiet.AskUrgent(a.env, a.engine, m.ID)
}

// openMatter shows a matter.
func (a *App) openMatter(m matter.Matter) {
	a.list.Choose(m.ID)
	a.panel.Set(m)
	if a.thread.ID() != m.ID {
		a.thread.Open(m)
	}
	a.shell.Refresh()
	a.lookedAt()
}

// opened shows a matter that was just started.
func (a *App) opened(id matter.ID) {
	a.want = id
	a.list.Reload()
}

// listed follows each reading of the list of matters.
func (a *App) listed() {
	n := a.list.Unread()
	a.shell.railItems[placeMatters].count.SetCount(n)
	a.shell.tabItems[placeMatters].count.SetCount(n)
	a.setTitle(n)
	if m, ok := a.list.Matter(a.thread.ID()); ok {
		a.thread.Update(m)
		a.panel.Set(m)
	}
	if m, ok := a.list.Matter(a.want); ok {
		a.want = matter.ID{}
		a.open(m)
		return
	}
	if a.begun || a.thread.ID() != (matter.ID{}) {
		return
	}
	a.begun = true
	id, _ := matter.ParseID(a.opts.Choices.String(prefMatter)) // the zero id is in no list
	m, ok := a.list.Matter(id)
	if !ok {
		m, ok = a.list.First()
	}
	if ok {
		a.openMatter(m)
		if !a.shell.narrow {
			a.thread.FocusComposer()
		}
	}
}

func (a *App) setTitle(unread int) {
	if a.opts.Unread != nil {
		a.opts.Unread(unread, a.env.Words)
	}
	title := "Causa 事由"
	if org := appwidget.OneLine(a.engine.Me().Organisation); org != "" {
		title = org + " · " + title
	}
	if unread > 0 {
		title = a.env.T("(%d) %s", unread, title)
	}
	a.opts.Window.SetTitle(title)
}

func (a *App) toggleDetails() {
	s := a.shell
	if s.Size().Width >= panelFrom {
		s.hidden = !s.hidden
	} else {
		s.panel = !s.panel
	}
	s.Refresh()
	a.lookedAt()
}

// lookedAt tells the thread whether somebody can see it.
func (a *App) lookedAt() {
	s := a.shell
	a.thread.SetActive(!a.away && s.at == placeMatters && (!s.narrow || s.reading && !s.panel))
}

// NewMatter opens the sheet that starts a matter.
func (a *App) NewMatter() {
	if a.engine != nil && a.env.Window.Overlays().Top() == nil {
		newmatter.Show(a.env, a.engine, a.opened)
	}
}

// switchTo gives the keyboard to the search field of the list of matters, or of the
// place where one is.
func (a *App) switchTo() {
	if a.shell == nil || a.env.Window.Overlays().Top() != nil {
		return
	}
	if a.shell.at == placePeople {
		a.people.FocusSearch()
		return
	}
	a.shell.reading = false
	a.Go(placeMatters)
	a.list.FocusSearch()
}

// find leads to the search, within the matter that is open if one is.
func (a *App) find() {
	if m, ok := a.list.Matter(a.thread.ID()); ok && a.shell.at == placeMatters && (!a.shell.narrow || a.shell.reading) {
		a.search.Within(m)
	}
	a.Go(placeSearch)
}

// found opens a matter at what was found in it; seq 0 is its title.
func (a *App) found(id matter.ID, seq uint64) {
	m, ok := a.list.Matter(id)
	if !ok {
		return
	}
	a.open(m)
	if seq > 0 {
		a.thread.Jump(seq)
	}
}
