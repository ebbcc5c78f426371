//go:build android || ios

package notify

import "fyne.io/fyne/v2"

// A phone shows notifications by the toolkit.
type phone struct{}

func openSurface(func(key string)) (surface, error) { return phone{}, nil }

func (phone) show(_ string, n Notification) error {
	fyne.CurrentApp().SendNotification(fyne.NewNotification(Clean(n.Title, maxTitle), Clean(n.Body, maxBody)))
	return nil
}

func (phone) remove(string) error { return nil }
func (phone) close() error        { return nil }
