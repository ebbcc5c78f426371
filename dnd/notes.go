package dnd

// A Note is something about rules or a floor that is allowed but that the person may not
// have meant. It is no error.
type Note struct {
	Kind     NoteKind
	Calendar string // with NoteCalendarEnds
	Through  Day    // with NoteCalendarEnds
}

// A NoteKind is what a note is about.
type NoteKind uint8

// The kinds of notes.
const (
	NoteNoTimeLeft   NoteKind = iota + 1 // windows cover every minute of every week
	NoteOverlap                          // windows overlap
	NoteNoCalendar                       // a window is of holidays, but no calendar knows any
	NoteCalendarEnds                     // a calendar is not complete any more soon
)

// calendarWarning is how many days before its end a calendar is worth a note.
const calendarWarning = 45

// Words returns the sentence for a person and what fills its verbs.
func (n Note) Words() (text string, args []any) {
	switch n.Kind {
	case NoteNoTimeLeft:
		return "These windows leave no time of the week at which a message may notify you.", nil
	case NoteOverlap:
		return "Some of these windows overlap. Together they count as one.", nil
	case NoteNoCalendar:
		return "A window for holidays does nothing without a calendar of holidays.", nil
	case NoteCalendarEnds:
		return "The calendar %s is complete only until %s. Days after that may be missing.", []any{n.Calendar, n.Through.String()}
	}
	return "", nil
}

// Notes returns what to tell a person about their rules on a day.
func (r Rules) Notes(today Day) []Note {
	lists := [][]Window{r.Windows}
	for _, o := range r.Matters {
		lists = append(lists, o.Windows)
	}
	return notes(lists, r.Calendars, today)
}

// Notes returns what to tell an administrator about the floor on a day.
func (f Floor) Notes(today Day) []Note {
	return notes([][]Window{f.Windows}, f.Calendars, today)
}

func notes(lists [][]Window, calendars []Calendar, today Day) (out []Note) {
	calendars = normalCalendars(calendars)
	runs := kindsOf(calendars)
	var full, overlap, noCalendar bool
	for _, windows := range lists {
		windows = normalWindows(windows)
		if s := newSchedule(windows, runs); s != nil {
			full = full || s.always
		}
		overlap = overlap || overlapping(windows)
		for _, w := range windows {
			noCalendar = noCalendar || len(runs) == 0 && len(w.Dates) == 0 && w.Days != 0 && w.Days&^(Holidays|MakeUpDays) == 0
		}
	}
	if full {
		out = append(out, Note{Kind: NoteNoTimeLeft})
	}
	if overlap {
		out = append(out, Note{Kind: NoteOverlap})
	}
	if noCalendar {
		out = append(out, Note{Kind: NoteNoCalendar})
	}
	for _, c := range calendars {
		if c.Through != 0 && today > c.Through-calendarWarning {
			out = append(out, Note{Kind: NoteCalendarEnds, Calendar: c.Name, Through: c.Through})
		}
	}
	return out
}

// overlapping reports whether two windows cover the same minute of an ordinary week, or
// begin on the same kind of special day at times that overlap.
func overlapping(windows []Window) bool {
	var seen [kinds][minutesPerDay]bool
	cover := func(kind int, from, to Clock) (twice bool) {
		for m := from; m < to; m++ {
			twice = twice || seen[kind][m]
			seen[kind][m] = true
		}
		return twice
	}
	for _, w := range windows {
		for kind := range kinds {
			if w.Days&(1<<kind) == 0 {
				continue
			}
			if !w.overnight() {
				if cover(kind, w.From, w.To) {
					return true
				}
				continue
			}
			twice := cover(kind, w.From, minutesPerDay)
			if kind < kindHoliday { // what follows a holiday is not known
				twice = cover((kind+1)%7, 0, w.To) || twice
			}
			if twice {
				return true
			}
		}
	}
	return false
}
