package mounting

import (
	"path/filepath"
	"strings"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
)

// find finds out which volume the request means, and checks that it exists.
func (m *mounting) find() (pool, volume string, err error) {
	pool, volume, found, err := resolveSpec(m.System, m.c, m.request.Spec, m.request.Dir)
	if err == nil && !found {
		_, err = registry.FindVolume(m.System, pool, volume)
	}
	return pool, volume, err
}

// resolveSpec finds the pool and the volume that spec, the first operand of
// mount(8), means. spec may be
//
//   - the name POOL/VOLUME
//   - the volume's alias
//   - the device of an active volume, into which libmount resolves an alias
//   - a path that libmount made of POOL/VOLUME because such a path exists below
//     the current folder
//
// If libmount followed a symbolic link in such a path, the path no longer ends
// in POOL/VOLUME. Then resolveSpec looks in fstab for the volume of dir. It
// refuses a device to which the name of another volume leads, too: the caller
// may have meant that volume. found says that resolveSpec has read the volume's
// record.
func resolveSpec(
	s *host.System, c *dm.Control, spec, dir string,
) (pool, volume string, found bool, err error) {
	if !strings.HasPrefix(spec, "/") {
		pool, volume, err = catalog.ParseSpec(spec)
		return pool, volume, false, wrapUsage(err)
	}
	if pool, volume, ok := registry.SplitAlias(s, spec); ok {
		return pool, volume, false, nil
	}
	info, deviceErr := infoOfNode(c, spec)
	if deviceErr == nil {
		if err := refuseStaleNames(s, c, spec, info); err != nil {
			return "", "", false, err
		}
	}
	if pool, volume, ok := registry.NamedBy(s, spec); ok {
		return pool, volume, false, nil
	}
	if deviceErr == nil {
		if pool, volume, ok := dmname.ParseVolume(info.Name); ok &&
			strings.HasPrefix(info.UUID, dmname.UUIDPrefix) {
			return pool, volume, false, nil
		}
		return "", "", false, &fault.Error{Object: spec,
			Err:    fault.Errorf(fault.ErrUsage, "not a thin volume of ours"),
			Remedy: fault.Sayf("name it as POOL/VOLUME: %v", fault.ListVolumes{})}
	}
	parent, volume := filepath.Split(spec)
	pool = filepath.Base(parent)
	if _, err := registry.FindVolume(s, pool, volume); err == nil {
		return pool, volume, true, nil
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		if pool, volume, ok := registry.FstabSpec(s, real); ok {
			return pool, volume, false, nil
		}
	}
	return "", "", false, &fault.Error{Object: spec,
		Err: fault.Errorf(fault.ErrUsage, "neither POOL/VOLUME nor the device of a volume"),
		Remedy: fault.Sayf(
			"%v shows the names; where the current folder has a path of that name, use %s",
			fault.ListVolumes{}, registry.AliasPath(s, "POOL", "VOLUME"))}
}

// refuseStaleNames removes the names of other volumes that lead to the device
// at path. It returns ErrBusy if there were any, unless path is itself such a
// name.
func refuseStaleNames(s *host.System, c *dm.Control, path string, info dm.Info) error {
	stale, err := registry.DropStaleNames(s, c, info)
	if err != nil {
		return &fault.Error{Object: path, Err: err}
	}
	if name, ok := dmname.OfNode(path); ok && info.Name != name {
		return nil // path was the wrong name itself: it says which volume is meant
	}
	if len(stale) == 0 {
		return nil
	}
	return &fault.Error{
		Object: path,
		Err: fault.Errorf(fault.ErrBusy,
			"the name of %s led to it, too, although that volume is not active: it is not sure "+
				"which one is meant",
			strings.Join(stale, ", ")),
		Remedy: fault.Hint("the wrong name is gone: try again, or name the volume as POOL/VOLUME"),
	}
}

func wrapUsage(err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Err: fault.Wrap(fault.ErrUsage, err),
		Remedy: fault.Sayf("a volume is named POOL/VOLUME: %v", fault.ListVolumes{})}
}

// infoOfNode asks device-mapper about the block device at path.
func infoOfNode(c *dm.Control, path string) (dm.Info, error) {
	dev, err := backing.NodeDevice(path)
	if err != nil {
		return dm.Info{}, err
	}
	return c.Info(dm.ByDev(dev))
}
