package e2e

import "slices"

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// sameElements reports whether a and b hold the same strings equally often.
func sameElements(a, b []string) bool { return slices.Equal(sorted(a), sorted(b)) }
