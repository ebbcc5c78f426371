package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"sync/atomic"
	"time"

	"causa/hub/blob"
	"causa/hub/db"
	"causa/internal/fault"
	"causa/matter"
	"causa/wire"
	"causa/wire/pb"
)

const (
	blobsFolder   = "blobs"          // whole blobs, unless they are in a bucket
	uploadsFolder = "uploads"        // what is being brought
	metaBlobKey   = "blob token key" // signs tokens
	grantTime     = 15 * time.Minute // how long a token is good for
	sweepEvery    = time.Hour        // how often blobs are looked for that nobody waits for
	blobTimeout   = 30 * time.Second // for what the store is asked while a device waits
)

// blobs serves the encrypted files that belong to matters. Its right to do so comes from
// the database, its rates from the device's.
type blobs struct {
	hub   *Hub
	depot *blob.Depot
	key   blob.TokenKey

	brought, fetched, refused atomic.Uint64 // bytes, bytes, requests
}

// openBlobs opens the store of blobs and the key of tokens.
func (h *Hub) openBlobs(ctx context.Context) error {
	b := &blobs{hub: h}
	store, err := h.blobStore(ctx)
	if err != nil {
		return err
	}
	b.depot, err = blob.Open(ctx, blob.Options{
		Store: store, Staging: filepath.Join(h.opts.Data, uploadsFolder),
		PerDevice: h.opts.BlobsPerDevice, Total: h.opts.BlobsTotal, Expire: h.opts.BlobExpiry, Now: h.opts.now,
	})
	if err != nil {
		return blobFault(err)
	}
	key, ok, err := h.db.Meta(ctx, metaBlobKey)
	if err != nil {
		return storeFault(err)
	}
	if !ok {
		key = make([]byte, len(b.key))
		_, _ = rand.Read(key) // never fails
		if err := h.db.Write(ctx, func(tx *db.Tx) error { return tx.SetMeta(metaBlobKey, key) }); err != nil {
			return storeFault(err)
		}
	}
	if copy(b.key[:], key) != len(b.key) {
		return storeFault(errors.New("blob token key has another length"))
	}
	h.blobs = b
	return nil
}

// blobStore opens the bucket that the operator named, or a folder.
func (h *Hub) blobStore(ctx context.Context) (blob.Store, error) {
	if h.opts.Bucket.Bucket == "" {
		s, err := blob.OpenFiles(filepath.Join(h.opts.Data, blobsFolder))
		if err != nil {
			return nil, blobFault(err)
		}
		return s, nil
	}
	ctx, stop := context.WithTimeout(ctx, blobTimeout)
	defer stop()
	s, err := blob.OpenS3(ctx, h.opts.Bucket)
	if err != nil {
		return nil, &fault.Error{
			Text: "The bucket for files can't be used.",
			Hint: "Check its address, its name and the keys, and that the bucket exists.",
			Err:  err,
		}
	}
	return s, nil
}

func blobFault(err error) error {
	return &fault.Error{Text: "The folder for files can't be used.", Hint: "Let the hub read and write there, and see that there is room.", Err: err}
}

// refuseBlob is what a peer is told about an error of the depot.
func refuseBlob(err error) error {
	switch {
	case errors.Is(err, blob.ErrNone):
		return refuse(wire.CodeNoBlob)
	case errors.Is(err, blob.ErrQuota):
		return refuse(wire.CodeBlobQuota)
	case errors.Is(err, blob.ErrOthers):
		return refuse(wire.CodeNotAllowed)
	case errors.Is(err, blob.ErrSize):
		return refuse(wire.CodeMalformed)
	case errors.Is(err, blob.ErrBusy), errors.Is(err, blob.ErrClosed):
		return busy(time.Second)
	case errors.Is(err, blob.ErrFull):
		return &refusal{&pb.Failure{Code: uint32(wire.CodeFull), RetryAfterMs: 5000}}
	}
	return err
}

// grantBlob gives a device that is in a matter a token for one of its blobs.
func (s *session) grantBlob(m *pb.GrantBlob) (*pb.HubFrame, error) {
	ctx, stop := context.WithTimeout(context.Background(), blobTimeout)
	defer stop()
	h := s.hub
	k := blob.Key{Matter: matter.ID(m.GetMatter()), ID: [16]byte(m.GetBlob())}
	if err := s.mustBeIn(ctx, k.Matter); err != nil {
		return nil, err
	}
	g := blob.Grant{Key: k, Device: s.device, Direction: blob.Direction(m.GetDirection()), Expires: h.opts.now().Add(grantTime)}
	if g.Direction == blob.Upload {
		g.Size = int64(m.GetSize()) // at most wire.MaxBlob
		if err := h.blobs.depot.Reserve(ctx, k, s.device, g.Size); err != nil {
			return nil, refuseBlob(err)
		}
	} else if _, err := h.blobs.depot.Stat(ctx, k); err != nil {
		return nil, refuseBlob(err)
	}
	return &pb.HubFrame{Body: &pb.HubFrame_BlobGrant{BlobGrant: &pb.BlobGrant{
		Token: h.blobs.key.Token(g), ExpiresMs: g.Expires.UnixMilli(),
	}}}, nil
}

func (s *session) mustBeIn(ctx context.Context, id matter.ID) error {
	in, err := s.hub.db.IsIn(ctx, id, s.no)
	if err == nil && !in {
		err = refuse(wire.CodeNoMatter)
	}
	return err
}

// dropBlob deletes a blob that the device brought.
func (s *session) dropBlob(m *pb.DropBlob) (*pb.HubFrame, error) {
	ctx, stop := context.WithTimeout(context.Background(), blobTimeout)
	defer stop()
	k := blob.Key{Matter: matter.ID(m.GetMatter()), ID: [16]byte(m.GetBlob())}
	if err := s.hub.blobs.depot.Drop(ctx, k, s.device); err != nil {
		return nil, refuseBlob(err)
	}
	return done(), nil
}

// nameBlobs keeps the blobs that a message is about to name. That comes before the
// message: a crash between leaves a blob too long, never a message without its file.
func (s *session) nameBlobs(m *pb.SendContent) error {
	if len(m.GetBlobs()) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), blobTimeout)
	defer stop()
	if err := s.mustBeIn(ctx, matter.ID(m.GetMatter())); err != nil {
		return err
	}
	for _, id := range m.GetBlobs() {
		k := blob.Key{Matter: matter.ID(m.GetMatter()), ID: [16]byte(id)}
		if err := s.hub.blobs.depot.Name(ctx, k); err != nil {
			return refuseBlob(err)
		}
	}
	return nil
}

// sweepBlobs deletes blobs that nobody waits for, until ctx ends.
func (h *Hub) sweepBlobs(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// What a message names goes with retention (retain), which minds the clock.
		if err := h.blobs.depot.Sweep(ctx, time.Time{}); err != nil && ctx.Err() == nil {
			h.log.Warn("old files were not deleted", "err", err)
		}
	}
}

// expose writes what there is to measure.
func (b *blobs) expose(e *exposition) {
	u := b.depot.Usage()
	e.single("blobs", "gauge", "Encrypted files kept.", float64(u.Blobs))
	e.single("blob_uploads", "gauge", "Uploads that are not finished.", float64(u.Uploads))
	e.single("blob_bytes", "gauge", "Bytes of encrypted files, and those announced.", float64(u.Bytes))
	e.single("blob_brought_bytes_total", "counter", "Bytes of encrypted files taken in.", float64(b.brought.Load()))
	e.single("blob_fetched_bytes_total", "counter", "Bytes of encrypted files handed out.", float64(b.fetched.Load()))
	e.single("blob_refused_total", "counter", "Requests for encrypted files that were refused.", float64(b.refused.Load()))
}
