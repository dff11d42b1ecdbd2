//go:build kernel

package mount

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// sh runs a shell command and returns what it prints, trimmed.
func sh(t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.Command("/bin/sh", append([]string{"-euc", command, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

// volume makes a filesystem on a loop device, and a folder to mount it on.
func volume(t *testing.T, mkfs, size string) (device, dir string) {
	t.Helper()
	work, err := os.MkdirTemp("/var/tmp", "mount")
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(work, "mnt")
	check(t, os.Mkdir(dir, 0o755))
	device = sh(t, `truncate -s `+size+` "$1/disk"; `+mkfs+` "$1/disk" >/dev/null; losetup --show -f "$1/disk"`, work)
	t.Cleanup(func() { sh(t, `losetup -d "$1"; rm -r "$2"`, device, work) })
	return device, dir
}

func request(t *testing.T, device, dir, fstype, options string) Request {
	t.Helper()
	o, err := ParseOptions(options)
	check(t, err)
	return Request{Source: device, Target: dir, FSType: fstype, Options: o}
}

// filesystems are those that get the most use, and how to make them.
var filesystems = map[string]string{"ext4": "mkfs.ext4 -q", "xfs": "mkfs.xfs -q", "btrfs": "mkfs.btrfs -q"}

// findmnt is the oracle for what the options did.
func TestKernelOptionsAsFindmntShowsThem(t *testing.T) {
	for fstype, mkfs := range filesystems {
		t.Run(fstype, func(t *testing.T) {
			device, dir := volume(t, mkfs, "512M")
			for options, want := range map[string]string{
				"rw": "rw,relatime", "ro": "ro,relatime", "nosuid,nodev,noexec": "rw,nosuid,nodev,noexec,relatime",
				"noatime": "rw,noatime", "strictatime": "rw", "nodiratime": "rw,nodiratime,relatime", "nosymfollow": "rw,relatime,nosymfollow",
				"x-foo,nofail,defaults,_netdev": "rw,relatime",
			} {
				res, err := Mount(context.Background(), request(t, device, dir, fstype, options))
				if err != nil || res.DroppedDiscard {
					t.Errorf("%s: %+v, %v", options, res, err)
					continue
				}
				if got := sh(t, `findmnt -no VFS-OPTIONS "$1"`, dir); got != want {
					t.Errorf("%s: %s, want %s", options, got, want)
				}
				super := sh(t, `findmnt -no FS-OPTIONS "$1"`, dir)
				if !strings.Contains(super, "discard") || fstype == "xfs" && !strings.Contains(super, "nouuid") || strings.HasPrefix(super, "ro") != (options == "ro") {
					t.Errorf("%s: filesystem has %s", options, super)
				}
				check(t, Unmount(dir, UnmountOptions{NoFollow: true}))
			}
			if _, err := Mount(context.Background(), request(t, device, dir, fstype, "nodiscard,sync,lazytime")); err != nil {
				t.Fatal(err)
			}
			super := strings.Split(sh(t, `findmnt -no FS-OPTIONS "$1"`, dir), ",")
			if slices.Contains(super, "discard") || !slices.Contains(super, "sync") || !slices.Contains(super, "lazytime") {
				t.Errorf("nodiscard,sync,lazytime: %s", super)
			}
			check(t, Unmount(dir, UnmountOptions{}))
		})
	}
}

// The reason is the kernel's own, never the errno alone.
func TestKernelsWordsInErrors(t *testing.T) {
	for fstype, mkfs := range filesystems {
		t.Run(fstype, func(t *testing.T) {
			device, dir := volume(t, mkfs, "512M")
			for name, row := range map[string]struct {
				r    Request
				want string
			}{
				"unknown option":     {request(t, device, dir, fstype, "nosuchoption=1"), "nosuchoption"},
				"no such filesystem": {request(t, device, dir, "nosuchfs", ""), "knows no filesystem nosuchfs"},
				"another filesystem": {request(t, "/dev/vdd", dir, fstype, ""), "kernel"},
			} {
				_, err := Mount(context.Background(), row.r)
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("%s: %v, want %q", name, err, row.want)
				}
				if sh(t, `findmnt -n "$1" || true`, dir) != "" {
					t.Errorf("%s: mounted all the same", name)
				}
			}
		})
	}
}

// ext4 without a journal takes discard; a filesystem that does not know the
// option, named as one that does, refuses it and is mounted without.
func TestKernelDiscardThatIsRefused(t *testing.T) {
	device, dir := volume(t, "mkfs.vfat", "64M")
	r := request(t, device, dir, "vfat", "")
	res, err := Mount(context.Background(), r)
	if err != nil || res.DroppedDiscard {
		t.Fatalf("%+v, %v", res, err)
	}
	check(t, Unmount(dir, UnmountOptions{}))
	r = request(t, device, dir, "vfat", "nosuchoption")
	if _, err := Mount(context.Background(), r); err == nil || !strings.Contains(err.Error(), "nosuchoption") {
		t.Errorf("the caller's own mistake is hidden: %v", err)
	}
}

func TestKernelRemountAndBusy(t *testing.T) {
	device, dir := volume(t, "mkfs.ext4 -q", "64M")
	_, err := Mount(context.Background(), request(t, device, dir, "ext4", ""))
	check(t, err)
	f, err := os.Open(dir)
	check(t, err)
	if err := Unmount(dir, UnmountOptions{}); !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "target is busy") {
		t.Error(err)
	}
	o, _ := ParseOptions("ro,noexec")
	check(t, Remount(dir, o))
	if got := sh(t, `findmnt -no VFS-OPTIONS "$1"`, dir); !strings.HasPrefix(got, "ro,noexec") {
		t.Error(got)
	}
	check(t, Unmount(dir, UnmountOptions{Lazy: true}))
	check(t, f.Close())
	if err := Unmount(dir, UnmountOptions{}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("not mounted: %v", err)
	}
}

// umount(8) finds the helper by our lines: for the last umount, and for three
// before it, with libmount's own options written in between.
func TestKernelUmountFindsTheHelper(t *testing.T) {
	const helper = "/sbin/umount.thin"
	saved := helper + ".saved"
	check(t, os.Rename(helper, saved))
	defer os.Rename(saved, helper)
	device, dir := volume(t, "mkfs.ext4 -q", "64M")
	calls := filepath.Join(t.TempDir(), "calls")
	check(t, os.WriteFile(helper, []byte("#!/bin/sh\necho \"$@\" >> "+calls+"\n"), 0o755))

	u, ctx := Utab{Dir: "/run/mount"}, context.Background()
	_, err := Mount(ctx, request(t, device, dir, "ext4", ""))
	check(t, err)
	table, err := Table()
	check(t, err)
	top := Top(table, dir)
	e := Entry{ID: top.ID, Source: top.Source, Target: top.Mountpoint, Root: top.Root, Spec: "pool/volume"}
	check(t, u.Add(ctx, e, LiveIn(table, top.ID)))
	sh(t, `mount -o remount,x-foo "$1"`, dir)
	for range 3 {
		check(t, u.AddShadow(ctx, "pool/volume", dir))
		sh(t, `umount "$1"`, dir)
	}
	sh(t, `umount "$1"`, dir)
	called, _ := os.ReadFile(calls)
	if got := strings.Count(string(called), dir); got != 4 {
		t.Errorf("helper called %d times, want 4: %s", got, called)
	}
	check(t, Unmount(dir, UnmountOptions{}))
	check(t, u.Remove(ctx, e, LiveIn(nil, top.ID)))
	if text, _ := os.ReadFile("/run/mount/utab"); strings.Contains(string(text), dir) {
		t.Errorf("left in utab: %s", text)
	}
}

// Two copies of one btrfs: refused where the kernel would mix them, and really
// apart where it does not.
func TestKernelBtrfsTwice(t *testing.T) {
	device, dir := volume(t, "mkfs.btrfs -q", "256M")
	copied, other := volume(t, "true", "256M")
	sh(t, `dd if="$1" of="$2" bs=1M status=none conv=fsync`, device, copied)
	fsid := sh(t, `blkid -p -o value -s UUID "$1"`, device)
	_, err := Mount(context.Background(), request(t, device, dir, "btrfs", ""))
	check(t, err)
	defer Unmount(dir, UnmountOptions{})
	if err := BtrfsConflict(fsid, device); err != nil {
		t.Errorf("its own device: %v", err)
	}
	err = BtrfsConflict(fsid, copied)
	if _, e := os.Stat("/sys/fs/btrfs/features/temp_fsid"); e != nil {
		if !errors.Is(err, ErrSameFSID) || !strings.Contains(err.Error(), fsid) {
			t.Errorf("this kernel mixes them: %v", err)
		}
		return
	}
	check(t, err)
	_, err = Mount(context.Background(), request(t, copied, other, "btrfs", ""))
	check(t, err)
	defer Unmount(other, UnmountOptions{})
	check(t, os.WriteFile(filepath.Join(other, "file"), []byte("x"), 0o600))
	if _, err := os.Stat(filepath.Join(dir, "file")); !os.IsNotExist(err) {
		t.Errorf("written to one, seen in the other: %v", err)
	}
}
