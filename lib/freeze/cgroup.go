package freeze

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A cgroup may be killed as a whole: by docker kill, by systemctl kill, or by
// the kernel where memory.oom.group is set. That kills the program and its
// watcher at once, if the watcher is in the same group. So the watcher goes to
// the root of the cgroup v2 hierarchy: there it needs no group that would have
// to be made and removed, systemd manages no process there, and it stays for
// milliseconds only.
//
// That is not possible with cgroup v1 alone, in a sandbox that forbids writing
// there, and in a container, whose root is the container itself. Then the
// watcher stays in the program's cgroup, and the next command resumes the
// device.

// cgroupRoots are the places where the cgroup v2 hierarchy is mounted; the
// second is for systems that mount it beside cgroup v1.
var cgroupRoots = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}

// openCgroup opens the root of the hierarchy, for a process to start in. It is
// nil if this process is there already, or if there is none. A process may
// start in the root although groups with controllers lie below it: the rule
// against inner processes has no effect there (cgroups(7)).
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

// groupPath reads the process's group of cgroup v2 from /proc/PID/cgroup
// (cgroups(7)). Without that hierarchy ok is false.
func groupPath(text string) (path string, ok bool) {
	for line := range strings.Lines(text) {
		if path, ok = strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return path, true
		}
	}
	return "", false
}
