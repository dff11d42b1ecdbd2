package dm

import (
	"strings"
	"testing"
)

// What is printed of commands is kept back while somebody wants that, and comes
// afterwards in its order.
func TestHoldTrace(t *testing.T) {
	var out strings.Builder
	c := NewControl(func(uint, []byte) error { return nil })
	c.Info(ByName("n")) // nothing is to be printed
	c.tracer.to = &out
	c.Suspend(ByName("a"))
	outer := c.HoldTrace()
	inner := c.HoldTrace()
	c.Suspend(ByName("b"))
	inner()
	c.Suspend(ByName("c"))
	if got := strings.Count(out.String(), "\n"); got != 1 {
		t.Errorf("%d lines are printed while they are kept: %q", got, out.String())
	}
	outer()
	c.Suspend(ByName("d"))
	var order string
	for line := range strings.Lines(out.String()) {
		order += strings.Fields(line)[2]
	}
	if order != "abcd" {
		t.Errorf("order %q: %s", order, out.String())
	}
}
