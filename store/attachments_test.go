//go:build cgo

package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causa/matter"
)

// A file's key goes with its message, and nobody can take the place of another's file.
func TestAttachments(t *testing.T) {
	db, ctx := OpenTemp(t), context.Background()
	id, msg := matter.ID{1}, matter.MessageID{2}
	alice := Attachment{
		FileID: FileID{id, matter.DeviceID{3}, msg}, Remote: [16]byte{4}, Key: [32]byte{5}, Digest: [32]byte{6},
		Name: "a.txt", Type: "text/plain", Size: 7, Duration: 8 * time.Second, Preview: []byte{},
	}
	mallory := alice
	mallory.Device, mallory.Name = matter.DeviceID{9}, "other.txt"
	if alice.Blob() == mallory.Blob() {
		t.Error("two devices' files have one place")
	}
	err := db.Update(ctx, func(tx *Tx) error {
		if err := tx.NewMatter(matter.Matter{ID: id, Title: "x", Class: matter.ClassGeneral, State: matter.StateOpen}, matter.DeviceID{}, 0); err != nil {
			return err
		}
		for i, a := range []Attachment{alice, mallory} {
			m := matter.Message{ID: a.Message, Matter: id, Device: a.Device, Seq: uint64(i + 1), Time: time.UnixMilli(1000), Kind: matter.KindFile, Text: matter.FileText(a.Name, "a word")}
			if err := tx.AddAttachment(a); err != nil {
				return err
			}
			if _, err := tx.AddMessage(m, matter.MemberID{}); err != nil {
				return err
			}
		}
		again := alice
		again.Name = "replaced"
		return errors.Join(tx.AddAttachment(again), tx.AddBlob(Blob{ID: mallory.Blob(), Matter: id, Message: msg}), tx.PutBlobPart(mallory.Blob(), 0, []byte("x")),
			tx.AddBlob(Blob{ID: alice.Blob(), Matter: id, Message: msg}), tx.SetPreview(mallory.FileID, []byte("small")), tx.SetWantedFile(alice.FileID, true))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(ctx, func(tx *Tx) error {
		got, err := tx.WantedFiles(10)
		if err != nil {
			return err
		}
		want := alice
		want.Wanted = true
		if diff := cmp.Diff([]Attachment{want}, got); diff != "" {
			t.Errorf("wanted files (-want +got):\n%s", diff)
		}
		ms, err := tx.Attachments(id, 10)
		if err != nil {
			return err
		}
		if len(ms) != 2 || ms[0].File.Name != "other.txt" || !ms[0].File.Preview || ms[1].File.Name != "a.txt" || ms[1].File.Caption != "a word" {
			t.Errorf("files of the matter: %+v", ms)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(ctx, func(tx *Tx) error { return tx.ClearMessage(id, 1) })
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(ctx, func(tx *Tx) error {
		if _, err := tx.Attachment(alice.FileID); !errors.Is(err, ErrNone) {
			t.Errorf("the key of a file that was taken back: %v", err)
		}
		ms, err := tx.Messages(id, 0, 10)
		if err != nil {
			return err
		}
		if ms[0].File != nil {
			t.Errorf("a message that was taken back has file %+v", ms[0].File)
		}
		if ms[1].File == nil {
			t.Error("with a file, another one's of the same id is gone")
		}
		n, err := tx.BlobParts(mallory.Blob())
		if n != 1 {
			t.Errorf("and %d parts of its bytes are left", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUploads(t *testing.T) {
	db, ctx := OpenTemp(t), context.Background()
	id := matter.ID{1}
	u := Upload{Matter: id, Message: matter.MessageID{2}, Time: time.UnixMilli(5), Caption: "c", Path: "/x", Changed: time.Unix(7, 8), State: []byte{}}
	err := db.Update(ctx, func(tx *Tx) error {
		if err := tx.NewMatter(matter.Matter{ID: id, Title: "x", Class: matter.ClassGeneral, State: matter.StateOpen}, matter.DeviceID{}, 0); err != nil {
			return err
		}
		return tx.AddUpload(u)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(ctx, func(tx *Tx) error {
		got, err := tx.Upload(id, u.Message)
		if err != nil {
			return err
		}
		u.Position = got.Position
		if diff := cmp.Diff(u, got); diff != "" {
			t.Errorf("upload (-want +got):\n%s", diff)
		}
		if err := errors.Join(tx.SetUploadDone(u.Position, 9, []byte("state")), tx.SetUploadFailed(u.Position, "why")); err != nil {
			return err
		}
		if n, err := tx.UploadsLen(); n != 0 || err != nil {
			t.Errorf("%d uploads wait, %v", n, err)
		}
		all, err := tx.UploadsOf(id)
		if err != nil || len(all) != 1 || all[0].Done != 9 || string(all[0].State) != "state" || all[0].Failed != "why" {
			t.Errorf("uploads: %+v, %v", all, err)
		}
		if err := tx.DropUpload(u.Position); err != nil {
			return err
		}
		if _, err := tx.Upload(id, u.Message); !errors.Is(err, ErrNone) {
			t.Errorf("a dropped upload: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
