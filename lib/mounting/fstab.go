package mounting

import (
	"errors"

	"thinmount/lib/fault"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// unlessNofail turns err into a warning if the option nofail is given, and the
// volume does not exist or its pool lacks a disk or file. mount(8) does the
// same for a device. It returns all other errors, and those of a remount.
func (m *mounting) unlessNofail(err error) error {
	if !m.options.Nofail || m.options.Remount ||
		!errors.Is(err, fault.ErrNotFound) && !errors.Is(err, fault.ErrNoBacking) {
		return err
	}
	m.Warnf("%v: skipped (nofail)", err)
	return nil
}

// skip turns err into a warning if the option nofail is given.
func (m *mounting) skip(err error) error {
	if !m.options.Nofail {
		return err
	}
	m.Warnf("%v: skipped (nofail)", err)
	return nil
}

// findLine looks for the line of fstab that mounts the volume on m.dir. If
// another line for the volume wins over it, m.loses is ErrBusy.
func (m *mounting) findLine(volume spec.Volume) {
	line, wins := registry.FstabLine(m.System, volume, m.dir)
	m.line, m.loses = line, nil
	if wins == nil {
		return
	}
	m.loses = &fault.Error{Object: volume.String(), Remedy: registry.TwoLinesRemedy(volume),
		Err: fault.Errorf(fault.ErrBusy,
			"line %d of %s mounts it on %s, and a volume has one mount path: of several lines "+
				"the first wins",
			wins.Line, m.Fstab, wins.Dir)}
}
