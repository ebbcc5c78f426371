package thread

// Attach takes files that were dropped onto the window, or whose names were pasted, for
// the matter that is open.
func (t *Thread) Attach(paths []string) {
	if t.OnFiles != nil && !t.m.ID.IsZero() && t.composer.Visible() {
		t.OnFiles(t.m.ID, paths)
	}
}
