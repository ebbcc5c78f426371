package dnd

import "time"

// China returns the official days of mainland China.
//
// 2026 is complete: holidays and make-up working days are those of the General Office
// of the State Council's notice of 4 November 2025 (国务院办公厅关于2026年部分节假日安排
// 的通知).
//
// 2027 is not: its notice is not part of this program. The days below are the statutory
// ones alone, from the State Council's regulation on public holidays as amended in 2024
// (全国年节及纪念日放假办法), without the bridging days and the working weekends that a
// notice adds. Through says so, and [Rules.Notes] tells the person.
func China() Calendar {
	day := func(year int, month time.Month, day int) Span {
		d := Date(year, month, day)
		return Span{d, d}
	}
	days := func(year int, month time.Month, day, n int) Span {
		d := Date(year, month, day)
		return Span{d, d + Day(n) - 1}
	}
	return Calendar{
		Name:    "cn",
		Through: Date(2026, time.December, 31),
		Holidays: []Span{
			days(2026, time.January, 1, 3),    // New Year
			days(2026, time.February, 15, 9),  // Spring Festival
			days(2026, time.April, 4, 3),      // Qingming
			days(2026, time.May, 1, 5),        // Labour Day
			days(2026, time.June, 19, 3),      // Dragon Boat Festival
			days(2026, time.September, 25, 3), // Mid-Autumn Festival
			days(2026, time.October, 1, 7),    // National Day

			day(2027, time.January, 1),
			days(2027, time.February, 5, 4), // the last day of the lunar year and the first three
			day(2027, time.April, 5),
			days(2027, time.May, 1, 2),
			day(2027, time.June, 9),
			day(2027, time.September, 15),
			days(2027, time.October, 1, 3),
		},
		MakeUp: []Span{
			day(2026, time.January, 4),
			day(2026, time.February, 14),
			day(2026, time.February, 28),
			day(2026, time.May, 9),
			day(2026, time.September, 20),
			day(2026, time.October, 10),
		},
	}
}
