package mounting

import (
	"errors"

	"thinmount/lib/fault"
	"thinmount/lib/registry"
)

// unlessNofail drops the error of a volume that is not there, or whose pool lacks a
// disk or file, if the option nofail is given: mount(8) does so for a device.
func (m *mounting) unlessNofail(err error) error {
	if !m.options.Nofail || m.options.Remount || !errors.Is(err, fault.ErrNotFound) && !errors.Is(err, fault.ErrNoBacking) {
		return err
	}
	m.Warnf("%v: skipped (nofail)", err)
	return nil
}

// skip is an error that nofail makes a warning of.
func (m *mounting) skip(err error) error {
	if !m.options.Nofail {
		return err
	}
	m.Warnf("%v: skipped (nofail)", err)
	return nil
}

// refuseLoser refuses what a line of fstab asks for that another line wins over.
func (m *mounting) refuseLoser(volume string) error {
	wins := registry.Winner(m.System, volume, m.dir)
	if wins == nil {
		return nil
	}
	err := &fault.Error{Object: volume, Remedy: registry.TwoLinesRemedy(volume), Err: fault.Errorf(fault.ErrBusy,
		"line %d of %s mounts it on %s, and a volume has one mount path: of several lines the first wins", wins.Line, m.Fstab, wins.Dir)}
	return err
}
