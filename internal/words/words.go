// Package words is the catalogue of sentences that people read. The English sentence
// is the key; a language's file gives the translation and, where the language needs
// them, the plural forms.
package words

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"causa/assets"
)

// The languages.
const (
	English = "en"
	Chinese = "zh-Hans"
)

// Languages lists the languages there are, each with its own name for itself.
func Languages() []struct{ Code, Name string } {
	return []struct{ Code, Name string }{{Chinese, "中文"}, {English, "English"}}
}

// An entry is the translation of one key. JSON: a string, or an object of plural forms.
type entry struct {
	One   string `json:"one"`
	Other string `json:"other"`
}

func (e *entry) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &e.Other)
	}
	type plain entry
	return json.Unmarshal(b, (*plain)(e))
}

// A Catalogue translates into one language. It is safe for concurrent use.
type Catalogue struct {
	lang    string
	entries map[string]entry
}

// load reads a language's file once. The files are part of the program; one that can't
// be read is a mistake that the tests of this package find.
var load = func() func(lang string) map[string]entry {
	var mu sync.Mutex
	seen := map[string]map[string]entry{}
	return func(lang string) map[string]entry {
		mu.Lock()
		defer mu.Unlock()
		if m, ok := seen[lang]; ok {
			return m
		}
		m := map[string]entry{}
		if b, err := assets.Translations.ReadFile("translations/" + lang + ".json"); err == nil {
			if json.Unmarshal(b, &m) != nil {
				m = map[string]entry{}
			}
		}
		seen[lang] = m
		return m
	}
}()

// For returns the catalogue for a language tag or locale name, such as zh-Hans,
// zh_CN.UTF-8 or en; anything that is not Chinese gets English.
func For(lang string) *Catalogue {
	lang = Match(lang)
	return &Catalogue{lang: lang, entries: load(lang)}
}

// Match returns the code of the language nearest to a tag or locale name.
func Match(lang string) string {
	tag := strings.ToLower(lang)
	if tag == "zh" || strings.HasPrefix(tag, "zh-") || strings.HasPrefix(tag, "zh_") {
		return Chinese
	}
	return English
}

// System returns the language that the environment asks for, as POSIX orders it, or
// "" when it asks for none.
func System() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// Lang returns the code of the catalogue's language.
func (c *Catalogue) Lang() string { return c.lang }

// T returns the translation of key with its verbs filled from args. A key without
// a translation is used as it is, so that something readable is always shown.
func (c *Catalogue) T(key string, args ...any) string {
	text := key
	if e, ok := c.entries[key]; ok {
		text = e.Other
		if n, counted := firstInt(args); counted && n == 1 && e.One != "" {
			text = e.One
		}
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Mark returns key. It tells the catalogue's test that a literal which reaches T by
// way of a variable is a key.
func Mark(key string) string { return key }

func firstInt(args []any) (int, bool) {
	for _, a := range args {
		if n, ok := a.(int); ok {
			return n, true
		}
	}
	return 0, false
}
