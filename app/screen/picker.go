package screen

import (
	"slices"
	"strings"

	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// A Picker lets one choose among people.
type Picker struct {
	appwidget.Column
	OnChanged func()

	env    *Env
	people []matter.Member
	chosen map[matter.MemberID]bool
	search *appwidget.Entry
	list   *appwidget.Column
}

// mostListed is how many people a picker shows at once; the search finds the others.
const mostListed = 8

// NewPicker returns a picker with nobody chosen.
func NewPicker(env *Env, people []matter.Member) *Picker {
	p := &Picker{env: env, people: people, chosen: map[matter.MemberID]bool{}, list: appwidget.NewColumn(2)}
	p.search = appwidget.NewEntry(env.T("Search people"))
	p.search.OnChanged = func(string) { p.show() }
	p.search.OnSubmitted = func(string) { p.toggleFirst() }
	p.Gap = 8
	p.Column.Set(p.search, p.list)
	p.ExtendBaseWidget(p)
	p.show()
	return p
}

// Focus gives the keyboard to the search field.
func (p *Picker) Focus() { p.env.Window.Focus(p.search) }

// Choose chooses people from the start.
func (p *Picker) Choose(ids ...matter.MemberID) {
	for _, id := range ids {
		p.chosen[id] = true
	}
	p.show()
}

// Chosen returns who was chosen, in the order of the list.
func (p *Picker) Chosen() []matter.MemberID {
	var out []matter.MemberID
	for _, m := range p.people {
		if p.chosen[m.ID] {
			out = append(out, m.ID)
		}
	}
	return out
}

// found returns whom the search means, those chosen first.
func (p *Picker) found() []matter.Member {
	query := strings.ToLower(strings.TrimSpace(p.search.Text))
	var out []matter.Member
	for _, m := range p.people {
		if query == "" || strings.Contains(strings.ToLower(m.Name), query) {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b matter.Member) int {
		switch {
		case p.chosen[a.ID] == p.chosen[b.ID]:
			return 0
		case p.chosen[a.ID]:
			return -1
		}
		return 1
	})
	return out
}

func (p *Picker) toggleFirst() {
	if f := p.found(); len(f) > 0 {
		for _, m := range f {
			if !p.chosen[m.ID] {
				p.search.SetText("")
				p.toggle(m.ID)
				return
			}
		}
	}
}

func (p *Picker) toggle(id matter.MemberID) {
	p.chosen[id] = !p.chosen[id]
	p.show()
}

func (p *Picker) show() {
	var rows []fyne.CanvasObject
	found := p.found()
	for i, m := range found {
		if i == mostListed {
			rows = append(rows, appwidget.NewSmall(p.env.T("%d more. Search to find them.", len(found)-mostListed)))
			break
		}
		rows = append(rows, appwidget.NewOption(m.Name, m.ID[:], p.env.Standing(m), p.chosen[m.ID], func() { p.toggle(m.ID) }))
	}
	if len(rows) == 0 {
		rows = append(rows, appwidget.NewSmall(p.env.T("Nobody has this name.")).In(apptheme.Muted))
	}
	p.list.Set(rows...)
	p.Refresh()
	if p.OnChanged != nil {
		p.OnChanged()
	}
}
