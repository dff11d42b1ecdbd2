//go:build kernel

package mount

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/mountinfo"
)

// The owner of the folder swaps the mount point with a symbolic link to another
// directory, again and again: what is mounted never lands there, by either way
// of mounting.
func TestKernelSwappedMountPoint(t *testing.T) {
	_, device := made(t, "ext4")
	for name, once := range map[string]func(Request, int) error{
		"move_mount": func(r Request, dir int) error {
			fd, _, _, _, err := newMount(r, nil)
			if err != nil {
				return err
			}
			m := &Made{fd: fd}
			defer m.Close()
			return m.moveTo(dir)
		},
		"mount": func(r Request, dir int) error { _, err := oldMount(r, dir, nil); return err },
	} {
		t.Run(name, func(t *testing.T) {
			top, victim := t.TempDir(), t.TempDir()
			dir, link := filepath.Join(top, "dir"), filepath.Join(top, "link")
			do(t, errors.Join(os.Mkdir(dir, 0o700), os.Symlink(victim, link)))
			r := Request{Source: device, Target: dir, FSType: "ext4"}
			swapOnce(t, r, link, once)
			defer swapping(dir, link)()
			mounted, refused := 0, 0
			for mounted < 30 || refused < 30 {
				fd, err := pin(dir)
				if err != nil {
					refused++
					continue
				}
				do(t, once(r, fd))
				mounted++
				where := mountsOf(t, device)
				if len(where) != 1 || where[0] != dir && where[0] != link {
					t.Errorf("mounted on %q", where)
				}
				do(t, unmountEither(dir, link))
				unix.Close(fd)
			}
		})
	}
}

// unmountEither unmounts what is mounted on one of two names that are being
// swapped all the while. The other name is a symlink, or nothing is mounted on
// it.
func unmountEither(names ...string) (err error) {
	for range 1000 {
		for _, name := range names {
			err = unix.Unmount(name, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
			if !errors.Is(err, unix.EINVAL) {
				return err
			}
		}
	}
	return err
}

// swapOnce swaps the mount point with the link between the look and the mount:
// that lands in the directory, by its new name.
func swapOnce(t *testing.T, r Request, link string, once func(Request, int) error) {
	t.Helper()
	fd, err := pin(r.Target)
	do(t, err)
	defer unix.Close(fd)
	swap := func() {
		do(t, unix.Renameat2(unix.AT_FDCWD, r.Target, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE))
	}
	swap()
	do(t, once(r, fd))
	where := mountsOf(t, r.Source)
	for _, w := range where {
		do(t, unix.Unmount(w, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW))
	}
	if len(where) != 1 || where[0] != link {
		t.Errorf("mounted on %q, want %s", where, link)
	}
	swap()
}

// swapping swaps two names until the function that it returns is called.
func swapping(a, b string) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

// A folder above the mount point is swapped with a symbolic link to one in
// which something else is mounted by the same name: that stays mounted.
func TestKernelSwappedFolder(t *testing.T) {
	top, victim := t.TempDir(), t.TempDir()
	dir, link := filepath.Join(top, "dir"), filepath.Join(top, "link")
	do(t, errors.Join(os.MkdirAll(dir+"/mnt", 0o700), os.Mkdir(victim+"/mnt", 0o700),
		os.Symlink(victim, link)))
	do(t, unix.Mount("theirs", victim+"/mnt", "tmpfs", 0, ""))
	defer unix.Unmount(victim+"/mnt", 0)
	swap := func() {
		do(t, unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE))
	}
	// Once between the look and the call, and then as it comes.
	do(t, unix.Mount("ours", dir+"/mnt", "tmpfs", 0, ""))
	do(t, Unmount(dir+"/mnt",
		UnmountOptions{NoFollow: true, Call: func(target string, flags int) error {
			swap()
			return unix.Unmount(target, flags)
		}}))
	if ours, theirs := mountsOf(t, "ours"), mountsOf(t, "theirs"); len(ours) != 0 ||
		len(theirs) != 1 {
		t.Fatalf("swapped once: ours is mounted on %q, theirs on %q", ours, theirs)
	}
	for range 30 {
		if st, err := os.Lstat(dir); err == nil && !st.IsDir() {
			swap()
		}
		do(t, unix.Mount("ours", dir+"/mnt", "tmpfs", 0, ""))
		end := swapping(dir, link)
		for err := errors.New("not yet"); err != nil; {
			if err = Unmount(dir+"/mnt", UnmountOptions{NoFollow: true}); err != nil &&
				!errors.Is(err, ErrMoved) && !errors.Is(err, unix.ENOTDIR) {
				t.Error(err)
				break
			}
		}
		end()
		if ours, theirs := mountsOf(t, "ours"), mountsOf(t, "theirs"); len(ours) != 0 ||
			len(theirs) != 1 {
			t.Fatalf("ours is mounted on %q, theirs on %q", ours, theirs)
		}
	}
}

// A folder above the mount point is swapped with a symbolic link to one in
// which something else is mounted by the same name: that keeps its options.
func TestKernelSwappedFolderRemount(t *testing.T) {
	for name, change := range map[string]func(string, int) error{
		"Remount": func(target string, id int) error {
			return Remount(target, id, Options{Flags: unix.MS_RDONLY | unix.MS_NOEXEC})
		},
		"MakeReadOnly": MakeReadOnly,
	} {
		t.Run(name, func(t *testing.T) {
			top, victim := t.TempDir(), t.TempDir()
			dir, link := filepath.Join(top, "dir"), filepath.Join(top, "link")
			do(t, errors.Join(os.MkdirAll(dir+"/mnt", 0o700), os.Mkdir(victim+"/mnt", 0o700),
				os.Symlink(victim, link)))
			do(t, unix.Mount("theirs", victim+"/mnt", "tmpfs", 0, ""))
			defer unix.Unmount(victim+"/mnt", 0)
			theirs := *only(t, "theirs")
			swap := func() {
				do(t, unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE))
			}
			changed, refused := 0, 0
			for changed < 30 || refused < 30 {
				do(t, unix.Mount("ours", dir+"/mnt", "tmpfs", 0, ""))
				id := only(t, "ours").ID
				// Once between the look at the table and the call, and then as
				// it comes.
				swap()
				if err := change(dir+"/mnt", id); !errors.Is(err, ErrMoved) {
					t.Errorf("swapped: %v", err)
				}
				end := swapping(dir, link)
				for err := errors.New("not yet"); err != nil; {
					switch err = change(dir+"/mnt", id); {
					case err == nil:
						changed++
					case errors.Is(err, ErrMoved), errors.Is(err, unix.ENOENT):
						refused++
					default:
						t.Fatal(err)
					}
				}
				end()
				if got := *only(t, "theirs"); got != theirs {
					t.Fatalf("%+v has become %+v", theirs, got)
				}
				if ours := only(t, "ours"); !strings.HasPrefix(ours.VFSOptions, "ro") {
					t.Errorf("not read-only: %+v", ours)
				}
				if st, err := os.Lstat(dir); err == nil && !st.IsDir() {
					swap()
				}
				do(t, unix.Unmount(dir+"/mnt", 0))
			}
		})
	}
}

// only is the one mount that has this source.
func only(t *testing.T, source string) *mountinfo.Info {
	t.Helper()
	table, err := Table()
	do(t, err)
	found := table.From(source)
	if len(found) != 1 {
		t.Fatalf("%d mounts of %s", len(found), source)
	}
	return found[0]
}

// What has been swapped before Attach looks is refused, with nothing mounted.
func TestKernelMountRefusesSymlink(t *testing.T) {
	_, device := made(t, "ext4")
	top, victim := t.TempDir(), t.TempDir()
	link := filepath.Join(top, "link")
	do(t, errors.Join(os.Symlink(victim, link), os.Mkdir(victim+"/sub", 0o700)))
	for _, target := range []string{link, link + "/sub"} {
		if _, err := mountAt(t.Context(),
			Request{Source: device, Target: target, FSType: "ext4"}); err == nil {
			t.Errorf("%s: mounted", target)
		}
		if where := mountsOf(t, device); len(where) != 0 {
			t.Errorf("%s: mounted on %q", target, where)
		}
	}
}

func mountsOf(t *testing.T, device string) (where []string) {
	t.Helper()
	table, err := Table()
	do(t, err)
	for _, m := range table.All() {
		if m.Source == device {
			where = append(where, m.Mountpoint)
		}
	}
	return where
}
