package inspect

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// TestLookUsesAsksAboutThoseInUse has a pool with 1000 volumes, of which one
// has a device and another one a file under RunDir. It wants the kernel asked
// about the one device only, and the look to end when the context ends.
func TestLookUsesAsksAboutThoseInUse(t *testing.T) {
	s := thintest.System(t.TempDir())
	asked := 0
	c := dm.NewControl(func(uint, []byte) error { asked++; return unix.ENXIO })
	f := &check.Facts{Config: catalog.Pool{Name: "demo", UUID: thintest.UUID}}
	for id := range spec.ID(1000) {
		f.Volumes = append(f.Volumes, catalog.Volume{
			Name: fmt.Sprint("v", id), Pool: "demo", PoolUUID: thintest.UUID, ID: id,
		})
	}
	f.Entries = []refcount.Entry{{Kind: refcount.KindRecord, Volume: thintest.Named("demo/v1")}}
	f.Devices = []check.Device{{Volume: "v2", ID: 2}, {Part: dmname.Pool, ID: 0}}
	if err := lookUses(t.Context(), s, c, f); err != nil || asked != 1 || len(f.Uses) != 1000 {
		t.Errorf("%v; asked %d times about %d volumes", err, asked, len(f.Uses))
	}
	for _, v := range f.Volumes {
		if u := f.Uses[v.Name]; u.Seen.PoolUUID != thintest.UUID || u.Seen.ThinID != v.ID ||
			u.Written {
			t.Errorf("%s: %+v", v.Name, u)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lookUses(ctx, s, c, f); !errors.Is(err, fault.ErrInterrupt) {
		t.Error(err)
	}
}
