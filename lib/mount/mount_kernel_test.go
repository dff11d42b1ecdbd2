//go:build kernel

package mount

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/loop"
)

// run gives a program's output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// made is a filesystem in a file, on a loop device.
func made(t *testing.T, fstype string) (file, device string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "image")
	run(t, "truncate", "-s", "320M", file)
	run(t, "mkfs."+fstype, "-q", file)
	return file, attached(t, file)
}

func attached(t *testing.T, file string) string {
	t.Helper()
	d, err := loop.Attach(t.Context(), file, loop.Options{Autoclear: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d.Path()
}

// mountAt makes a mount and gives it its place.
func mountAt(ctx context.Context, r Request) (Result, error) {
	m, err := Make(ctx, r)
	if err != nil {
		return Result{}, err
	}
	defer m.Close()
	return m.Attach()
}

// Nobody sees a mount without a place, and Close ends it, with the filesystem's
// hold on the device. Flags that only mount(2) knows are for Attach.
func TestKernelMountWithoutPlace(t *testing.T) {
	_, device := made(t, "ext4")
	exclusively := func() error {
		f, err := os.OpenFile(device, os.O_RDONLY|unix.O_EXCL, 0)
		if err == nil {
			f.Close()
		}
		return err
	}
	for name, flags := range map[string]uintptr{"fsopen": 0, "mount(2)": unix.MS_SILENT} {
		r := Request{device, t.TempDir(), "ext4", Options{Flags: flags}}
		m, err := Make(t.Context(), r)
		do(t, err)
		if err := exclusively(); errors.Is(err, unix.EBUSY) != (flags == 0) {
			t.Errorf("%s: made: open: %v", name, err)
		}
		if where := mountsOf(t, device); len(where) != 0 {
			t.Errorf("%s: made, and mounted on %q", name, where)
		}
		m.Close()
		m.Close()
		if err := exclusively(); err != nil {
			t.Errorf("%s: closed: open: %v", name, err)
		}
	}
}

// mounted mounts at a new directory, until the test's end.
func mounted(t *testing.T, fstype, device, options string) string {
	t.Helper()
	o, err := ParseOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := mountAt(t.Context(), Request{device, dir, fstype, o}); err != nil {
		t.Fatalf("%s: %v", options, err)
	}
	t.Cleanup(func() { unix.Unmount(dir, 0) })
	return dir
}

func shown(t *testing.T, dir string) []string {
	t.Helper()
	s := run(t, "findmnt", "-n", "-r", "-o", "VFS-OPTIONS,FS-OPTIONS", "--mountpoint", dir)
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// topID is the ID of the mount that is seen at dir.
func topID(t *testing.T, dir string) int {
	t.Helper()
	table, err := Table()
	do(t, err)
	return Top(table, dir).ID
}

func filesystems() []string { return []string{"ext4", "xfs", "btrfs"} }

func TestKernelOptions(t *testing.T) {
	for _, fs := range filesystems() {
		_, device := made(t, fs)
		for options, want := range map[string]string{
			"": "rw", "ro": "ro", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec",
			"noatime": "noatime", "nodiratime": "nodiratime",
			"relatime": "relatime", "nosymfollow": "nosymfollow", "sync": "sync",
			"dirsync": "dirsync", "lazytime": "lazytime",
			"silent": "rw", "discard": "discard", "strictatime": "!relatime",
			"nodiscard": "!discard",
		} {
			dir := mounted(t, fs, device, options)
			got := shown(t, dir)
			if word, not := strings.CutPrefix(want, "!"); slices.Contains(got, word) == not {
				t.Errorf("%s -o %q: %q", fs, options, got)
			}
			if err := Unmount(dir, UnmountOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What mount(8) takes, we take.
func TestKernelIversion(t *testing.T) {
	for _, fs := range filesystems() {
		_, device := made(t, fs)
		dir := t.TempDir()
		if _, err := mountAt(t.Context(),
			Request{device, dir, fs, Options{Flags: unix.MS_I_VERSION}}); err != nil {
			t.Errorf("%s: %v", fs, err)
			continue
		}
		if err := Unmount(dir, UnmountOptions{}); err != nil {
			t.Error(err)
		}
	}
}

func TestKernelBadOption(t *testing.T) {
	for _, fs := range filesystems() {
		_, device := made(t, fs)
		_, err := mountAt(t.Context(),
			Request{device, t.TempDir(), fs, Options{FS: []string{"bogus"}}})
		var e *Error
		if !errors.Is(err, unix.EINVAL) || !errors.As(err, &e) ||
			!strings.Contains(strings.Join(e.Kernel, ";"), "bogus") {
			t.Errorf("%s: %v", fs, err)
		}
	}
}

func TestKernelRemountAndBusy(t *testing.T) {
	for _, fs := range filesystems() {
		_, device := made(t, fs)
		dir := mounted(t, fs, device, "")
		id := topID(t, dir)
		f, err := os.Create(filepath.Join(dir, "file"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Unmount(dir, UnmountOptions{}); !errors.Is(err, unix.EBUSY) {
			t.Errorf("%s: %v", fs, err)
		}
		if err := MakeReadOnly(dir, id); !errors.Is(err, unix.EBUSY) {
			t.Errorf("%s: read-only under a writer: %v", fs, err)
		}
		f.Close()
		for _, row := range []struct {
			options    string
			has, lacks []string
		}{
			{"rw,nosuid,nodev,noatime", []string{"rw", "nosuid", "nodev", "noatime"},
				[]string{"ro", "relatime"}},
			{"ro,nodev", []string{"ro", "nodev", "relatime"}, []string{"nosuid", "noatime"}},
			{"rw,noexec,sync", []string{"rw", "noexec", "sync"}, []string{"ro", "nodev"}},
		} {
			o, err := ParseOptions(row.options)
			if err == nil {
				err = Remount(dir, id, o)
			}
			if got := shown(t, dir); err != nil || !contains(got, row.has, true) ||
				!contains(got, row.lacks, false) {
				t.Errorf("%s: remount,%s: %q, %v", fs, row.options, got, err)
			}
		}
		if err := MakeReadOnly(dir, id); err != nil ||
			!contains(shown(t, dir), []string{"ro", "noexec"}, true) {
			t.Errorf("%s: %q, %v", fs, shown(t, dir), err)
		}
		if err := Remount(dir, id, Options{FS: []string{"bogus"}}); !errors.Is(err, unix.EINVAL) ||
			!strings.Contains(err.Error(), "bogus") {
			t.Errorf("%s: %v", fs, err)
		}
		if err := Unmount(dir, UnmountOptions{}); err != nil {
			t.Error(err)
		}
		if err := Unmount(dir, UnmountOptions{}); !errors.Is(err, unix.EINVAL) {
			t.Errorf("%s: twice: %v", fs, err)
		}
	}
}

// contains tells whether each of the options is shown, or none.
func contains(shown, options []string, want bool) bool {
	return !slices.ContainsFunc(options,
		func(o string) bool { return slices.Contains(shown, o) != want })
}

// umount(8) finds our helper by the lines in utab, each of three times, and for
// a copy in another mount namespace.
func TestKernelUmountFindsHelper(t *testing.T) {
	calls := filepath.Join(t.TempDir(), "calls")
	helper := filepath.Join(t.TempDir(), "helper")
	if err := os.WriteFile(helper, []byte("#!/bin/sh\necho \"$1\" >>"+calls+"\n"),
		0o755); err != nil {
		t.Fatal(err)
	}
	// Over the real one, which the tests after this one need.
	run(t, "mount", "--bind", helper, "/sbin/umount.thin")
	defer run(t, "umount", "-i", "/sbin/umount.thin")
	_, device := made(t, "ext4")
	dir := mounted(t, "ext4", device, "")
	u := Utab{"/run/mount"}
	table, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	m := Top(table, dir)
	e := Entry{Source: m.Source, Target: dir, Root: m.Root, Spec: "pool/volume"}
	look := func() Live { return LiveIn(table) }
	if err := u.Add(t.Context(), e, look); err != nil {
		t.Fatal(err)
	}
	defer u.Tidy(context.Background(), none)
	run(t, "mount", "-o", "remount,x-foo", dir)
	for n := 1; n <= 3; n++ {
		if err := u.Mend(t.Context(), e, 1, look); err != nil {
			t.Fatal(err)
		}
		umount := []string{"umount", dir}
		if n == 2 {
			umount = []string{"unshare", "-m", "umount", dir}
		}
		run(t, umount[0], umount[1:]...)
		if b, _ := os.ReadFile(calls); strings.Count(string(b), "\n") != n {
			t.Fatalf("umount %d: the helper was called for %q; utab:\n%s", n, b, u.content())
		}
	}
	if err := Unmount(dir, UnmountOptions{}); err != nil {
		t.Error(err)
	}
	if err := u.Tidy(t.Context(), none); err != nil || strings.Contains(u.content(), dir) {
		t.Errorf("%v; utab:\n%s", err, u.content())
	}
}

// Two copies of one btrfs: refused, or kept apart.
func TestKernelBtrfsCopies(t *testing.T) {
	file, device := made(t, "btrfs")
	other := file + "2"
	run(t, "cp", file, other)
	second := attached(t, other)
	fsid := run(t, "blkid", "-p", "-s", "UUID", "-o", "value", device)
	dir := mounted(t, "btrfs", device, "")
	if err := BtrfsConflict(fsid, device); err != nil {
		t.Errorf("itself: %v", err)
	}
	_, err := os.Stat("/sys/fs/btrfs/features/temp_fsid")
	if err != nil {
		if err := BtrfsConflict(fsid, second); !errors.Is(err, errSameFSID) {
			t.Errorf("copy: %v", err)
		}
		return
	}
	if err := BtrfsConflict(fsid, second); err != nil {
		t.Error(err)
	}
	dir2 := mounted(t, "btrfs", second, "")
	if err := os.WriteFile(filepath.Join(dir2, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if names, err := d.Readdirnames(1); err != io.EOF {
		t.Errorf("the first has %q, %v", names, err)
	}
}
