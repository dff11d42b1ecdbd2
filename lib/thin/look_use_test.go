package thin

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
)

// Nothing is asked about volumes that have neither a file of ours nor a device,
// and who asks about very many can stop it.
func TestLookUsesAsksAboutThoseInUse(t *testing.T) {
	s := stateIn(t.TempDir())
	asked := 0
	c := dm.NewControl(func(uint, []byte) error { asked++; return unix.ENXIO })
	f := &facts{cfg: catalog.Pool{Name: "demo", UUID: testUUID}}
	for id := range uint32(1000) {
		f.volumes = append(f.volumes, catalog.Volume{Name: fmt.Sprint("v", id), Pool: "demo", PoolUUID: testUUID, ID: id})
	}
	f.entries = []refcount.Entry{{Kind: refcount.KindRecord, Pool: "demo", Volume: "v1"}}
	f.devices = []device{{volume: "v2", id: 2}, {part: partPool, id: 0}}
	if err := s.lookUses(t.Context(), c, f); err != nil || asked != 1 || len(f.uses) != 1000 {
		t.Errorf("%v; asked %d times about %d volumes", err, asked, len(f.uses))
	}
	for _, v := range f.volumes {
		if u := f.uses[v.Name]; u.seen.PoolUUID != testUUID || u.seen.ThinID != v.ID || u.written {
			t.Errorf("%s: %+v", v.Name, u)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.lookUses(ctx, c, f); !errors.Is(err, ErrInterrupt) {
		t.Error(err)
	}
}
