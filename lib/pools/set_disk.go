package pools

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
)

// placed returns the pool's configuration with the disks at the paths that set
// names. It changes nothing on disk. It refuses a disk that is not the pool's
// own: the disk must have the pool's label, and an active pool must lie on it.
func placed(p *engine.Pool, set Settings) (catalog.Pool, error) {
	cfg := p.Catalog.Pool()
	for _, part := range []string{dmname.Data, dmname.Meta} {
		b, path := &cfg.Data, set.Data
		if part == dmname.Meta {
			b, path = &cfg.Metadata, set.Metadata
		}
		if path == "" {
			continue
		}
		if b.Kind != catalog.KindDevice {
			return cfg, &fault.Error{
				Object: "pool " + p.Name(),
				Err:    fault.Errorf(fault.ErrUsage, "it lies in files, not on disks"),
				Remedy: fault.Hint("to move its files use a bind mount"),
			}
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return cfg, err
		}
		b.Path = abs
		if err := checkDisk(p, part, *b); err != nil {
			return cfg, err
		}
	}
	if other := backing.ActiveCopy(p.DM, cfg); other != nil {
		return cfg, other.Err
	}
	return cfg, nil
}

// checkDisk returns an error if the disk at b.Path is not the pool's own.
func checkDisk(p *engine.Pool, part string, b catalog.Backing) error {
	f, err := os.OpenFile(b.Path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := backing.DeviceOf(f); err != nil {
		return &fault.Error{Object: b.Path, Err: fault.Wrap(fault.ErrUsage, unix.ENOTBLK)}
	}
	return p.CheckLabel(f, part, b)
}
