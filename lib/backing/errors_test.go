package backing

import (
	"testing"

	"thinmount/lib/fault"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 volumes", 1: "1 volume", 2: "2 volumes"} {
		if got := fault.Count(n, "volume"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for want, volumes := range map[string][]string{
		"pool demo: has 1 volume: big":           {"big"},
		"pool demo: has 3 volumes: a, b, c":      {"c", "a", "b"},
		"pool demo: has 4 volumes: a, b, c, ...": {"d", "c", "a", "b"},
	} {
		if got := HasVolumes("demo", volumes).Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
