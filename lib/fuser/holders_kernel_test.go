//go:build kernel

package fuser

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// on makes a mount with this propagation, and mounts a filesystem of the type
// fstype on a folder of it. It returns the second mount.
func on(t *testing.T, fstype, propagation string) Mount {
	t.Helper()
	base := t.TempDir()
	run(t, "mount", "-t", "tmpfs", "base", base)
	t.Cleanup(func() { unix.Unmount(base, unix.MNT_DETACH) })
	run(t, "mount", "--make-"+propagation, base)
	dir := filepath.Join(base, "a b")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if fstype == "tmpfs" {
		run(t, "mount", "-t", "tmpfs", "x", dir)
	} else {
		image := filepath.Join(base, "image")
		run(t, "truncate", "-s", "300M", image)
		run(t, "mkfs."+fstype, "-q", image)
		run(t, "mount", "-o", "loop", image, dir)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	if err := os.WriteFile(dir+"/file", make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	return at(t, dir)
}

// at returns the mount at dir.
func at(t *testing.T, dir string) Mount {
	t.Helper()
	table, err := mountinfo.GetMounts(mountinfo.SingleEntryFilter(dir))
	if err != nil || len(table) != 1 {
		t.Fatalf("%s: %v, %v", dir, table, err)
	}
	return Mount{table[0].ID, table[0].Major, table[0].Minor, dir}
}

// of1 is Of without errors.
func of1(t *testing.T, m Mount) []Holder {
	t.Helper()
	found, err := Of(t.Context(), "/proc", m)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// agree wants these holders of m found, and wants the kernel to agree: an
// unmount of m fails with EBUSY if m has a holder, and otherwise would succeed.
func agree(t *testing.T, m Mount, want ...Holder) {
	t.Helper()
	found := of1(t, m)
	for i := range found {
		if found[i].PID != 0 && found[i].Command == "" {
			t.Errorf("%+v has no name", found[i])
		}
		if found[i].PID != 0 {
			found[i].Command = ""
		}
	}
	for i := range want {
		want[i].Path = m.Point + want[i].Path
		if want[i].PID == 0 {
			want[i].UID = -1
		}
	}
	if !slices.Equal(found, want) {
		t.Errorf("%+v\nwant %+v", found, want)
	}
	flags, answer := 0, unix.EBUSY
	// The first MNT_EXPIRE after a use unmounts nothing and gives EAGAIN.
	if len(want) == 0 {
		flags, answer = unix.MNT_EXPIRE, unix.EAGAIN
		if _, err := os.Stat(m.Point); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Unmount(m.Point, flags); err != answer {
		t.Fatalf("the kernel says %v, found %+v", err, found)
	}
}

// fuser returns the PIDs that fuser(1) finds.
func fuser(t *testing.T, m Mount) []int {
	t.Helper()
	out, _ := exec.Command("fuser", "-m", m.Point).Output() // it fails if it finds nothing
	var pids []int
	for _, f := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatalf("fuser: %q", out)
		}
		pids = append(pids, pid)
	}
	return pids
}

func TestKernelProcesses(t *testing.T) {
	for _, fstype := range []string{"tmpfs", "ext4", "btrfs"} {
		m := on(t, fstype, "private")
		agree(t, m)
		for _, tt := range []struct{ mode, path, what string }{
			{"cwd", "", Cwd}, {"root", "", Root}, {"open", "/file", Open}, {"open", "", Open},
			{"mapped", "/file", Mapped},
		} {
			pid, stop := child(t, tt.mode, m.Point+tt.path, nil, own(t))
			agree(t, m, Holder{PID: pid, What: tt.what, Path: tt.path})
			// On btrfs, fuser takes the device numbers in maps for those of
			// another filesystem.
			if got := fuser(t, m); !slices.Equal(got, []int{pid}) && fstype != "btrfs" {
				t.Errorf("%s %s: fuser finds %v, not %d", fstype, tt.mode, got, pid)
			}
			stop()
			agree(t, m)
		}
		program := copied(t, m.Point+"/program")
		pid, stop := child(t, "idle", "", nil, program)
		agree(t, m, Holder{PID: pid, What: Executable, Path: "/program"})
		stop()
	}
}

// TestKernelThreads has holders that fuser(1) does not find.
func TestKernelThreads(t *testing.T) {
	m := on(t, "tmpfs", "private")
	for _, tt := range []struct{ mode, path, what string }{
		{"thread", "", Cwd}, {"descriptors", "/file", Open}, {"headless", "/file", Open},
	} {
		pid, stop := child(t, tt.mode, m.Point+tt.path, nil, own(t))
		agree(t, m, Holder{PID: pid, What: tt.what, Path: tt.path})
		stop()
		agree(t, m)
	}
}

func TestKernelDeleted(t *testing.T) {
	m := on(t, "tmpfs", "private")
	pid, _ := child(t, "open", m.Point+"/file", nil, own(t))
	if err := os.Remove(m.Point + "/file"); err != nil {
		t.Fatal(err)
	}
	agree(t, m, Holder{PID: pid, What: Open, Path: "/file (deleted)"})
}

// TestKernelUser wants that a user who is not root finds only the user's own
// processes.
func TestKernelUser(t *testing.T) {
	m := on(t, "tmpfs", "private")
	base := filepath.Dir(m.Point)
	if err := errors.Join(os.Chmod(m.Point, 0o755), os.Chmod(base, 0o755),
		os.Chmod(filepath.Dir(base), 0o755)); err != nil {
		t.Fatal(err)
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	pid, _ := child(t, "cwd", m.Point, nobody, own(t))
	other, _ := child(t, "cwd", m.Point, nil, own(t))
	for _, h := range of1(t, m) {
		if want := map[int]int{pid: 65534, other: 0}; want[h.PID] != h.UID ||
			h.Command != filepath.Base(own(t)) {
			t.Errorf("%+v", h)
		}
	}
	child(t, "ask", m.Point, nobody, own(t))
}

// TestKernelSubmount mounts a filesystem on a folder of the mount, and then
// over a mount. It wants that submount found as the holder.
func TestKernelSubmount(t *testing.T) {
	m := on(t, "tmpfs", "private")
	sub := m.Point + "/su b"
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "mount", "-t", "tmpfs", "x", sub)
	child(t, "cwd", sub, nil, own(t)) // it keeps the submount busy, and not m
	agree(t, m, Holder{What: Submount, Path: "/su b"})
	over := on(t, "tmpfs", "private")
	run(t, "mount", "-t", "tmpfs", "x", over.Point)
	if got := of1(t, over); len(got) != 1 || got[0].What != Submount || got[0].Path != over.Point {
		t.Errorf("%+v", got)
	}
	run(t, "umount", over.Point)
	agree(t, over)
}

func TestKernelKernelHolds(t *testing.T) {
	m := on(t, "ext4", "private")
	swap := m.Point + "/swa p"
	run(t, "fallocate", "-l", "8M", swap)
	run(t, "chmod", "600", swap)
	run(t, "mkswap", swap)
	run(t, "swapon", swap)
	t.Cleanup(func() { exec.Command("swapoff", swap).Run() })
	image := m.Point + "/ima\nge"
	run(t, "truncate", "-s", "8M", image)
	device := run(t, "losetup", "--find", "--show", image)
	t.Cleanup(func() { exec.Command("losetup", "-d", device).Run() })
	agree(t, m, Holder{What: Swap, Path: "/swa p"},
		Holder{Command: filepath.Base(device), What: Loop, Path: "/ima\nge"})
	if line := Line(of1(t, m), 9); strings.Contains(line, "\n") ||
		!strings.Contains(line, `ima\nge is behind loop`) {
		t.Error(line)
	}
	run(t, "swapoff", swap)
	run(t, "losetup", "-d", device)
	agree(t, m)
}

// TestKernelNamespaces has a process in another mount namespace, where it uses
// a copy of the mount. If the kernel propagates mounts between the two
// namespaces, it unmounts both mounts or none, so that process is a holder. If
// the other namespace is private, the process is no holder.
func TestKernelNamespaces(t *testing.T) {
	m := on(t, "tmpfs", "private")
	pid, stop := child(t, "cwd", m.Point, &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS},
		own(t))
	agree(t, m)
	if got := fuser(t, m); !slices.Equal(got, []int{pid}) {
		t.Errorf("fuser finds %v, not %d", got, pid)
	}
	stop()
	for _, propagation := range []string{"slave", "shared", "private"} {
		m := on(t, "tmpfs", "shared")
		pid, _ := child(t, propagation, m.Point, nil, "unshare", "-m", "--propagation", "unchanged",
			own(t))
		if propagation == "private" {
			agree(t, m)
			run(t, "umount", m.Point)
			continue
		}
		agree(t, m, Holder{PID: pid, What: Cwd, Path: ""})
	}
}
