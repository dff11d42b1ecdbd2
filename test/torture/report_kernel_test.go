//go:build kernel

package torture

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// report is what a part of the torture counts. It goes to the output as a line
// of JSON, for test/torture/report.
type report struct {
	Part       string    `json:"part"`
	Kernel     string    `json:"kernel"`
	Scenario   string    `json:"scenario,omitempty"`
	Points     int       `json:"points,omitempty"` // how many blows there are to deal
	Kills      int       `json:"kills,omitempty"`
	Faults     int       `json:"faults,omitempty"`
	Met        int       `json:"met,omitempty"` // of those that were dealt
	Missed     int       `json:"missed,omitempty"`
	Cuts       int       `json:"cuts,omitempty"`
	Lost       int       `json:"writes_lost,omitempty"`
	Leaked     int       `json:"cuts_with_blocks_in_vain,omitempty"`
	Rounds     int       `json:"rounds,omitempty"`
	Operations int       `json:"operations,omitempty"`
	Least      int       `json:"operations_of_slowest,omitempty"`
	Most       int       `json:"operations_of_fastest,omitempty"`
	Suspended  string    `json:"longest_suspended,omitempty"`
	Failures   []failure `json:"failures"`

	longest time.Duration
	mu      sync.Mutex // for Failures
}

// failure is a blow that did harm, and how to deal it again.
type failure struct {
	Point string `json:"point"`
	What  string `json:"what"`
}

// count counts a blow, which met what it was meant for or did not: a wait took
// fewer turns this time.
func (r *report) count(t *testing.T, point string, met bool) {
	if met {
		r.Met++
		return
	}
	t.Logf("%s met nothing", point)
	r.Missed++
}

func (r *report) suspended(d time.Duration) {
	if d > r.longest {
		r.longest, r.Suspended = d, d.Round(time.Millisecond).String()
	}
}

func (r *report) fail(t *testing.T, point, call string, problems []string) {
	t.Helper()
	what := strings.Join(problems, "\n\t")
	t.Errorf("%s: at %s\n\t%s\n\tagain: test/torture/run --only %s", point, call, what, point)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Failures = append(r.Failures, failure{point, what})
}

func (r *report) write(t *testing.T) {
	t.Helper()
	if r.Failures == nil {
		r.Failures = []failure{}
	}
	r.Kernel = word("/proc/sys/kernel/osrelease")
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(os.Stdout, "TORTURE %s\n", b)
}
