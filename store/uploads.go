package store

import (
	"database/sql"
	"time"

	"causa/matter"
)

// An Upload is a file on its way to the hub. What file it is stands in the [Attachment]
// of this device's message.
type Upload struct {
	Position int64
	Matter   matter.ID
	Message  matter.MessageID
	Time     time.Time
	Caption  string
	Path     string    // empty: the bytes are in the store
	Changed  time.Time // when the file at Path was
	Done     int64     // bytes of the file that the hub has ...
	State    []byte    // ... and the state of the hash over them
	Failed   string    // why it was given up; empty: it was not
}

// AddUpload queues a file.
func (tx *Tx) AddUpload(u Upload) error {
	return tx.exec("INSERT INTO upload(matter, message, time, caption, path, changed) VALUES(?,?,?,?,?,?)",
		u.Matter[:], u.Message[:], millis(u.Time), u.Caption, u.Path, u.Changed.UnixNano())
}

const uploadColumns = "position, matter, message, time, caption, path, changed, done, state, failed"

func (tx *Tx) uploads(where string, args ...any) (out []Upload, err error) {
	err = tx.each(func(r *sql.Rows) error {
		var u Upload
		var id, message []byte
		var at, changed int64
		if err := r.Scan(&u.Position, &id, &message, &at, &u.Caption, &u.Path, &changed, &u.Done, &u.State, &u.Failed); err != nil {
			return err
		}
		u.Matter, u.Message, u.Time, u.Changed = matter.ID(id), matter.MessageID(message), instant(at), time.Unix(0, changed)
		out = append(out, u)
		return nil
	}, "SELECT "+uploadColumns+" FROM upload WHERE "+where+" ORDER BY position", args...)
	return out, err
}

// Uploads lists what is on its way and was not given up, oldest first.
func (tx *Tx) Uploads() ([]Upload, error) { return tx.uploads("failed = ''") }

// UploadsOf lists what is on its way in a matter, also what was given up.
func (tx *Tx) UploadsOf(id matter.ID) ([]Upload, error) { return tx.uploads("matter = ?", id[:]) }

// Upload returns one upload of a matter; ErrNone when there is none.
func (tx *Tx) Upload(id matter.ID, msg matter.MessageID) (Upload, error) {
	us, err := tx.uploads("matter = ? AND message = ?", id[:], msg[:])
	if err != nil || len(us) == 0 {
		return Upload{}, orNone(err)
	}
	return us[0], nil
}

func orNone(err error) error {
	if err == nil {
		err = ErrNone
	}
	return err
}

// UploadsLen counts what is on its way and was not given up.
func (tx *Tx) UploadsLen() (n int, err error) {
	err = tx.one([]any{&n}, "SELECT count(*) FROM upload WHERE failed = ''")
	return n, err
}

// SetUploadDone notes how far an upload has come.
func (tx *Tx) SetUploadDone(position, done int64, state []byte) error {
	return tx.exec("UPDATE upload SET done = ?, state = ? WHERE position = ?", done, append([]byte{}, state...), position)
}

// SetUploadFailed gives an upload up.
func (tx *Tx) SetUploadFailed(position int64, why string) error {
	return tx.exec("UPDATE upload SET failed = ? WHERE position = ?", why, position)
}

// DropUpload forgets an upload that has arrived, or that nobody wants any more.
func (tx *Tx) DropUpload(position int64) error {
	return tx.exec("DELETE FROM upload WHERE position = ?", position)
}
