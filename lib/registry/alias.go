package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/host"
)

// An active volume has a link RUNDIR/dev/POOL/VOLUME to its device. As the first
// field of an fstab line it is what libmount itself can follow, and so finds out
// that the line is mounted; and since it does not begin with /dev, systemd waits
// for no device unit before it calls mount.thin.

func AliasDir(s *host.System) string { return filepath.Join(s.RunDir, "dev") }

func AliasPath(s *host.System, pool, volume string) string {
	return filepath.Join(AliasDir(s), pool, volume)
}

// SplitAlias is the inverse of aliasPath; the link need not be there.
func SplitAlias(s *host.System, path string) (pool, volume string, ok bool) {
	rest, ok := strings.CutPrefix(path, AliasDir(s)+"/")
	if !ok {
		return "", "", false
	}
	pool, volume, ok = strings.Cut(rest, "/")
	return pool, volume, ok && catalog.CheckPoolName(pool) == nil && catalog.CheckVolumeName(volume) == nil
}

// MakeAlias links to the device. The caller has the volume's lock, which keeps
// others from that name, but not from the pool's folder.
func MakeAlias(s *host.System, pool, volume, device string) error {
	path := AliasPath(s, pool, volume)
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
		if !errors.Is(err, fs.ErrNotExist) { // the folder went with another volume's link
			os.Remove(filepath.Dir(path)) // if it is empty
			return err
		}
	}
}

// DropAlias removes the link, and the folder with the last. The caller has the
// volume's lock.
func DropAlias(s *host.System, pool, volume string) {
	path := AliasPath(s, pool, volume)
	if os.Remove(path) == nil {
		os.Remove(filepath.Dir(path))
	}
}

// DropStaleNames removes the names of volumes that lead to a device of ours but are
// not its own: nodes, and the aliases that lead to these. Where udev does not look
// after the nodes, a device that the kernel has removed by itself leaves them, and
// the next device that gets its number would be mounted, or written to, by the
// name of the former. It returns the volumes that had such a name.
func DropStaleNames(s *host.System, c *dm.Control, info dm.Info) (volumes []string, err error) {
	names, err := c.DropOtherNames(dmname.Prefix, info)
	for _, name := range names {
		pool, volume, ok := dmname.ParseVolume(name)
		if !ok || catalog.CheckPoolName(pool) != nil || catalog.CheckVolumeName(volume) != nil {
			continue
		}
		s.Stepf("removed the name %s/%s of a device that is gone", pool, volume)
		volumes = append(volumes, pool+"/"+volume)
		ref, err := s.Refs().TryLock(pool, volume)
		if err != nil {
			continue // somebody is at work on it, and makes the alias anew
		}
		if _, err := c.Info(dm.ByName(name)); errors.Is(err, dm.ErrNotExist) {
			DropAlias(s, pool, volume)
		}
		Unlock(s, ref, pool, volume)
	}
	return volumes, err
}
