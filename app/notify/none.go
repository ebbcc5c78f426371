//go:build !linux && !windows && !darwin && !android && !ios

package notify

import "errors"

func openSurface(func(key string)) (surface, error) {
	return nil, errors.New("this system's notifications are not known")
}
