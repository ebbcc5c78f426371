package screen

import (
	"slices"
	"strings"
	"testing"

	"causa/internal/words"
	"causa/matter"
)

// The words must never change: two versions of the app would say different ones.
func TestFingerprintWords(t *testing.T) {
	var id matter.DeviceID
	for i := range id {
		id[i] = byte(i*37 + 1)
	}
	tests := map[string]string{
		words.English: "abuse crane switch clock pupil link pioneer solar obvious upper limb flavor",
		words.Chinese: "这 近 仔 张 滤 纳 哲 帽 街 雏 薄 协",
	}
	for lang, want := range tests {
		got := FingerprintWords(id, lang)
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %q, want %q", lang, s, want)
		}
		list := wordlist(lang)
		if len(list) != 2048 || len(slices.Compact(slices.Sorted(slices.Values(list)))) != 2048 {
			t.Errorf("%s: the list has no 2048 different words", lang)
		}
		for bit := range fingerprintWords * 11 { // every bit counts
			other := id
			other[bit/8] ^= 1 << (7 - bit%8)
			if slices.Equal(FingerprintWords(other, lang), got) {
				t.Errorf("%s: bit %d changes nothing", lang, bit)
			}
		}
	}
}
