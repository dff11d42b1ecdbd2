package mounting

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/thintest"
)

// afterRefusal gives a remedy where the cause is known, and only there. If the
// filesystem is damaged, the remedy is the filesystem's own check program.
func TestAfterRefusal(t *testing.T) {
	fails := func(err error, kernel ...string) error {
		return &mount.Error{Op: "fsconfig", FSType: "ext4", Target: "/mnt", Kernel: kernel,
			Err: err}
	}
	option := &mount.OptionError{Option: "nosuch=1", Err: unix.EINVAL}
	for name, row := range map[string]struct {
		fstype string
		err    error
		want   string // "" is no remedy
	}{
		"superblock": {"ext4",
			fails(unix.EINVAL, "EXT4-fs (dm-3): VFS: Can't find ext4 filesystem"),
			"fsck.ext4 -n $d"},
		"damaged": {"xfs", fails(unix.EUCLEAN, "XFS (dm-3): Metadata corruption detected"),
			"xfs_repair -n $d"},
		"btrfs": {"btrfs",
			fails(unix.EUCLEAN, "BTRFS error (device dm-3): open_ctree failed"), "btrfs check $d"},
		"no reason": {"ext4", fails(unix.EINVAL), ""},
		"unknown option": {"ext4", fails(option, "ext4: Unknown parameter 'nosuch'"),
			"man 5 ext4"},
		"option of vfat": {"vfat", fails(option, "vfat: Unknown parameter 'nosuch'"), ""},
		"no such driver": {"foo", fails(unix.ENODEV), "/proc/filesystems"},
		"newer ext4": {"ext4",
			fails(unix.EINVAL,
				"EXT4-fs (dm-3): couldn't mount because of unsupported optional features (8000)"),
			"kernel is too old"},
		"newer xfs": {"xfs",
			fails(unix.EINVAL,
				"XFS (dm-3): Superblock has unknown incompatible features (0x40) enabled."),
			"kernel is too old"},
		"newer btrfs": {"btrfs",
			fails(unix.EINVAL,
				"BTRFS error: cannot mount because of unsupported optional features (0x4000)"),
			"kernel is too old"},
		"seccomp":     {"ext4", fails(unix.EPERM), "sandbox"},
		"descriptors": {"ext4", fails(unix.EMFILE), "ulimit -n"},
		"input and output": {"ext4", fails(unix.EIO, "EXT4-fs (dm-3): unable to read superblock"),
			""},
		"busy":   {"ext4", fails(unix.EBUSY, "Can't open blockdev"), ""},
		"memory": {"ext4", fails(unix.ENOMEM), ""},
		"no proc": {"ext4", fmt.Errorf("/mnt: %w", mount.ErrNoProc),
			"mount -t proc proc /proc"},
		"moved": {"ext4", fmt.Errorf("/mnt: %w", mount.ErrMoved),
			"folders above a mount point"},
	} {
		got := thintest.Show(host.RemedyOf(&fault.Error{Err: row.err,
			Remedy: afterRefusal(thintest.Named("p/v"), row.fstype, row.err)}))
		if !strings.Contains(got, row.want) || row.want == "" && got != "" ||
			row.want == "" && strings.Contains(got, "fsck") {
			t.Errorf("%s: %v: %q, want %q", name, row.err, got, row.want)
		}
	}
}

// refused says that the mount was interrupted, or that it waited too long. It
// says what the device carries if that is not what the caller named.
func TestRefused(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/dev")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 1 << 20
	f.Truncate(size)
	m := &mounting{System: host.Default(), dir: "/mnt"}
	a, v := &engine.Activation{File: f}, catalog.Volume{Pool: "p", Name: "v", Size: size}
	invalid := &mount.Error{FSType: "xfs", Target: "/mnt", Err: unix.EINVAL,
		Kernel: []string{"XFS (dm-3): Invalid superblock magic number"}}
	tell := func(fstype string, err error) string {
		err = m.refused(a, v, fstype, err)
		return fault.Text(err) + " (" + thintest.Show(host.RemedyOf(err)) + ")"
	}
	for want, got := range map[string]string{
		"p/v: interrupted ()":     tell("ext4", context.Canceled),
		"p/v: gave up waiting (":  tell("ext4", context.DeadlineExceeded),
		"xfs_repair -n $d":        tell("xfs", invalid),
		"p/v: mount xfs on /mnt:": tell("xfs", invalid),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	squash := make([]byte, 96)
	copy(squash, "hsqs\x01\x00\x00\x00")
	squash[28], squash[12] = 4, 0
	f.WriteAt(squash, 0)
	if found, err := fsprobe.Probe(f, size); err != nil || found.Type != "squashfs" {
		t.Fatalf("%v, %v", found, err)
	}
	if got := tell("xfs", invalid); got != "p/v: carries squashfs, not xfs ("+
		thintest.Show(fault.Mount{Volume: thintest.Named("p/v"), Path: "/mnt"})+")" {
		t.Error(got)
	}
	if !errors.Is(m.refused(a, v, "xfs", invalid), unix.EINVAL) {
		t.Error("the errno is lost")
	}
	m.wayOut = fault.Hint("make room")
	if got := tell("squashfs", invalid); !strings.HasSuffix(got, "(make room)") {
		t.Error(got)
	}
	if got := tell(
		"squashfs", &mount.OptionError{Option: "x", Err: unix.EINVAL},
	); strings.Contains(got, "make room") {
		t.Error(got)
	}
}

// content has a remedy of its own for each kind of thing that lies on a volume
// and is no filesystem.
func TestContent(t *testing.T) {
	for fstype, want := range map[string]string{
		"gpt": "losetup -fP --show $d", "dos": "losetup -fP --show $d",
		"crypto_LUKS": "cryptsetup open $d", "LVM2_member": "vgchange -ay",
		"linux_raid_member": "mdadm --assemble", "swap": "swapon $d",
		"zfs_member": "zpool import -d $d", "drbd": "wipefs $d",
	} {
		got := thintest.Show(content(thintest.Named("p/v"), "/mnt",
			&fsprobe.OtherError{Result: fsprobe.Result{Type: fstype, Kind: fsprobe.Container}}))
		if !strings.Contains(got, want) ||
			!strings.Contains(got, `fault.OnDevice{Volume:spec.Volume{Pool:"p", Name:"v"}`) ||
			strings.Contains(got, "fault.Mount") {
			t.Errorf("%s: %q, want %q", fstype, got, want)
		}
	}
	jfs := &fsprobe.OtherError{Result: fsprobe.Result{Type: "jfs", Kind: fsprobe.Named}}
	if got := fmt.Sprint(content(thintest.Named("p/v"), "/mnt", jfs)); got != "if that is right: "+
		thintest.Show(fault.Mount{Volume: thintest.Named("p/v"), Path: "/mnt", FSType: "jfs"}) {
		t.Error(got)
	}
	if got := content(thintest.Named("p/v"), "/mnt", unix.EIO); got != nil {
		t.Errorf("a device that cannot be read: %v", got)
	}
}
