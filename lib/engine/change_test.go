package engine

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// add makes a volume as create does, with the volume's lock held.
func add(t *testing.T, p *Pool, name string) (catalog.Volume, error) {
	t.Helper()
	ref, err := p.Sys.Refs().TryLock(p.Volume(name))
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	if _, err := p.finishDeadCommands(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	v := catalog.Volume{Name: name, Pool: p.Name(), PoolUUID: p.UUID(), Size: 1 << 20}
	return p.AddVolume(t.Context(), v, AddOptions{},
		func(id spec.ID) error { return p.Target.CreateThin(id) })
}

// A command that makes a volume finishes what a dead command left under the
// same name. Recovery does not do so, because the new command holds the lock
// that would show that the old one is dead.
func TestNameOfAnInterruptedOperation(t *testing.T) {
	for _, op := range []string{catalog.OpDelete, catalog.OpFormat} {
		t.Run(op, func(t *testing.T) {
			p, k, _ := testPool(t, catalog.KindDevice)
			withVolume(t, p, k, "other", 1)
			withVolume(t, p, k, "x", 2, catalog.Intent{Op: op, Volume: "x", ID: 2})
			v, err := add(t, p, "x")
			if err != nil || v.ID != 3 || k.Told() != "delete 2, create_thin 3" {
				t.Errorf("%+v, %v; told: %s", v, err, k.Told())
			}
			got, err := registry.FindVolume(p.Sys, thintest.Named("demo/x"))
			if err != nil || got.ID != 3 || !k.IDs[1] {
				t.Errorf("%+v, %v; ids %v", got, err, k.IDs)
			}
		})
	}
}

func TestNameOfAFormatThatIsStillRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k, _ := testPool(t, catalog.KindDevice)
		withVolume(t, p, k, "x", 1, catalog.Intent{Op: catalog.OpFormat, Volume: "x", ID: 1})
		k.Open[dmname.VolumeUUID(thintest.UUID, 1)] = 1 << 20
		_, err := add(t, p, "x")
		if !errors.Is(err, fault.ErrBusy) || errors.Is(err, fault.ErrExists) || k.Told() != "" {
			t.Errorf("%v; told: %s", err, k.Told())
		}
		if !strings.Contains(err.Error(), "interrupted format") ||
			!strings.Contains(thintest.Show(host.RemedyOf(err)), "findmnt -t overlay") {
			t.Errorf("%v (%s)", err, thintest.Show(host.RemedyOf(err)))
		}
	})
}

// If the pool cannot be changed, the error says so, and not that the volume
// exists.
func TestNameOfAnInterruptedOperationThatHasToWait(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "x", 1, catalog.Intent{Op: catalog.OpDelete, Volume: "x", ID: 1})
	k.Mode = "ro"
	_, err := p.AddVolume(t.Context(), catalog.Volume{Name: "x", Pool: "demo"}, AddOptions{}, nil)
	if !errors.Is(err, fault.ErrPoolState) || len(k.Messages) > 0 {
		t.Errorf("%v; told: %v", err, k.Messages)
	}
}

// Id 0 can be deleted like others: pool check --repair may have given it a
// name.
func TestDeleteOfTheFirstID(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "zero", 0, catalog.Intent{Op: catalog.OpDelete, Volume: "zero", ID: 0})
	k.IDs[1] = true
	if err := p.DeleteVolume(t.Context(), p.Catalog.Pool().Intents[0]); err != nil ||
		k.Told() != "delete 0" {
		t.Errorf("%v; told: %s", err, k.Told())
	}
	cfg := thintest.OnDisk(t, p.Sys)
	if len(cfg.Intents) > 0 || cfg.NextID != 1 || k.IDs[0] || !k.IDs[1] {
		t.Errorf("%+v; ids %v", cfg, k.IDs)
	}
}

// After the last id, only ids of deleted volumes are used again.
func TestLastID(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "one", 1)
	withVolume(t, p, k, "before", spec.MaxID-1)
	if v, err := add(t, p, "last"); err != nil || v.ID != spec.MaxID {
		t.Fatalf("%+v, %v", v, err)
	}
	for i, name := range []string{"over", "again"} {
		if v, err := add(t, p, name); err != nil || v.ID != spec.ID(2+i) {
			t.Errorf("%+v, %v", v, err)
		}
	}
	for _, name := range []string{"over", "one"} {
		v, err := p.Catalog.Volume(name)
		if err == nil {
			err = p.DeleteVolume(t.Context(),
				catalog.Intent{Op: catalog.OpDelete, Volume: v.Name, ID: v.ID})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	k.Messages = nil
	v, err := add(t, p, "new")
	if err != nil || v.ID != 1 || k.Told() != "create_thin 1" {
		t.Errorf("%+v, %v; told: %s", v, err, k.Told())
	}
	cfg := thintest.OnDisk(t, p.Sys)
	if v.TransactionID != cfg.TransactionID || cfg.NextID != spec.MaxID+1 {
		t.Errorf("%+v of %+v", v, cfg)
	}
}

// An id that is in use but has no name is skipped, the last id as well.
func TestLastIDIsTaken(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "before", spec.MaxID-1)
	k.IDs[spec.MaxID], k.IDs[1], k.IDs[2] = true, true, true
	if v, err := add(t, p, "over"); err != nil || v.ID != 3 {
		t.Errorf("%+v, %v", v, err)
	}
	if !k.IDs[spec.MaxID] || !k.IDs[1] || !k.IDs[2] {
		t.Error("what had no name is deleted")
	}
}

// A commit whose last sync fails has its file in place, and Rollback undoes the
// change in spite of that. Before Rollback sends a message, the intent is on
// disk again, for the next command in case this one is killed.
func TestUndoingIsOnDiskFirst(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "x", 1)
	op, err := p.Begin(catalog.Intent{Op: catalog.OpDelete, Volume: "x", ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	// The disk now has what p's failed commit wrote, and p does not know it.
	other, err := registry.OpenCatalog(p.Sys, "demo")
	if err == nil {
		err = other.SetPool(func(c *catalog.Pool) { c.FinishIntent("x") })
	}
	if err != nil {
		t.Fatal(err)
	}
	k.Before = func(message string) {
		if ops := thintest.OnDisk(t, p.Sys).Intents; len(ops) != 1 || ops[0] != op {
			t.Errorf("at %q the disk has %+v", message, ops)
		}
	}
	if err := p.Rollback(t.Context(), "x", errors.ErrUnsupported); err != errors.ErrUnsupported ||
		k.Told() != "delete 1" {
		t.Errorf("%v; told: %s", err, k.Told())
	}
}

// If the intent cannot be written again, Rollback sends no message and leaves
// the change to the next command.
func TestNothingIsUndoneOnABrokenDisk(t *testing.T) {
	p, k, warnings := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "x", 1)
	if _, err := p.Begin(catalog.Intent{Op: catalog.OpDelete, Volume: "x", ID: 1}); err != nil {
		t.Fatal(err)
	}
	breakDisk(t, p)
	p.Rollback(t.Context(), "x", errors.ErrUnsupported)
	if k.Told() != "" || len(*warnings) != 1 ||
		!strings.Contains((*warnings)[0], "the next command will finish this") {
		t.Errorf("told: %s; %q", k.Told(), *warnings)
	}
}
