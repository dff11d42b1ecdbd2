package mounting

import (
	"path/filepath"
	"strings"

	"thinmount/lib/backing"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// find finds out which volume the request means, and checks that it exists.
func (m *mounting) find() (spec.Volume, error) {
	volume, found, err := resolveSource(m.System, m.c, m.request.Spec, m.request.Dir)
	if err == nil && !found {
		_, err = registry.FindVolume(m.System, volume)
	}
	return volume, err
}

// resolveSource finds the volume that source, the first operand of mount(8),
// means. source may be
//
//   - the name POOL/VOLUME
//   - the volume's alias
//   - the device of an active volume, into which libmount resolves an alias
//   - a path that libmount made of POOL/VOLUME because such a path exists below
//     the current folder
//
// If libmount followed a symbolic link in such a path, the path no longer ends
// in POOL/VOLUME. Then resolveSource looks in fstab for the volume of dir. It
// refuses a device to which the name of another volume leads, too: the caller
// may have meant that volume. found says that resolveSource has read the
// volume's record.
func resolveSource(
	s *host.System, c *dm.Control, source, dir string,
) (volume spec.Volume, found bool, err error) {
	if !strings.HasPrefix(source, "/") {
		volume, err = spec.ParseVolume(source)
		return volume, false, wrapUsage(err)
	}
	if volume, ok := registry.ParseAlias(s, source); ok {
		return volume, false, nil
	}
	info, deviceErr := infoOfNode(c, source)
	if deviceErr == nil {
		if err := refuseStaleNames(s, c, source, info); err != nil {
			return spec.Volume{}, false, err
		}
	}
	if volume, ok := registry.NamedBy(s, source); ok {
		return volume, false, nil
	}
	if deviceErr == nil {
		if volume, ok := dmname.ParseVolume(info.Name); ok &&
			strings.HasPrefix(info.UUID, dmname.UUIDPrefix) {
			return volume, false, nil
		}
		return spec.Volume{}, false, &fault.Error{Object: source,
			Err:    fault.Errorf(fault.ErrUsage, "not a thin volume of ours"),
			Remedy: fault.Sayf("name it as POOL/VOLUME: %v", fault.ListVolumes{})}
	}
	parent, name := filepath.Split(source)
	volume = spec.Volume{Pool: filepath.Base(parent), Name: name}
	if _, err := registry.FindVolume(s, volume); err == nil {
		return volume, true, nil
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		if volume, ok := registry.FstabSpec(s, real); ok {
			return volume, false, nil
		}
	}
	return spec.Volume{}, false, &fault.Error{Object: source,
		Err: fault.Errorf(fault.ErrUsage, "neither POOL/VOLUME nor the device of a volume"),
		Remedy: fault.Sayf(
			"%v shows the names; where the current folder has a path of that name, use %s",
			fault.ListVolumes{}, registry.AliasPath(s, spec.Volume{Pool: "POOL", Name: "VOLUME"}))}
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
	var names []string
	for _, volume := range stale {
		names = append(names, volume.String())
	}
	return &fault.Error{
		Object: path,
		Err: fault.Errorf(fault.ErrBusy,
			"the name of %s led to it, too, although that volume is not active: it is not sure "+
				"which one is meant",
			strings.Join(names, ", ")),
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
