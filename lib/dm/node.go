package dm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// NodePath is where the node of a device is: /dev/mapper/NAME. A name has no
// slash (checkWord), so that the path stays in that folder.
func (c *Control) NodePath(name string) string { return filepath.Join(c.nodes.dir, name) }

// EnsureNode makes the node of an active device that has none: the process that
// made the device was killed before the node was there, or somebody has removed
// the link. It does so even where udev keeps the nodes, because udev has had
// its event, and there may be no other.
func (c *Control) EnsureNode(info Info) error {
	return c.nodes.make(info.Name, info.Dev)
}

// DropOtherNames removes the nodes whose names begin with prefix and that lead
// to the device, except its own, and returns their names. The kernel gives the
// number of a removed device to the next one at once (drivers/md/dm.c,
// next_free_minor): a name that is left over then opens the new device. No lock
// is needed: if another process has put a right node in the place of a wrong
// one meanwhile, it is put back.
func (c *Control) DropOtherNames(prefix string, info Info) ([]string, error) {
	entries, err := os.ReadDir(c.nodes.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var dropped []string
	for _, e := range entries {
		name, aside := strings.CutPrefix(e.Name(), asidePrefix)
		own := name == info.Name && !aside
		if own || !strings.HasPrefix(name, prefix) || !nodeIs(c.NodePath(e.Name()), info.Dev) {
			continue
		}
		if aside { // left by a process that was killed in removeIf
			err = c.nodes.remove(e.Name())
		} else {
			err = c.nodes.removeIf(name, info.Dev)
		}
		if err != nil {
			return dropped, err
		}
		dropped = append(dropped, name)
	}
	return dropped, nil
}

// asidePrefix begins the name of a node that is about to be removed. Devices of
// thinmount have no such names.
const asidePrefix = ".thinmount-"

// removeIf removes a node if it leads to that device. The node is renamed
// first: whatever has that name from then on is another node than the one that
// is checked and removed.
func (n nodes) removeIf(name string, dev DevNo) error {
	path, aside := filepath.Join(n.dir, name), filepath.Join(n.dir, asidePrefix+name)
	if err := os.Rename(path, aside); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if !nodeIs(aside, dev) {
		err := unix.Renameat2(unix.AT_FDCWD, aside, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
	return os.Remove(aside)
}

// make makes the node of a device as udev would: a link to the node that the
// kernel has made in /dev (devtmpfs), or a node of its own where /dev is
// another filesystem. A udev that is late may make it at the same moment: then
// that one stays. The loop ends: a wrong node is removed in each round, and
// somebody else would have to make a wrong one each time.
func (n nodes) make(name string, dev DevNo) error {
	path := filepath.Join(n.dir, name)
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		return err
	}
	for !nodeIs(path, dev) {
		if err := n.remove(name); err != nil {
			return err
		}
		if err := n.place(path, dev); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// place makes the node where there is none. The node of its own is for root
// alone. udev would give it to the group disk, which may not exist here.
func (n nodes) place(path string, dev DevNo) error {
	kernel := fmt.Sprintf("dm-%d", dev.Minor)
	if nodeIs(filepath.Join(n.dir, "..", kernel), dev) {
		return os.Symlink("../"+kernel, path)
	}
	number := int(unix.Mkdev(dev.Major, dev.Minor))
	if err := unix.Mknod(path, unix.S_IFBLK|0o600, number); err != nil {
		return &os.PathError{Op: "mknod", Path: path, Err: err}
	}
	return nil
}

// remove removes the node of a device that is gone. Without a node it returns
// nil. Here the name alone counts: see removeIf for one that may have been made
// anew.
func (n nodes) remove(name string) error {
	if err := os.Remove(filepath.Join(n.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// StaleNodes lists the names under /dev/mapper that begin with prefix and have
// no device. Where udev keeps the names there are none: it removes them itself.
// The list shows one moment, as that of List does: DropStaleNode looks once
// more.
func (c *Control) StaleNodes(prefix string) ([]string, error) {
	if c.nodes.udev {
		return nil, nil
	}
	entries, err := os.ReadDir(c.nodes.dir)
	if err != nil {
		return nil, err
	}
	var stale []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || checkName(e.Name()) != nil {
			continue
		}
		if _, err := c.Info(ByName(e.Name())); errors.Is(err, ErrNotExist) {
			stale = append(stale, e.Name())
		}
	}
	return stale, nil
}

// DropStaleNode removes a node if there is no device of its name. The caller
// holds a lock against those who would make that device meanwhile.
func (c *Control) DropStaleNode(name string) error {
	c.Forget()
	if _, err := c.Info(ByName(name)); !errors.Is(err, ErrNotExist) {
		return err
	}
	return c.nodes.remove(name)
}

// nodeIs reports whether path leads to that block device. It follows links,
// since udev makes one, and compares the device's number: a link to a removed
// device may lead to another by now.
func nodeIs(path string, dev DevNo) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK &&
		DevNoOf(uint64(st.Rdev)) == dev
}

// lies reports whether there is something at path, be it a link to nowhere.
func lies(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
