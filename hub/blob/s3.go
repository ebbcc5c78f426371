package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// An S3Options says where a bucket is.
type S3Options struct {
	Endpoint string // host or host:port
	Bucket   string // must exist
	Prefix   string // what names in the bucket begin with; may be empty
	Region   string // may be empty
	Access   string // access key id
	Secret   string // secret access key
	Plain    bool   // HTTP instead of HTTPS
}

// S3 is a [Store] in a bucket of an S3-compatible service.
type S3 struct {
	client         *minio.Client
	bucket, prefix string
}

// OpenS3 opens the store in a bucket.
func OpenS3(ctx context.Context, o S3Options) (*S3, error) {
	c, err := minio.New(o.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(o.Access, o.Secret, ""), Secure: !o.Plain, Region: o.Region, MaxRetries: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	ok, err := c.BucketExists(ctx, o.Bucket)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	if !ok {
		return nil, errors.New("open bucket: there is no such bucket")
	}
	return &S3{c, o.Bucket, o.Prefix}, nil
}

// Put implements [Store].
func (s *S3) Put(ctx context.Context, name, file string) error {
	if _, err := s.client.FPutObject(ctx, s.bucket, s.prefix+name, file, minio.PutObjectOptions{ContentType: "application/octet-stream"}); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	return nil
}

// Mark implements [Store]. The object has one byte: not every service takes empty ones.
func (s *S3) Mark(ctx context.Context, name string) error {
	if _, err := s.client.PutObject(ctx, s.bucket, s.prefix+name, strings.NewReader("1"), 1, minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("mark blob: %w", err)
	}
	return nil
}

// Open implements [Store]. ctx must last as long as the reading.
func (s *S3) Open(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	o, err := s.client.GetObject(ctx, s.bucket, s.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	if _, err := o.Stat(); err != nil {
		_ = o.Close() // it was never read
		if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
			return nil, ErrNone
		}
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return o, nil
}

// Delete implements [Store].
func (s *S3) Delete(ctx context.Context, names ...string) error {
	var errs []error
	for _, name := range names {
		err := s.client.RemoveObject(ctx, s.bucket, s.prefix+name, minio.RemoveObjectOptions{})
		if err != nil && minio.ToErrorResponse(err).StatusCode != http.StatusNotFound {
			errs = append(errs, fmt.Errorf("delete blob: %w", err))
		}
	}
	return errors.Join(errs...)
}

// List implements [Store].
func (s *S3) List(ctx context.Context, prefix string, f func(Object) error) error {
	ctx, stop := context.WithCancel(ctx) // ends the listing when f does
	defer stop()
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("list blobs: %w", o.Err)
		}
		if err := f(Object{o.Key[len(s.prefix):], o.Size, o.LastModified}); err != nil {
			return err
		}
	}
	return nil
}
