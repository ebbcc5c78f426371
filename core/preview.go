package core

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"unicode/utf8"

	_ "image/gif" // decoders of what people send

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // a decoder of what people send
)

const (
	previewSide   = 480      // pixels of the longer side
	previewLines  = 12       // of a text ...
	previewText   = 1 << 10  // ... and bytes
	maxPicture    = 24 << 20 // bytes of a picture that is looked at
	maxPixels     = 24e6     // and its pixels: 100 MB when decoded
	maxPreview    = 96 << 10 // bytes of a preview
	previewJPEG   = 80
	thinnerPixels = 8 // of the shorter side: less shows nothing
)

func isPicture(typ string) bool {
	switch typ {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return true
	}
	return false
}

func isText(typ string) bool { return strings.HasPrefix(typ, "text/") }

// previewOf makes a preview of a file: a small picture, or the first lines. What can't be
// read, or would cost too much, has none. The type is only a hint: who sent the file may
// lie.
func previewOf(typ string, size int64, from io.ReaderAt) []byte {
	switch {
	case isPicture(typ) && size <= maxPicture:
		return previewPicture(io.NewSectionReader(from, 0, size))
	case isText(typ):
		return previewLinesOf(io.NewSectionReader(from, 0, min(size, previewText)))
	}
	return nil
}

func previewPicture(r io.ReadSeeker) []byte {
	head, format, err := image.DecodeConfig(r)
	if err != nil || head.Width < thinnerPixels || head.Height < thinnerPixels || float64(head.Width)*float64(head.Height) > maxPixels {
		return nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil
	}
	img, _, err := image.Decode(r)
	if err != nil || img.Bounds().Dx() > head.Width || img.Bounds().Dy() > head.Height {
		return nil
	}
	w, h := fit(img.Bounds().Dx(), img.Bounds().Dy())
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	var b bytes.Buffer
	if format != "jpeg" && !small.Opaque() {
		err = png.Encode(&b, small)
	} else {
		err = jpeg.Encode(&b, small, &jpeg.Options{Quality: previewJPEG})
	}
	if err != nil || b.Len() > maxPreview {
		return nil
	}
	return b.Bytes()
}

// fit returns a size within the preview's with the same proportions. It never enlarges.
func fit(w, h int) (int, int) {
	long := max(w, h)
	if long <= previewSide {
		return w, h
	}
	return max(1, w*previewSide/long), max(1, h*previewSide/long)
}

// previewLinesOf returns the first lines of a text in UTF-8; nil for anything else.
func previewLinesOf(r io.Reader) []byte {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	for range utf8.UTFMax { // the cut may go through a character
		if len(b) > 0 && !utf8.Valid(b) {
			b = b[:len(b)-1]
		}
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return nil
	}
	text, err := cleanText(string(b))
	if err != nil {
		return nil
	}
	lines := strings.SplitN(text, "\n", previewLines+1)
	return []byte(strings.Join(lines[:min(len(lines), previewLines)], "\n"))
}
