package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/host"
	"thinmount/lib/spec"
)

// An active volume has a link RUNDIR/dev/POOL/VOLUME to its device, its alias.
// A line of fstab may name the alias in its first field. libmount follows the
// link itself, and so finds out that the line is mounted. The path does not
// begin with /dev, so systemd waits for no device unit before it calls
// mount.thin.

// AliasDir returns the folder that holds a folder of aliases for each pool.
func AliasDir(s *host.System) string { return filepath.Join(s.RunDir, "dev") }

// AliasPath returns the path of a volume's alias.
func AliasPath(s *host.System, volume spec.Volume) string {
	return filepath.Join(AliasDir(s), volume.Pool, volume.Name)
}

// ParseAlias returns the volume whose AliasPath is path. ok is false if path is
// not such a path. The alias need not exist.
func ParseAlias(s *host.System, path string) (volume spec.Volume, ok bool) {
	rest, ok := strings.CutPrefix(path, AliasDir(s)+"/")
	if !ok {
		return volume, false
	}
	volume, err := spec.ParseVolume(rest)
	return volume, err == nil
}

// MakeAlias makes the alias of a volume, a link to device, and replaces an
// alias that leads elsewhere. The caller holds the volume's lock, so nobody
// else changes this alias. Another command may remove the pool's folder at the
// same time, with the last alias in it. MakeAlias then makes the folder again.
func MakeAlias(s *host.System, volume spec.Volume, device string) error {
	path := AliasPath(s, volume)
	if at, err := os.Readlink(path); err == nil && at == device {
		return nil
	}
	for {
		for _, dir := range []string{AliasDir(s), filepath.Dir(path)} {
			if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		err := os.Remove(path)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Symlink(device, path)
		}
		if err == nil {
			return nil
		}
		// After ErrNotExist it tries again: another command has removed the
		// folder with the last alias in it.
		if !errors.Is(err, fs.ErrNotExist) {
			os.Remove(filepath.Dir(path)) // fails unless the folder is empty
			return err
		}
	}
}

// DropAlias removes the alias of a volume, and the pool's folder if that was
// the last alias in it. The caller holds the volume's lock.
func DropAlias(s *host.System, volume spec.Volume) {
	path := AliasPath(s, volume)
	if os.Remove(path) == nil {
		os.Remove(filepath.Dir(path))
	}
}

// DropStaleNames removes the names of other volumes that lead to the device in
// info: nodes below /dev/mapper, and the aliases that lead to these nodes. It
// returns the volumes that had such a name.
//
// Such names are left where udev does not look after the nodes. When the kernel
// removes a device by itself, the node of the device stays. The next device may
// get the same number, and a command that uses the old name would then mount or
// overwrite the wrong volume.
//
// To remove an alias, DropStaleNames takes the lock of that volume. If another
// command holds the lock, the alias stays.
func DropStaleNames(
	s *host.System, c *dm.Control, info dm.Info,
) (volumes []spec.Volume, err error) {
	names, err := c.DropOtherNames(dmname.Prefix, info)
	for _, name := range names {
		volume, ok := dmname.ParseVolume(name)
		if !ok || volume.Check() != nil {
			continue
		}
		s.Stepf("removed the name %s of a device that is gone", volume)
		volumes = append(volumes, volume)
		ref, err := s.Refs().TryLock(volume)
		if err != nil {
			continue // the command that holds the lock makes the alias anew
		}
		if _, err := c.Info(dm.ByName(name)); errors.Is(err, dm.ErrNotExist) {
			DropAlias(s, volume)
		}
		Unlock(s, ref)
	}
	return volumes, err
}
