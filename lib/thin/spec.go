package thin

import (
	"path/filepath"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
)

// resolveSpec turns what mount(8) hands over into a pool and a volume. It is
// POOL/VOLUME; or, where that happens to be a path below the current folder,
// the absolute path that libmount has made of it; or the device of an active
// volume.
func (s *System) resolveSpec(c *dm.Control, spec string) (pool, volume string, err error) {
	if !strings.HasPrefix(spec, "/") {
		pool, volume, err = catalog.ParseSpec(spec)
		return pool, volume, wrapUsage(err)
	}
	if pool, volume, ok := splitVolumeName(filepath.Base(spec)); ok && strings.HasPrefix(spec, "/dev/mapper/") {
		return pool, volume, nil
	}
	if info, err := infoOfNode(c, spec); err == nil {
		if pool, volume, ok := splitVolumeName(info.Name); ok && strings.HasPrefix(info.UUID, uuidPrefix) {
			return pool, volume, nil
		}
		return "", "", &Error{Object: spec, Err: reason(ErrUsage, "not a thin volume of ours"), Hint: "name it as POOL/VOLUME: thin-snap list"}
	}
	dir, volume := filepath.Split(spec)
	pool = filepath.Base(dir)
	if _, err := s.findVolume(pool, volume); err == nil {
		return pool, volume, nil
	}
	return "", "", &Error{Object: spec, Err: reason(ErrUsage, "neither POOL/VOLUME nor the device of a volume"), Hint: "thin-snap list shows the names"}
}

func wrapUsage(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Err: wrap(ErrUsage, err), Hint: "a volume is named POOL/VOLUME: thin-snap list"}
}

// infoOfNode asks device-mapper about the block device at path.
func infoOfNode(c *dm.Control, path string) (dm.Info, error) {
	dev, err := nodeDevice(path)
	if err != nil {
		return dm.Info{}, err
	}
	return c.Info(dm.ByDev(dev))
}
