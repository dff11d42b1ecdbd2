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

func Scratch(t *testing.T) *host.System {
	s := host.Default()
	s.RunDir, s.Fstab = t.TempDir(), filepath.Join(t.TempDir(), "fstab")
	return s
}

// NoDevices is a kernel without any.
func NoDevices() *dm.Control { return dm.NewControl(func(uint, []byte) error { return unix.ENXIO }) }

func Labelled(path, uuid string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Truncate(2<<20), label.Write(f, label.Label{Pool: "other", UUID: uuid, Role: "data"}))
}
