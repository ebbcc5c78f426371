package dnd

import (
	"archive/zip"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"causa/internal/fault"
)

func TestZones(t *testing.T) {
	names := Zones()
	if !slices.IsSorted(names) || len(names) < 500 {
		t.Fatalf("%d zones, or not in order", len(names))
	}
	for _, name := range names {
		if _, err := LoadZone(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The list has every zone that the Go distribution has.
func TestZonesAreAll(t *testing.T) {
	r, err := zip.OpenReader(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")) //nolint:staticcheck // a test runs where it is built
	if err != nil {
		t.Skipf("the Go distribution has no zones here: %v", err)
	}
	defer func() { _ = r.Close() }()
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") || f.Name == "Factory" {
			continue
		}
		if !slices.Contains(Zones(), f.Name) {
			t.Errorf("zones.txt lacks %s", f.Name)
		}
	}
}

func TestUnknownZone(t *testing.T) {
	for _, name := range []string{
		"", "Local", "Mars/Olympus", "asia/shanghai", "ASIA/SHANGHAI", "right/Asia/Shanghai", "posix/UTC", "../UTC", "/etc/localtime",
		"Asia//Shanghai", "Asia/Shanghai/", "Asia\\Shanghai", "Asia/Shanghai\x00", "Asia/..", "Etc/GMT:1", "UTC ", "Zürich", strings.Repeat("A", 65),
	} {
		_, err := LoadZone(name)
		var unknown *ZoneError
		if !errors.As(err, &unknown) || unknown.Name != name {
			t.Errorf("LoadZone(%q) = %v", name, err)
		}
		if text, hint := fault.Words(err, nil); text == fault.General || hint == "" {
			t.Errorf("no words for the unknown zone %q", name)
		}
		var c Compiler
		if _, err := c.Compile(Floor{}, Rules{Zone: name, Windows: []Window{nights}}); err == nil {
			t.Errorf("a plan in the zone %q", name)
		}
	}
}

// The quick table says what the standard library says, in every zone, on both sides of
// every change and over the seams: years before and after the table, leap years.
func TestZoneTable(t *testing.T) {
	step := 41 * time.Hour
	if testing.Short() {
		step *= 16
	}
	for _, name := range Zones() {
		z := newZone(mustZone(t, name))
		check := func(at int64) {
			_, want := time.Unix(at, 0).In(z.loc).Zone()
			got := z.at(at)
			if got.offset != int64(want) || got.until <= at {
				t.Fatalf("%s at %v: offset %d until %d, want offset %d", name, time.Unix(at, 0).UTC(), got.offset, got.until, want)
			}
		}
		for i, s := range z.table {
			if s.until == forever {
				continue
			}
			check(s.until - 1)
			check(s.until)
			if i > 0 && z.table[i-1].offset == s.offset {
				t.Errorf("%s has two stretches for one", name)
			}
		}
		for at := time.Date(2030, 1, 1, 5, 0, 0, 0, time.UTC); at.Year() < 2050; at = at.Add(step) {
			check(at.Unix())
		}
		for _, seam := range []int64{tableFrom, tableTo, Date(2040, 12, 31).Time().Unix(), Date(2096, 12, 31).Time().Unix(), Date(2104, 12, 31).Time().Unix()} {
			for _, d := range []int64{-secondsPerDay, -1, 0, 1, secondsPerDay - 1, secondsPerDay} {
				check(seam + d)
			}
		}
	}
}
