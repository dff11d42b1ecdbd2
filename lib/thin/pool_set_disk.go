package thin

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
)

// placed is the catalog with the disks by the names that set has for them. Each
// must be the pool's own: it has the label, and an active pool lies on it.
func (p *pool) placed(set Settings) (catalog.Pool, error) {
	cfg := p.cat.Pool()
	for _, part := range []string{partData, partMeta} {
		b, path := &cfg.Data, set.Data
		if part == partMeta {
			b, path = &cfg.Metadata, set.Metadata
		}
		if path == "" {
			continue
		}
		if b.Kind != catalog.KindDevice {
			return cfg, &Error{Object: "pool " + p.name(), Err: reason(ErrUsage, "it lies in files, not on disks"), Hint: "to move its files use a bind mount"}
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return cfg, err
		}
		b.Path = abs
		if err := p.checkDisk(part, *b); err != nil {
			return cfg, err
		}
	}
	if other := activeCopy(p.dm, cfg); other != nil {
		return cfg, other.err
	}
	return cfg, nil
}

// checkDisk makes sure that a disk is the pool's own.
func (p *pool) checkDisk(part string, b catalog.Backing) error {
	f, err := os.OpenFile(b.Path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := deviceOf(f); err != nil {
		return &Error{Object: b.Path, Err: wrap(ErrUsage, unix.ENOTBLK)}
	}
	return p.checkLabel(f, part, b)
}
