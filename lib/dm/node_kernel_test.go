//go:build kernel

package dm

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
)

// Names that lead to a device and are not its own go, the kinds of names that
// are another program's, and of other devices, stay. So goes one that was taken
// aside by a process that was killed.
func TestKernelDropOtherNames(t *testing.T) {
	c := open(t)
	a := device(t, c, "t-names-a", "TEST-names-a", zeroTable...)
	b := device(t, c, "t-names-b", "TEST-names-b", zeroTable...)
	link := func(name string, to Info) {
		path := c.NodePath(name)
		if err := os.Symlink(fmt.Sprintf("../dm-%d", to.Dev.Minor), path); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
	}
	link("t-names-stale", a)
	link("t-names-other", b)
	link("other-prefix", a)
	link(asidePrefix+"t-names-left", a)
	got, err := c.DropOtherNames("t-names-", a)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"t-names-left", "t-names-stale"}) {
		t.Errorf("%q, %v", got, err)
	}
	for name, want := range map[string]bool{
		"t-names-stale": false, asidePrefix + "t-names-left": false,
		asidePrefix + "t-names-stale": false,
		"t-names-a":                   true, "t-names-b": true, "t-names-other": true,
		"other-prefix": true,
	} {
		if lies(c.NodePath(name)) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
	// The one that another process has put there in time is put back.
	if err := c.nodes.removeIf("t-names-b", a.Dev); err != nil ||
		!nodeIs(c.NodePath("t-names-b"), b.Dev) {
		t.Errorf("%v", err)
	}
	if err := c.nodes.removeIf("t-names-none", a.Dev); err != nil {
		t.Error(err)
	}
	// A lost link is made again.
	if err := errors.Join(os.Remove(c.NodePath("t-names-a")), c.EnsureNode(a)); err != nil ||
		!nodeIs(c.NodePath("t-names-a"), a.Dev) {
		t.Errorf("%v", err)
	}
}
