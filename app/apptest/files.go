package apptest

import (
	"context"
	"path/filepath"
	"slices"

	"causa/core"
	"causa/matter"
)

// Bring adds a message with a file, as if it had come from the hub.
func (e *Engine) Bring(id matter.ID, m matter.Message, preview []byte) matter.Message {
	m.Kind, m.Text = matter.KindFile, matter.FileText(m.File.Name, m.File.Caption)
	m.File.Preview = len(preview) > 0
	m = e.add(id, m)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.previews == nil {
		e.previews = map[core.FileID][]byte{}
	}
	e.previews[core.FileOf(m)] = preview
	return m
}

// SendFile queues a file; Release sends it.
func (e *Engine) SendFile(_ context.Context, id matter.ID, f core.NewFile) (matter.Message, error) {
	if err := e.wish(); err != nil {
		return matter.Message{}, err
	}
	name := matter.FileName(filepath.Base(f.Path))
	return e.add(id, matter.Message{
		Author: e.self, Time: e.now, Kind: matter.KindFile, Text: name, File: &matter.File{Name: name, Size: 1234}, Delivery: matter.DeliveryQueued,
	}), nil
}

// CancelFile takes back a file that is queued.
func (e *Engine) CancelFile(_ context.Context, id core.FileID) error {
	if err := e.wish(); err != nil {
		return err
	}
	e.mu.Lock()
	e.messages[id.Matter] = slices.DeleteFunc(e.messages[id.Matter], func(m matter.Message) bool { return core.FileOf(m) == id })
	e.mu.Unlock()
	e.Tell(core.MatterChanged{ID: id.Matter})
	return nil
}

// SaveFile pretends to.
func (e *Engine) SaveFile(_ context.Context, id core.FileID, path string) (string, error) {
	return filepath.Join(path, e.fileName(id)), e.wish()
}

// OpenFile pretends to.
func (e *Engine) OpenFile(_ context.Context, id core.FileID) (string, error) {
	return "/opened/" + e.fileName(id), e.wish()
}

func (e *Engine) fileName(id core.FileID) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.messages[id.Matter] {
		if core.FileOf(m) == id {
			return m.File.Name
		}
	}
	return ""
}

// FilePreview returns what Bring was given.
func (e *Engine) FilePreview(_ context.Context, id core.FileID) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.previews[id], nil
}

// Files lists the files of a matter, newest first.
func (e *Engine) Files(_ context.Context, id matter.ID) (out []matter.Message, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.messages[id] {
		if m.Kind == matter.KindFile {
			out = append(out, m)
		}
	}
	slices.Reverse(out)
	return out, e.failure
}

// wish is the error with which wishes fail.
func (e *Engine) wish() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failure
}
