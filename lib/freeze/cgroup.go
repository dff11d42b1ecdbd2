package freeze

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// What kills a cgroup (docker kill, systemctl kill, the kernel when memory.max of
// a group with memory.oom.group is reached) kills the program and its watcher at
// once, unless the watcher is elsewhere. It goes to the root of the cgroup v2
// hierarchy: there a process needs no group that would have to be made and
// removed, systemd looks after none there, and it stays for milliseconds. Where
// that is not possible, as with cgroup v1 alone, in a sandbox that does not let
// us write there, or in a container, whose root is the container itself, the
// watcher stays in our cgroup, and the next command does its work
// (lib/thin/suspended.go).

// cgroupRoots is where the cgroup v2 hierarchy is mounted, beside cgroup v1 the
// second.
var cgroupRoots = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}

// openCgroup opens the root of the hierarchy, for a process to begin in. It is
// nil where we are there already, and where there is none.
func openCgroup() *os.File {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	if path, ok := groupPath(string(own)); !ok || path == "/" {
		return nil
	}
	for _, dir := range cgroupRoots {
		var st unix.Statfs_t
		if unix.Statfs(dir, &st) != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		if f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0); err == nil {
			return f
		}
	}
	return nil
}

// groupPath reads /proc/PID/cgroup (cgroups(7)): the process's place in cgroup
// v2. Where it is in none, as without that hierarchy, ok is false.
func groupPath(text string) (path string, ok bool) {
	for line := range strings.Lines(text) {
		if path, ok = strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return path, true
		}
	}
	return "", false
}
