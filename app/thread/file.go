package thread

import (
	appwidget "causa/app/widget"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
)

// fileWidest is the most that the card of a file is wide.
const fileWidest float32 = 280

// said is what a message says in words: of a file, only what its sender said of it.
func said(m *matter.Message) string {
	if m.File != nil {
		return m.File.Caption
	}
	return m.Text
}

// setFile lays out the card of a message's file, and returns its width; 0 when there is
// none.
func (r *row) setFile(width float32) float32 {
	m := r.it.msg
	if m.File == nil {
		return 0
	}
	if r.card == nil {
		r.card = appwidget.NewFileCard()
	}
	r.card.OnTapped = func(at fyne.Position) { r.desk.Menu(m, at) }
	r.filed = r.card.Set(r.desk.Look(m), width)
	r.card.Resize(fyne.NewSize(width, r.filed))
	return width
}

// placeFile puts the card into the bubble.
func (r *row) placeFile(y float32) {
	if r.it.msg.File != nil {
		r.card.Move(fyne.NewPos(r.bubble.X+padX, y))
		r.objects = append(r.objects, r.card)
	}
}

// Attached shows anew how a file is getting on.
func (t *Thread) Attached(id core.FileID) {
	if id.Matter == t.m.ID {
		t.stream.forget()
		t.stream.place()
	}
}

// Fetched reads anew what is known of a file that is here now, or taken back.
func (t *Thread) Fetched(id core.FileID) {
	if id.Matter == t.m.ID {
		t.load(0, pageSize)
	}
}

// Drop sends the files that were dropped on the window to the matter that is open.
func (t *Thread) Drop(uris []fyne.URI) {
	if t.m.ID.IsZero() || !t.composer.Visible() {
		return
	}
	var paths []string
	for _, u := range uris {
		if u.Scheme() == "file" {
			paths = append(paths, u.Path())
		}
	}
	t.desk.Send(t.m.ID, paths...)
}
