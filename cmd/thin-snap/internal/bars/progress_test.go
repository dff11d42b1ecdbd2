package bars

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestProgressWaits wants no bar for short work, and a bar for long work.
func TestProgressWaits(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	p := New(&out, func() time.Time { return now })
	p.Report("discard demo/a", 1<<20, 10<<20)
	p.Report("discard demo/a", 2<<20, 10<<20)
	if p.all != nil {
		t.Error("a bar within the first second")
	}
	now = now.Add(patience)
	p.Report("discard demo/a", 5<<20, 10<<20)
	if p.all == nil || len(p.bars) != 1 {
		t.Fatal("no bar after a second")
	}
	if got := p.bars["discard demo/a"].Current(); got != 5<<20 {
		t.Errorf("bar stands at %d", got)
	}
	fmt.Fprintln(p, "a warning on the way")
	p.Close()
	if !strings.Contains(out.String(), "a warning on the way\n") {
		t.Errorf("the warning got lost in %q", out.String())
	}
}

func TestProgressClosesUnused(t *testing.T) {
	var out strings.Builder
	New(&out, time.Now).Close()
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}
