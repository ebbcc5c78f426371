package app

import (
	"net/url"

	"causa/app/files"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
)

// newDesk makes what handles files, with the system's ways of choosing and opening them.
func (a *App) newDesk() *files.Desk {
	d := files.New(a.env, a.engine)
	d.Choose = func(chosen func(path string)) {
		dialog.ShowFileOpen(func(r fyne.URIReadCloser, err error) {
			if err != nil || r == nil {
				a.env.TellFault(err)
				return
			}
			path := r.URI().Path()
			if err := r.Close(); err != nil { // it was not read
				a.env.TellFault(err)
				return
			}
			chosen(path)
		}, a.opts.Window)
	}
	d.Show = func(path string) error { return fyne.CurrentApp().OpenURL(&url.URL{Scheme: "file", Path: path}) }
	return d
}

// Dropped sends the files that were dropped on the window to the matter that is open.
func (a *App) Dropped(uris []fyne.URI) {
	if a.shell != nil && a.shell.at == placeMatters && a.env.Window.Overlays().Top() == nil {
		a.thread.Drop(uris)
	}
}
