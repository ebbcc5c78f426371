//go:build !cgo

// Package faultvfs needs cgo; without it there is nothing in it.
package faultvfs
