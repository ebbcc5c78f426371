package mls

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"causa/crypto/mls/suite"
)

// hexBytes is a JSON string in hex.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := hex.DecodeString(s)
	if err != nil {
		return fmt.Errorf("vector: %w", err)
	}
	*h = v
	return nil
}

// loadVectors reads one of the official files, which lie beside the repository.
func loadVectors[T any](t *testing.T, name string) []T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", "mls", name))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the MLS working group's test vectors are missing: %v", err)
		}
		t.Skipf("no test vectors beside the repository: %v", err)
	}
	var out []T
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

// eachVector runs f for every entry of a supported suite, and logs how many there were.
// Entries of suites 4 and 6 are skipped and counted; any other suite is a failure.
func eachVector[T any](t *testing.T, name string, suiteOf func(*T) suite.ID, f func(t *testing.T, s *suite.Suite, v *T)) {
	t.Helper()
	ran, skipped := 0, 0
	for i, v := range loadVectors[T](t, name) {
		id := suiteOf(&v)
		s, err := suite.Of(id)
		if err != nil {
			if id != 4 && id != 6 {
				t.Errorf("entry %d: %v", i, err)
			}
			skipped++
			continue
		}
		ran++
		t.Run(fmt.Sprintf("%d/suite%d", i, id), func(t *testing.T) { f(t, s, &v) })
	}
	if ran == 0 {
		t.Errorf("%s: no entry ran", name)
	}
	t.Logf("%s: %d entries ran, %d skipped (suites 4 and 6 need X448)", name, ran, skipped)
}
