//go:build kernel

package thinpool

import (
	"context"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
)

// TestKernelOwns wants Owns to know which of two devices has blocks of its own,
// from the moment of a snapshot to the delete of one of them.
func TestKernelOwns(t *testing.T) {
	c, p, info := newPool(t)
	write := func(id spec.ID, blocks ...int64) {
		t.Helper()
		thin := Thin{Pool: info.Dev, ID: id, Size: 1 << 20}.Target()
		_, err := c.Activate(context.Background(), "tp-thin", "TEST-tp-thin", []dm.Target{thin},
			dm.ActivateOptions{})
		must(t, err)
		f, err := os.OpenFile(c.NodePath("tp-thin"), os.O_WRONLY|unix.O_SYNC, 0)
		must(t, err)
		for _, n := range blocks {
			_, err = f.WriteAt(make([]byte, 4096), n<<16)
			must(t, err)
		}
		must(t, f.Close())
		must(t, c.Deactivate(context.Background(), dm.ByName("tp-thin")))
	}
	want := func(when string, wanted map[spec.ID]bool) {
		t.Helper()
		must(t, p.commit())
		st, err := p.Status()
		must(t, err)
		f, err := os.Open(copyOf(t, c.NodePath("tp-meta")))
		must(t, err)
		defer f.Close()
		if ok, err := isSettled(f, 0, st.DataUsed); err != nil || !ok {
			t.Errorf("%s: not settled: %v", when, err)
		}
		for id, want := range wanted {
			if got, err := owns(f, 0, id); err != nil || got != want {
				t.Errorf("%s: %d owns blocks: %v, %v", when, id, got, err)
			}
		}
	}
	must(t, p.CreateThin(1))
	want("empty", map[spec.ID]bool{1: false})
	var many []int64
	for n := range int64(1000) { // some nodes of the tree
		many = append(many, n)
	}
	write(1, many...)
	want("written", map[spec.ID]bool{1: true})
	must(t, p.CreateSnapshot(2, 1))
	want("copied", map[spec.ID]bool{1: false, 2: false})
	write(2, 2000)
	want("the copy written", map[spec.ID]bool{1: false, 2: true})
	write(2, 700)
	want("the copy has replaced a block", map[spec.ID]bool{1: true, 2: true})
	must(t, p.CreateSnapshot(3, 2))
	want("copied again", map[spec.ID]bool{1: true, 2: false, 3: false})
	must(t, p.Delete(3))
	must(t, p.Delete(1))
	want("the origin deleted", map[spec.ID]bool{1: false, 2: true, 3: false})
}
