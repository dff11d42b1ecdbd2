package choose

import (
	"path"
	"strings"

	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

// IsPattern reports whether a user has written a pattern in place of the name
// of a volume. No volume's name has these characters.
func IsPattern(v thin.Volume) bool { return strings.ContainsAny(v.Name, `*?[\`) }

// check returns the error of a pattern that is none, or that is to match names
// of pools, too: nobody is to delete in a pool that he has not named.
func check(v thin.Volume) error {
	if strings.ContainsAny(v.Pool, `*?[\`) {
		return &usage.Error{Message: "a pattern for pools: " + v.String(),
			Hint: "name the pool, and a pattern for its volumes, as 'demo/ci-*'"}
	}
	if _, err := path.Match(v.Name, ""); err != nil {
		return usage.Errorf("not a pattern: %s", v)
	}
	return nil
}

// matches reports whether a volume is one of those that a pattern means. check
// has found nothing wrong with the pattern.
func matches(pattern, v thin.Volume) bool {
	ok, _ := path.Match(pattern.Name, v.Name)
	return ok && pattern.Pool == v.Pool
}
