package words

import (
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	tests := map[string]string{
		"zh": Chinese, "zh_CN.UTF-8": Chinese, "zh-Hans": Chinese, "ZH-hans-CN": Chinese,
		"en": English, "en_GB.UTF-8": English, "C": English, "": English, "de_DE": English, "zha": English,
	}
	for in, want := range tests {
		if got := Match(in); got != want {
			t.Errorf("Match(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	c := &Catalogue{lang: English, entries: map[string]entry{"%d people": {One: "%d person", Other: "%d people"}}}
	for n, want := range map[int]string{0: "0 people", 1: "1 person", 2: "2 people"} {
		if got := c.T("%d people", n); got != want {
			t.Errorf("T(%d) = %q, want %q", n, got, want)
		}
	}
	if got := c.T("100 % sure"); got != "100 % sure" {
		t.Errorf("a sentence without arguments was formatted: %q", got)
	}
	if got := c.T("No entry for %s", "x"); got != "No entry for x" {
		t.Errorf("a missing key gave %q", got)
	}
}

func TestTimes(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, zone) // a Saturday
	at := func(y int, m time.Month, d, h int) time.Time { return time.Date(y, m, d, h, 5, 0, 0, zone) }
	tests := []struct {
		name     string
		t        time.Time
		en, zh   string // Stamp
		den, dzh string // Day
	}{
		{"this morning", at(2026, 11, 21, 9), "09:05", "09:05", "Today", "今天"},
		{"last night", at(2026, 11, 20, 23), "Yesterday", "昨天", "Yesterday", "昨天"},
		{"six days ago", at(2026, 11, 15, 9), "Sun", "周日", "Sunday", "星期日"},
		{"a week ago", at(2026, 11, 14, 9), "14 Nov", "11 月 14 日", "14 November", "11 月 14 日"},
		{"last year", at(2025, 12, 31, 9), "2025-12-31", "2025-12-31", "31 December 2025", "2025 年 12 月 31 日"},
		{"tomorrow", at(2026, 11, 22, 9), "22 Nov", "11 月 22 日", "22 November", "11 月 22 日"},
		{"today in UTC of yesterday", at(2026, 11, 21, 1).UTC(), "01:05", "01:05", "Today", "今天"},
	}
	en, zh := For("en"), For("zh")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := en.Stamp(tt.t, now); got != tt.en {
				t.Errorf("English stamp %q, want %q", got, tt.en)
			}
			if got := zh.Stamp(tt.t, now); got != tt.zh {
				t.Errorf("Chinese stamp %q, want %q", got, tt.zh)
			}
			if got := en.Day(tt.t, now); got != tt.den {
				t.Errorf("English day %q, want %q", got, tt.den)
			}
			if got := zh.Day(tt.t, now); got != tt.dzh {
				t.Errorf("Chinese day %q, want %q", got, tt.dzh)
			}
		})
	}
}
