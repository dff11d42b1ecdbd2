package job

import (
	"errors"

	"golang.org/x/sys/unix"
)

// setUp makes the mounts of the namespace. After an error it says what could
// not be mounted.
//
// Mounts and unmounts of the machine come into the namespace, where the machine
// shares them (systemd does): so a filesystem that is unmounted outside does
// not stay mounted here. Nothing goes the other way.
func (c *child) setUp() (what string, err error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return "/", err
	}
	if err := place(c.mount, unix.AT_FDCWD, c.dir); err != nil {
		return c.dir, err
	}
	unix.Close(c.mount)
	if err := unix.Chdir(c.dir); err != nil {
		return c.dir, err
	}
	// An error of writeback that comes after this, syncfs(2) returns for this
	// descriptor, even if fsync(2) has told another process of it.
	c.root, err = unix.Open(".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return c.dir, err
	}
	if !c.chroot {
		return "/proc", placeProc(unix.AT_FDCWD, "/proc")
	}
	for _, m := range []struct {
		name  string
		place func(int, string) error
	}{{"proc", placeProc}, {"sys", placeSys}, {"dev", placeDev}} {
		if err := m.place(c.root, m.name); err != nil && !errors.Is(err, unix.ENOENT) {
			return c.dir + "/" + m.name, err
		}
	}
	return c.dir, unix.Chroot(".")
}

// place puts a mount onto a folder. It follows no symbolic link there: the
// volume may have one that leads out of it.
func place(mount, at int, name string) error {
	const folder = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	dir, err := unix.Openat(at, name, folder, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return unix.MoveMount(mount, "", dir, "",
		unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

// placeProc mounts a /proc that shows the processes of this PID namespace.
func placeProc(at int, name string) error {
	fs, err := unix.Fsopen("proc", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return err
	}
	m, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC,
		unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(m)
	return place(m, at, name)
}

// placeSys shows the machine's /sys, read-only: what a package's script sets
// there would be set on this machine.
func placeSys(at int, name string) error {
	return placeCopy("/sys", at, name, func(tree int) error {
		err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE,
			&unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
		if errors.Is(err, unix.ENOSYS) { // before Linux 5.12
			return nil
		}
		return err
	})
}

// placeDev shows the machine's /dev.
func placeDev(at int, name string) error {
	return placeCopy("/dev", at, name, func(int) error { return nil })
}

// placeCopy shows a folder of the machine, with what is mounted below it.
func placeCopy(from string, at int, name string, change func(tree int) error) error {
	tree, err := unix.OpenTree(unix.AT_FDCWD, from,
		unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	if err := change(tree); err != nil {
		return err
	}
	return place(tree, at, name)
}
