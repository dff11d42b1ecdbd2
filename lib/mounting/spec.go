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

// find finds out which volume is meant, and looks whether there is one.
func (m *mounting) find() (pool, volume string, err error) {
	pool, volume, found, err := resolveSpec(m.System, m.c, m.request.Spec, m.request.Dir)
	if err == nil && !found {
		_, err = registry.FindVolume(m.System, pool, volume)
	}
	return pool, volume, err
}

// resolveSpec turns what mount(8) hands over into a pool and a volume: the name
// POOL/VOLUME; its alias; the device of an active volume, which libmount makes of
// an alias; or the path that libmount has made of a POOL/VOLUME because there is
// such a path below the current folder. Where that path leads elsewhere by a
// symbolic link, fstab may still say what is meant for dir. A device to which the
// name of another volume leads, too, is refused: it may be that name that was given.
// found says that the volume was looked up, and is there.
func resolveSpec(s *host.System, c *dm.Control, spec, dir string) (pool, volume string, found bool, err error) {
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
		if pool, volume, ok := dmname.ParseVolume(info.Name); ok && strings.HasPrefix(info.UUID, dmname.UUIDPrefix) {
			return pool, volume, false, nil
		}
		return "", "", false, &fault.Error{Object: spec, Err: fault.Errorf(fault.ErrUsage, "not a thin volume of ours"), Remedy: fault.Sayf("name it as POOL/VOLUME: %v", fault.ListVolumes{})}
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
	return "", "", false, &fault.Error{Object: spec, Err: fault.Errorf(fault.ErrUsage, "neither POOL/VOLUME nor the device of a volume"),
		Remedy: fault.Sayf("%v shows the names; where the current folder has a path of that name, use %s", fault.ListVolumes{}, registry.AliasPath(s, "POOL", "VOLUME"))}
}

// refuseStaleNames removes the names of other volumes that lead to the device at
// path, and refuses it if there was one.
func refuseStaleNames(s *host.System, c *dm.Control, path string, info dm.Info) error {
	stale, err := registry.DropStaleNames(s, c, info)
	if err != nil {
		return &fault.Error{Object: path, Err: err}
	}
	if name, ok := dmname.OfNode(path); ok && info.Name != name {
		return nil // the path itself was the wrong name, and says which volume is meant
	}
	if len(stale) == 0 {
		return nil
	}
	return &fault.Error{
		Object: path,
		Err:    fault.Errorf(fault.ErrBusy, "the name of %s led to it, too, although that volume is not active: it is not sure which one is meant", strings.Join(stale, ", ")),
		Remedy: fault.Hint("the wrong name is gone: try again, or name the volume as POOL/VOLUME"),
	}
}

func wrapUsage(err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Err: fault.Wrap(fault.ErrUsage, err), Remedy: fault.Sayf("a volume is named POOL/VOLUME: %v", fault.ListVolumes{})}
}

// infoOfNode asks device-mapper about the block device at path.
func infoOfNode(c *dm.Control, path string) (dm.Info, error) {
	dev, err := backing.NodeDevice(path)
	if err != nil {
		return dm.Info{}, err
	}
	return c.Info(dm.ByDev(dev))
}
