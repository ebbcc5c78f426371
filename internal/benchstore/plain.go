//go:build cgo

package main

import (
	"context"
	"database/sql/driver"
)

func (p plain) Connect(context.Context) (driver.Conn, error) { return plainDriver().Open(p.uri()) }
func (p plain) Driver() driver.Driver                        { return plainDriver() }
