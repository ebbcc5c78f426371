package core

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"causa/dnd"
)

// usualZones are tried before all others where a computer does not tell the name of its
// time zone: of zones whose clocks agree, the better known one.
var usualZones = []string{
	"Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo", "Europe/Berlin", "Europe/London", "Europe/Paris",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Asia/Kolkata", "Australia/Sydney", "UTC",
}

// localZone returns the IANA name of this computer's time zone, or "" when it can't be
// found out.
func localZone() string {
	for _, name := range []string{strings.TrimPrefix(os.Getenv("TZ"), ":"), linkedZone("/etc/localtime")} {
		if _, err := dnd.LoadZone(name); err == nil {
			return name
		}
	}
	return zoneLike(time.Local)
}

// linkedZone takes the name out of a link into a time zone database.
func linkedZone(path string) string {
	if runtime.GOOS == "windows" {
		return ""
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	_, name, _ := strings.Cut(target, "zoneinfo/")
	return name
}

// zoneLike returns a zone whose clocks agree with those of loc all through last year, this
// one and the next.
func zoneLike(loc *time.Location) string {
	from := time.Date(time.Now().Year()-1, time.January, 1, 0, 0, 0, 0, time.UTC)
	offsets := func(l *time.Location) (out [157]int) {
		for week := range out {
			_, out[week] = from.AddDate(0, 0, 7*week).In(l).Zone()
		}
		return out
	}
	want := offsets(loc)
	for _, name := range append(usualZones, dnd.Zones()...) {
		if l, err := dnd.LoadZone(name); err == nil && offsets(l) == want {
			return name
		}
	}
	return ""
}
