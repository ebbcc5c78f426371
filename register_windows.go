package main

import (
	"context"
	"errors"

	"golang.org/x/sys/windows/registry"
)

// register tells Windows, for this user, that the program at path opens causa: links.
func register(_ context.Context, path string) (err error) {
	set := func(key, name, value string) {
		k, _, e := registry.CreateKey(registry.CURRENT_USER, `Software\Classes\`+key, registry.SET_VALUE)
		if e == nil {
			e = errors.Join(k.SetStringValue(name, value), k.Close())
		}
		err = errors.Join(err, e)
	}
	set("causa", "", "URL:Causa")
	set("causa", "URL Protocol", "")
	set(`causa\DefaultIcon`, "", `"`+path+`",0`)
	set(`causa\shell\open\command`, "", `"`+path+`" "%1"`)
	return err
}
