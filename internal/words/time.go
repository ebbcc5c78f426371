package words

import "time"

// Clock returns the time of day, in t's own time zone.
func (c *Catalogue) Clock(t time.Time) string { return t.Format("15:04") }

// Date returns the day of the year, with the year unless it is now's.
func (c *Catalogue) Date(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case c.lang == Chinese && t.Year() == now.Year():
		return t.Format("1 月 2 日")
	case c.lang == Chinese:
		return t.Format("2006 年 1 月 2 日")
	case t.Year() == now.Year():
		return t.Format("2 January")
	}
	return t.Format("2 January 2006")
}

// Day returns the day as one speaks of it: today, yesterday, a weekday of the last six
// days, else the date.
func (c *Catalogue) Day(t, now time.Time) string {
	switch n := daysBetween(t, now); {
	case n == 0:
		return c.T("Today")
	case n == 1:
		return c.T("Yesterday")
	case n > 1 && n < 7:
		return c.Weekday(t.In(now.Location()).Weekday())
	}
	return c.Date(t, now)
}

// Stamp returns when something was, in as few letters as a list has room for.
func (c *Catalogue) Stamp(t, now time.Time) string {
	t = t.In(now.Location())
	switch n := daysBetween(t, now); {
	case n == 0:
		return c.Clock(t)
	case n == 1:
		return c.T("Yesterday")
	case n > 1 && n < 7:
		return c.weekdayShort(t.Weekday())
	case t.Year() != now.Year():
		return t.Format("2006-01-02")
	case c.lang == Chinese:
		return t.Format("1 月 2 日")
	}
	return t.Format("2 Jan")
}

// Moment returns a day and a time of day.
func (c *Catalogue) Moment(t, now time.Time) string {
	t = t.In(now.Location())
	if daysBetween(t, now) == 0 {
		return c.T("Today") + " " + c.Clock(t)
	}
	return c.Date(t, now) + " " + c.Clock(t)
}

var weekdays = map[string][7][2]string{
	English: {
		{"Sunday", "Sun"},
		{"Monday", "Mon"},
		{"Tuesday", "Tue"},
		{"Wednesday", "Wed"},
		{"Thursday", "Thu"},
		{"Friday", "Fri"},
		{"Saturday", "Sat"},
	},
	Chinese: {
		{"星期日", "周日"},
		{"星期一", "周一"},
		{"星期二", "周二"},
		{"星期三", "周三"},
		{"星期四", "周四"},
		{"星期五", "周五"},
		{"星期六", "周六"},
	},
}

// Weekday returns the name of a weekday.
func (c *Catalogue) Weekday(d time.Weekday) string { return weekdays[c.lang][d][0] }

func (c *Catalogue) weekdayShort(d time.Weekday) string { return weekdays[c.lang][d][1] }

// daysBetween counts midnights from t to now in now's time zone. Negative: t is on a
// later day.
func daysBetween(t, now time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.In(now.Location()).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) // days of 24 hours, whatever DST does
	}
	return int(day(now).Sub(day(t)) / (24 * time.Hour))
}
