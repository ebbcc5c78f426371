package widget

import "fyne.io/fyne/v2"

// A Choice is a group of chips of which one is chosen.
type Choice struct {
	Wrapping
	OnChanged func(index int)

	chips  []*Chip
	chosen int
}

// NewChoice returns a choice between texts, with one chosen (-1: none).
func NewChoice(texts []string, chosen int, changed func(index int)) *Choice {
	c := &Choice{OnChanged: changed, chosen: chosen}
	c.Gap = 8
	var objects []fyne.CanvasObject
	for i, t := range texts {
		chip := NewChip(t, i == chosen, func() { c.Choose(i) })
		c.chips = append(c.chips, chip)
		objects = append(objects, chip)
	}
	c.objects = objects
	c.ExtendBaseWidget(c)
	return c
}

// Choose chooses one and tells OnChanged.
func (c *Choice) Choose(i int) {
	c.Mark(i)
	if c.OnChanged != nil {
		c.OnChanged(i)
	}
}

// Mark chooses one (-1: none) without telling.
func (c *Choice) Mark(i int) {
	c.chosen = i
	for j, chip := range c.chips {
		chip.SetChosen(i == j)
	}
}

// Chosen returns the index of the chosen one, or -1.
func (c *Choice) Chosen() int { return c.chosen }
