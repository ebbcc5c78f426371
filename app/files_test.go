package app_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"
	"testing"

	"causa/app/apptest"
	"causa/core"
	"causa/matter"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
)

// picture is a preview as a device would make it.
func picture(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for x := range 320 {
		for y := range 200 {
			img.SetRGBA(x, y, color.RGBA{uint8(40 + x/3), uint8(90 + y/3), 150, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// companyWithFiles has files of every sort in the matter that opens first.
func companyWithFiles(t *testing.T) (*apptest.Engine, matter.ID) {
	t.Helper()
	e, id := apptest.Company()
	members, err := e.Members(background())
	if err != nil {
		t.Fatal(err)
	}
	other := members[slices.IndexFunc(members, func(m matter.Member) bool { return m.ID != e.Me().Member.ID })].ID
	at := apptest.Now
	e.Bring(id, matter.Message{Author: other, Time: at, File: &matter.File{Name: "仓库照片.png", Size: 1 << 20, Caption: "昨天拍的 / taken yesterday", Here: true}}, picture(t))
	e.Bring(id, matter.Message{Author: other, Time: at, File: &matter.File{Name: "a very long name of a supply contract, final version 7 (signed).pdf", Size: 3 << 30 / 2}}, nil)
	e.Bring(id, matter.Message{Author: e.Me().Member.ID, Time: at, Delivery: matter.DeliverySent, File: &matter.File{Name: "prices.csv", Size: 300, Here: true}},
		[]byte("item;price\nsoy sauce;4.20\nrice vinegar;3.10"))
	big := e.Bring(id, matter.Message{Author: e.Me().Member.ID, Time: at, Delivery: matter.DeliveryQueued, File: &matter.File{Name: "scan.tif", Size: 80 << 20}}, nil)
	e.Tell(core.FileProgress{File: core.FileOf(big), Up: true, Done: 30 << 20, Total: 80 << 20})
	return e, id
}

func TestGoldenFiles(t *testing.T) {
	for _, l := range []look{wideZh, wideEn, phoneZh, phoneEn} {
		t.Run(l.name, func(t *testing.T) {
			e, id := companyWithFiles(t)
			_, w := open(t, l, e, nil)
			if l == phoneZh || l == phoneEn {
				pressMatter(t, w, "与 Hengda Foods 的年度供货合同")
			}
			for _, m := range messagesOf(t, e, id) {
				if m.Delivery == matter.DeliveryQueued {
					e.Tell(core.FileProgress{File: core.FileOf(m), Up: true, Done: 30 << 20, Total: 80 << 20})
				}
			}
			golden(t, "files-"+l.name, w)
			if l == wideZh || l == wideEn {
				press(t, w, l.tr("Files"))
				golden(t, "files-list-"+l.name, w)
			}
		})
	}
}

func messagesOf(t *testing.T, e *apptest.Engine, id matter.ID) []matter.Message {
	t.Helper()
	ms, err := e.Messages(background(), id, core.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

// Files that are dropped on the window are sent to the matter that is open.
func TestDropSends(t *testing.T) {
	e, id := apptest.Company()
	a, _ := open(t, wideEn, e, nil)
	e.Hold()
	a.Dropped([]fyne.URI{storage.NewFileURI("/tmp/one.txt"), storage.NewFileURI("/tmp/two.txt")})
	var names []string
	for _, m := range messagesOf(t, e, id) {
		if m.File != nil {
			names = append(names, m.File.Name)
		}
	}
	if !slices.Equal(names, []string{"one.txt", "two.txt"}) {
		t.Errorf("sent: %q", names)
	}
}
