package thintest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/spec"
)

// Scratch returns a host.System whose RunDir and Fstab are in folders of the
// test. The fstab does not exist yet.
func Scratch(t *testing.T) *host.System {
	s := host.Default()
	s.RunDir, s.Fstab = t.TempDir(), filepath.Join(t.TempDir(), "fstab")
	return s
}

// NoDevices returns a device-mapper without any device: each ioctl is ENXIO.
func NoDevices() *dm.Control {
	return dm.NewControl(func(uint, []byte) error { return unix.ENXIO })
}

// Active makes a pool demo, on files or devices (kind), and a fake kernel in
// which it is active.
func Active(t *testing.T, kind string) (*host.System, *catalog.Catalog, *Kernel) {
	t.Helper()
	dir := t.TempDir()
	s := System(dir)
	return s, Catalog(t, s, kind, dir), &Kernel{
		PoolUUID: dmname.PartUUID(UUID, dmname.Pool), Mode: "rw", IDs: map[spec.ID]bool{},
		Open: map[string]int{},
	}
}

// AddVolume adds a volume to the pool demo, in its catalog and in the kernel.
func AddVolume(
	t *testing.T, cat *catalog.Catalog, k *Kernel, name string, id spec.ID,
) catalog.Volume {
	t.Helper()
	k.IDs[id] = true
	v := catalog.Volume{Name: name, Pool: "demo", PoolUUID: UUID, ID: id, Size: MiB}
	if err := cat.PutVolume(v); err != nil {
		t.Fatal(err)
	}
	return v
}

// OnDisk returns the pool demo as its pool.json has it.
func OnDisk(t *testing.T, s *host.System) catalog.Pool {
	t.Helper()
	cat, err := s.Catalogs().Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	return cat.Pool()
}

// Labelled makes a file of 2 MiB at path. It carries the label of the data of a
// pool other with that uuid.
func Labelled(path, uuid string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Truncate(2<<20),
		label.Write(f, label.Label{Pool: "other", UUID: uuid, Role: "data"}))
}
