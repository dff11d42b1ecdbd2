package mount

import (
	"os"
	"testing"
	"time"
)

// TestUtabDue wants one command to be due, and the next ones after a while.
func TestUtabDue(t *testing.T) {
	u := Utab{Dir: t.TempDir()}
	due := func(what string, want bool) {
		t.Helper()
		if got := u.Due(time.Hour); got != want {
			t.Errorf("%s: %v", what, got)
		}
	}
	due("without a lock file", true)
	due("without a lock file again", true)
	if err := os.WriteFile(u.lockFile(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, age := range map[string]time.Duration{
		"long ago": 2 * time.Hour, "in the future": -time.Hour,
	} {
		at := time.Now().Add(-age)
		if err := os.Chtimes(u.lockFile(), at, at); err != nil {
			t.Fatal(err)
		}
		due(what, true)
		due(what+", and noted", false)
	}
}
