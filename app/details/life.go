package details

import (
	"context"
	"strings"

	"causa/matter"

	"fyne.io/fyne/v2"
)

// life is what changes have made of the matter, as far as there is any.
func (p *Panel) life() (out []fyne.CanvasObject) {
	env, m := p.env, p.m
	if m.Ref != "" {
		out = append(out, fact(env.T("Reference"), m.Ref))
	}
	if w := m.WaitsFor; w != nil {
		var parts []string
		if !w.On.IsZero() {
			parts = append(parts, env.NameOrYou(w.On))
		}
		if w.Why != "" {
			parts = append(parts, w.Why)
		}
		if !w.Until.IsZero() {
			parts = append(parts, env.Words.Date(w.Until, env.Now()))
		}
		out = append(out, fact(env.T("Waiting for"), strings.Join(parts, " · ")))
	}
	if len(m.Labels) > 0 {
		out = append(out, fact(env.T("Labels"), strings.Join(m.Labels, env.T(", "))))
	}
	if m.History == matter.HistoryEverything {
		out = append(out, fact(env.T("Newcomers"), env.T("read everything")))
	}
	if c := m.Proposal; c != nil {
		out = append(out, fact(env.T("To be signed"), c.Decision), fact(env.T("Signed by"), env.Names(c.Signed)))
	}
	return out
}

// act returns what a button does that needs no more to be said.
func (p *Panel) act(do func(context.Context, matter.ID) (matter.Message, error)) func() {
	id := p.m.ID
	return func() {
		p.env.Do(func(ctx context.Context) error {
			_, err := do(ctx, id)
			return err
		}, p.env.TellFault)
	}
}
