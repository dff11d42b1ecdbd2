package main

import (
	"strings"
	"testing"
	"time"
)

// TestProgressWaits wants no bar for short work, and a bar for long work.
func TestProgressWaits(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	p := newProgress(&out, func() time.Time { return now })
	p.report("discard demo/a", 1<<20, 10<<20)
	p.report("discard demo/a", 2<<20, 10<<20)
	if p.all != nil {
		t.Error("a bar within the first second")
	}
	now = now.Add(patience)
	p.report("discard demo/a", 5<<20, 10<<20)
	if p.all == nil || len(p.bars) != 1 {
		t.Fatal("no bar after a second")
	}
	if got := p.bars["discard demo/a"].Current(); got != 5<<20 {
		t.Errorf("bar stands at %d", got)
	}
	warn(p, "a warning on the way")
	p.close()
	if !strings.Contains(out.String(), "thin-snap: warning: a warning on the way\n") {
		t.Errorf("the warning got lost in %q", out.String())
	}
}

func TestProgressClosesUnused(t *testing.T) {
	var out strings.Builder
	newProgress(&out, time.Now).close()
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}
