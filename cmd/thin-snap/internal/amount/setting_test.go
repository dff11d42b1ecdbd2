package amount

import (
	"strings"
	"testing"
	"time"
)

func TestPercent(t *testing.T) {
	for in, want := range map[string]int{"0": 0, "5": 5, "10%": 10, "90%": 90} {
		if got, err := Percent("margin", in); err != nil || *got != want {
			t.Errorf("Percent(%q) = %v, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "%", "91", "-1", "5%%", "5.5", "256"} {
		_, err := Percent("margin", in)
		if !isUsage(err) || !strings.HasPrefix(err.Error(), "margin: ") {
			t.Errorf("Percent(%q): %v", in, err)
		}
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1": time.Second, "90": 90 * time.Second, "90s": 90 * time.Second, "10m": 10 * time.Minute,
	} {
		if got, err := Seconds("freeze-limit", in); err != nil || *got != want {
			t.Errorf("Seconds(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0", "-1", "1.5s", "500ms", "11m", "4294967296", "1d"} {
		_, err := Seconds("freeze-limit", in)
		if !isUsage(err) || !strings.HasPrefix(err.Error(), "freeze-limit: ") {
			t.Errorf("Seconds(%q): %v", in, err)
		}
	}
}
