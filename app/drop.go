package app

import "fyne.io/fyne/v2"

// dropped takes files that were dropped onto the window: they are for the matter that is
// open.
func (a *App) dropped(_ fyne.Position, uris []fyne.URI) {
	if a.shell == nil || a.env.Window.Overlays().Top() != nil || a.shell.at != placeMatters {
		return
	}
	var paths []string
	for _, u := range uris {
		if u.Scheme() == "file" {
			paths = append(paths, u.Path())
		}
	}
	if len(paths) > 0 {
		a.thread.Attach(paths)
	}
}
