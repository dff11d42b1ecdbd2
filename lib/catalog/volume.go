package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/spec"
)

func (c *Catalog) volumePath(name string) string {
	return filepath.Join(c.volumeDir(), name+suffix)
}

// Volume reads a volume's record. If an intent names the volume, or if the pool
// is being deleted, the volume does not exist. Errors: *spec.NameError,
// ErrNoVolume, *CorruptError.
func (c *Catalog) Volume(name string) (Volume, error) {
	if err := spec.CheckVolumeName(name); err != nil {
		return Volume{}, err
	}
	if c.pool.hides(name) {
		return Volume{}, c.noVolume(name)
	}
	return c.VolumeAnyState(name)
}

// VolumeAnyState is Volume for recovery: it also reads the record of a volume
// that an intent hides.
func (c *Catalog) VolumeAnyState(name string) (Volume, error) {
	if err := spec.CheckVolumeName(name); err != nil {
		return Volume{}, err
	}
	b, err := read(c.volumePath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Volume{}, c.noVolume(name)
	}
	if err != nil {
		return Volume{}, err
	}
	v, reason := decodeVolume(b, name, c.pool)
	if reason != "" {
		return Volume{}, &CorruptError{c.volumePath(name), reason}
	}
	return v, nil
}

func (c *Catalog) noVolume(name string) error {
	return fmt.Errorf("volume %s/%s: %w", c.name, name, ErrNoVolume)
}

// hides says whether an intent hides a volume.
func (p Pool) hides(volume string) bool {
	for _, op := range p.Intents {
		if op.Op == OpDeletePool || op.Volume == volume {
			return true
		}
	}
	return false
}

// Volumes reads the records of all volumes that exist, in the order of their
// names. It returns those that it could read, together with the joined errors
// of the others.
func (c *Catalog) Volumes() ([]Volume, error) { return c.volumes(c.Volume) }

// VolumesAnyState is Volumes for recovery: it also reads the records of volumes
// that intents hide.
func (c *Catalog) VolumesAnyState() ([]Volume, error) { return c.volumes(c.VolumeAnyState) }

// Count returns how many volumes have a record, readable or not. It reads the
// folder and no record.
func (c *Catalog) Count() (int, error) {
	names, err := c.recordNames()
	return len(names), err
}

func (c *Catalog) volumes(get func(string) (Volume, error)) ([]Volume, error) {
	names, err := c.recordNames()
	if err != nil {
		return nil, err
	}
	var volumes []Volume
	var errs []error
	for _, name := range names {
		switch v, err := get(name); {
		case err == nil:
			volumes = append(volumes, v)
		case !errors.Is(err, ErrNoVolume):
			errs = append(errs, err)
		}
	}
	return volumes, errors.Join(errs...)
}

// recordNames lists the volumes that have a record, readable or not, in order.
// It reads the folder and no record.
func (c *Catalog) recordNames() ([]string, error) {
	entries, err := os.ReadDir(c.volumeDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		// Every other file is a temp file, or not ours.
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if ok && spec.CheckVolumeName(name) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// PutVolume writes a volume's record, new or in place of the old one. When it
// returns nil, the record is durable. It fills in Format, and Pool and PoolUUID
// if they are empty.
func (c *Catalog) PutVolume(v Volume) error {
	v.Format = format
	if v.Pool == "" {
		v.Pool = c.pool.Name
	}
	if v.PoolUUID == "" {
		v.PoolUUID = c.pool.UUID
	}
	b, reason := encodeVolume(v, c.pool)
	if reason != "" {
		return fmt.Errorf("volume %s/%s: %s", c.name, v.Name, reason)
	}
	if err := c.store.disk.replace(c.volumePath(v.Name), b); err != nil {
		return fmt.Errorf("volume %s/%s: %w", c.name, v.Name, err)
	}
	return nil
}

// RemoveVolume removes a volume's record. When it returns nil, that is durable.
// If there is no record, it returns nil, too.
func (c *Catalog) RemoveVolume(name string) error {
	if err := spec.CheckVolumeName(name); err != nil {
		return err
	}
	if err := c.store.disk.remove(c.volumePath(name)); err != nil {
		return fmt.Errorf("volume %s/%s: %w", c.name, name, err)
	}
	return nil
}
