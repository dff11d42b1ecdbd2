package thintest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/host"
	"thinmount/lib/label"
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
