//go:build kernel

package dm

import (
	"context"
	"os"
	"strings"
	"testing"
)

// With udevd, the node is there when Activate returns, and gone when Deactivate
// or WaitGone does, and no semaphore is left, over and over.
func TestBoot1Udev(t *testing.T) {
	c := open(t)
	if !c.nodes.udev {
		t.Fatal("udevd is not seen")
	}
	before := semaphores(t)
	ctx := context.Background()
	for n := range 30 {
		info, err := c.Activate(ctx, "t-udev", "TEST-udev", zeroTable,
			ActivateOptions{Cookie: DisableDiskRules | DisableOtherRules})
		if err != nil {
			t.Fatal(err)
		}
		if !nodeIs(c.NodePath("t-udev"), info.Dev) {
			t.Fatalf("round %d: no node", n)
		}
		if n%2 == 0 {
			err = c.Deactivate(ctx, ByName("t-udev"))
		} else if err = c.RemoveDeferred(ByName("t-udev")); err == nil {
			err = c.WaitGone(ctx, ByName("t-udev"), "t-udev")
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 1 && lies(c.NodePath("t-udev")) {
			t.Fatalf("round %d: node is left", n)
		}
	}
	if got := semaphores(t); got != before {
		t.Errorf("%d semaphores, %d before", got, before)
	}
}

func semaphores(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/sysvipc/sem")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}
