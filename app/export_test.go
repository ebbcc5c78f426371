package app

// Search is what Ctrl+K does; Fyne's test canvas has no shortcuts.
func (a *App) Search() { a.search() }
