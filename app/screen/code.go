package screen

import (
	"fmt"
	"image"
	"image/color"

	"causa/app/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"rsc.io/qr"
)

// Code returns a QR code of text, black on white whatever the theme.
func Code(text string) (fyne.CanvasObject, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	const quiet, dot = 4, 4 // modules of free border; pixels a module
	const largest = 270     // on the screen
	n := code.Size + 2*quiet
	img := image.NewGray(image.Rect(0, 0, n*dot, n*dot))
	for y := range n * dot {
		for x := range n * dot {
			v := color.Gray{Y: 0xff}
			if code.Black(x/dot-quiet, y/dot-quiet) {
				v.Y = 0
			}
			img.SetGray(x, y, v)
		}
	}
	shown := canvas.NewImageFromImage(img)
	shown.ScaleMode = canvas.ImageScalePixels
	shown.FillMode = canvas.ImageFillContain
	shown.SetMinSize(fyne.NewSquareSize(float32(n * max(largest/n, 2)))) // whole pixels a module
	card := widget.NewCard(shown)
	card.Inset = widget.Around(2)
	return card, nil
}
