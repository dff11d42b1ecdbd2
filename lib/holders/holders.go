// Package holders finds out who keeps a mount busy, for the message of an umount
// that fails: processes that have a file of it open, mapped or running, or that
// work in it; mounts on it; loop devices and swap files in it.
package holders

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Kind is how something holds a mount.
type Kind string

// The kinds. Those from Mounted on have no process.
const (
	WorksIn Kind = "works in"
	RootIn  Kind = "has its root in"
	Runs    Kind = "runs"
	Open    Kind = "has open"
	Mapped  Kind = "has mapped"
	Mounted Kind = "mount"
	Loop    Kind = "loop device"
	Swap    Kind = "swap"
)

// Holder is one that holds a mount.
type Holder struct {
	Kind    Kind
	PID     int    // 0 where it is no process
	Command string // comm of a process (proc(5)); the device of a loop device
	Path    string // what is held: as the process sees it, or the mount point of a mount
}

// Mount is a mount as mountinfo has it.
type Mount struct {
	ID  int
	Dir string
}

// Of looks for the holders of a mount of this mount namespace. proc is /proc.
// Only what holds this very mount counts, not another of the same filesystem: by
// its mount ID (statx(2), Linux 5.8). Nothing is asked of the filesystem itself,
// nor of any other, so that a dead server elsewhere hangs nobody. Processes that
// end meanwhile are left out, as is our own and the umount(8) that has called us;
// when ctx ends, so does the search, with what was found.
func Of(ctx context.Context, proc string, m Mount) []Holder {
	found := mountsOn(proc, m)
	found = append(found, kernelHeld(m)...)
	homes, _ := filepath.Glob(filepath.Join(proc, "[0-9]*"))
	for _, home := range homes {
		pid, err := strconv.Atoi(filepath.Base(home))
		if err != nil || pid == os.Getpid() || ctx.Err() != nil {
			continue
		}
		holds := ofProcess(home, pid, m.ID)
		if len(holds) > 0 && pid == os.Getppid() && holds[0].Command == "umount" {
			continue
		}
		found = append(found, holds...)
	}
	return found
}

// ofProcess names each path that a process holds once.
func ofProcess(home string, pid, id int) []Holder {
	var found []Holder
	seen := map[string]bool{}
	look := func(kind Kind, link string) {
		if mountOf(link) != id {
			return
		}
		path, err := os.Readlink(link)
		if err != nil || seen[path] {
			return
		}
		seen[path] = true
		found = append(found, Holder{Kind: kind, PID: pid, Path: path})
	}
	look(RootIn, filepath.Join(home, "root"))
	look(WorksIn, filepath.Join(home, "cwd"))
	look(Runs, filepath.Join(home, "exe"))
	lookAll := func(kind Kind, dir string) {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			look(kind, filepath.Join(dir, e.Name()))
		}
	}
	lookAll(Open, filepath.Join(home, "fd"))
	lookAll(Mapped, filepath.Join(home, "map_files"))
	if len(found) > 0 {
		comm, _ := os.ReadFile(filepath.Join(home, "comm"))
		for i := range found {
			found[i].Command = strings.TrimSuffix(string(comm), "\n")
		}
	}
	return found
}

// mountOf is the ID of the mount that a file lies on, or 0.
func mountOf(path string) int {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_DONT_SYNC|unix.AT_NO_AUTOMOUNT, unix.STATX_MNT_ID, &st)
	if err != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return 0
	}
	return int(st.Mnt_id)
}

// kernelHeld is what the kernel itself has open: files below loop devices, and
// swap files. Their paths are those of this mount namespace, and only those below
// the mount point are looked up.
func kernelHeld(m Mount) []Holder {
	var found []Holder
	on := func(path string) bool { return strings.HasPrefix(path, m.Dir+"/") && mountOf(path) == m.ID }
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, f := range files {
		text, err := os.ReadFile(f)
		path := strings.TrimSuffix(string(text), "\n")
		if err == nil && on(path) {
			found = append(found, Holder{Kind: Loop, Command: "/dev/" + filepath.Base(filepath.Dir(filepath.Dir(f))), Path: path})
		}
	}
	text, _ := os.ReadFile("/proc/swaps")
	for _, path := range swapFiles(string(text)) {
		if on(path) {
			found = append(found, Holder{Kind: Swap, Path: path})
		}
	}
	return found
}
