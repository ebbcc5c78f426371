package dnd

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // for machines without a time zone database, such as phones and Windows

	"causa/internal/fault"
)

//go:embed zones.txt
var zoneNames string

// Zones returns the names of all IANA time zones, in order.
func Zones() []string { return strings.Fields(zoneNames) }

const maxZone = 64

// A ZoneError says that this program knows no time zone of that name. It carries words
// for people, see [fault.Words].
type ZoneError struct {
	Name  string
	words *fault.Error
}

func (e *ZoneError) Error() string { return fmt.Sprintf("unknown time zone %q", e.Name) }

// Unwrap returns the words.
func (e *ZoneError) Unwrap() error { return e.words }

func unknownZone(name string, err error) error {
	return &ZoneError{Name: name, words: &fault.Error{
		Text:     "The time zone %s is not known here.",
		TextArgs: []any{name},
		Hint:     "Choose a time zone from the list, or update Causa.",
		Err:      err,
	}}
}

// zoneSyntax reports whether name can be that of a zone: words of letters, digits, "_",
// "+" and "-" between slashes, such as America/Port-au-Prince, beginning with a capital.
// So it is no path outside the database, and none of the names "", Local, posix/… and
// right/… that Go or some systems give a meaning of their own.
func zoneSyntax(name string) bool {
	if len(name) == 0 || len(name) > maxZone || name[0] < 'A' || name[0] > 'Z' || name == "Local" {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" {
			return false
		}
		for _, c := range []byte(part) {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '+', c == '-':
			default:
				return false
			}
		}
	}
	return true
}

// LoadZone returns the time zone of that name, or a [ZoneError]. A machine that does not
// know the zone is helped out by the database inside the program.
func LoadZone(name string) (*time.Location, error) {
	if !zoneSyntax(name) {
		return nil, unknownZone(name, nil)
	}
	// A file system that doesn't tell capitals apart would find names that others don't.
	names := Zones()
	if !slices.Contains(names, name) && slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, name) }) {
		return nil, unknownZone(name, nil)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknownZone(name, err)
	}
	return loc, nil
}

// The years that a zone keeps ready; others are looked up where they are.
var (
	tableFrom = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	tableTo   = time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

const forever = math.MaxInt64

// A stretch is a run of time during which a zone keeps its distance from UTC.
type stretch struct {
	until  int64 // the first second after it
	offset int64 // seconds east of UTC
}

// A zone is a time zone made for quick lookups. It is safe for concurrent use.
type zone struct {
	loc   *time.Location
	table []stretch // without a gap from tableFrom to past tableTo
}

func newZone(loc *time.Location) *zone {
	z := &zone{loc: loc}
	for t := tableFrom; t < tableTo; {
		s := z.compute(t)
		if n := len(z.table); n > 0 && z.table[n-1].offset == s.offset {
			z.table[n-1].until = s.until // only the zone's name changes
		} else {
			z.table = append(z.table, s)
		}
		t = s.until
	}
	return z
}

// compute asks the standard library. The end it finds may be too early, never too late.
func (z *zone) compute(t int64) stretch {
	at := time.Unix(t, 0).In(z.loc)
	_, offset := at.Zone()
	s := stretch{until: forever, offset: int64(offset)}
	if _, end := at.ZoneBounds(); !end.IsZero() {
		s.until = end.Unix()
		if s.until <= t {
			// For years after a zone's table, ZoneBounds ends a year after 365 days, so
			// the last day of a leap year has an end before it.
			s.until = int64(dayOf(t)+1) * secondsPerDay
		}
	}
	return s
}

// at returns the stretch in which t lies.
func (z *zone) at(t int64) stretch {
	lo, hi := 0, len(z.table)
	if t < tableFrom || t >= z.table[hi-1].until {
		return z.compute(t)
	}
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if z.table[mid].until <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return z.table[lo]
}

// A Compiler makes plans. Plans that it makes share their time zones, so a program has
// one. The zero value works. A Compiler is safe for concurrent use.
type Compiler struct {
	mu    sync.Mutex
	zones map[string]*zone // only zones that exist, so it can't grow without bound
}

func (c *Compiler) zone(name string) (*zone, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if z := c.zones[name]; z != nil {
		return z, nil
	}
	loc, err := LoadZone(name)
	if err != nil {
		return nil, err
	}
	if c.zones == nil {
		c.zones = map[string]*zone{}
	}
	z := newZone(loc)
	c.zones[name] = z
	return z, nil
}
