package app

import (
	apptheme "causa/app/theme"
	appwidget "causa/app/widget"
	"causa/internal/words"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// A shortcut is a key that leads somewhere from anywhere.
type shortcut struct {
	keys  string // as people read them
	means string
}

// shortcuts are all of them, for the sheet that F1 opens.
var shortcuts = []shortcut{
	{"Ctrl+K", words.Mark("Go to a matter")},
	{"Ctrl+F", words.Mark("Search everything said")},
	{"Ctrl+N", words.Mark("New matter")},
	{"Alt+↑  Alt+↓", words.Mark("Matter above, matter below")},
	{"Ctrl+1  2  3", words.Mark("Matters, people, search")},
	{"Ctrl+,", words.Mark("Settings")},
	{"Ctrl+L", words.Mark("Lock, if there is a passcode")},
	{"Enter", words.Mark("Send")},
	{"Shift+Enter", words.Mark("New line")},
	{"Page ↑  Page ↓", words.Mark("Scroll the thread while writing")},
	{"Shift+Tab, ↑  ↓", words.Mark("Select messages of the thread")},
	{"Ctrl+C", words.Mark("Copy what is selected")},
	{"Tab", words.Mark("Next button or field")},
	{"Esc", words.Mark("Back, or close")},
	{"F1", words.Mark("This list")},
}

// showShortcuts opens the list of shortcuts.
func (a *App) showShortcuts() {
	if a.env.Window.Overlays().Top() != nil {
		return
	}
	column := appwidget.NewColumn(9)
	for _, s := range shortcuts {
		keys := appwidget.NewPill(s.keys, apptheme.Tint{Ground: apptheme.Field, Ink: apptheme.Text})
		keys.Height, keys.Points = 24, apptheme.SizeTiny
		column.Add(appwidget.NewRow(12, 0, appwidget.NewText(a.env.T(s.means)), keys))
	}
	appwidget.ShowSheet(a.env.Window, a.env.T("Keyboard shortcuts"), 420, column, nil)
}

func (a *App) addShortcuts() {
	c := a.opts.Window.Canvas()
	add := func(key fyne.KeyName, mod fyne.KeyModifier, f func()) {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: mod}, func(fyne.Shortcut) { f() })
	}
	inside := func(f func()) func() {
		return func() {
			if a.shell != nil && a.env.Window.Overlays().Top() == nil {
				f()
			}
		}
	}
	ctrl := fyne.KeyModifierShortcutDefault
	add(fyne.KeyK, ctrl, a.switchTo)
	add(fyne.KeyF, ctrl, inside(a.find))
	add(fyne.KeyN, ctrl, a.NewMatter)
	add(fyne.KeyL, ctrl, a.Lock)
	add(fyne.KeyComma, ctrl, inside(func() { a.Go(placeSettings) }))
	for i, key := range []fyne.KeyName{fyne.Key1, fyne.Key2, fyne.Key3} {
		add(key, ctrl, inside(func() { a.Go(place(i)) }))
	}
	add(fyne.KeyUp, fyne.KeyModifierAlt, inside(func() { a.list.Step(-1) }))
	add(fyne.KeyDown, fyne.KeyModifierAlt, inside(func() { a.list.Step(1) }))
	c.SetOnTypedKey(func(k *fyne.KeyEvent) {
		switch k.Name {
		case fyne.KeyEscape, "Back": // the Back key of a phone
			a.Back()
		case fyne.KeyF1:
			a.showShortcuts()
		}
	})
	life := fyne.CurrentApp().Lifecycle()
	look := func(away bool) func() {
		return func() {
			a.away = away
			if a.shell != nil {
				a.lookedAt()
			}
		}
	}
	life.SetOnEnteredForeground(look(false))
	life.SetOnExitedForeground(look(true))
}
