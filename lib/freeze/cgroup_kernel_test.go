//go:build kernel

package freeze

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// hierarchy is where cgroup v2 is; where nobody has mounted it, the test does.
func hierarchy(t *testing.T) string {
	t.Helper()
	for _, dir := range cgroupRoots {
		var st unix.Statfs_t
		if unix.Statfs(dir, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
			return dir
		}
	}
	dir := cgroupRoots[0]
	if err := unix.Mount("cgroup2", dir, "cgroup2", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "the hierarchy is unmounted",
			func() bool { return unix.Unmount(dir, 0) == nil })
	})
	return dir
}

// What kills a cgroup kills the program, and not its watcher, which resumes the
// device. No cgroup is left.
func TestKernelCgroupKill(t *testing.T) {
	root := hierarchy(t)
	c := suspendable(t)
	group := filepath.Join(root, "thinmount-freeze-test")
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "the cgroup is empty",
			func() bool { return unix.Rmdir(group) == nil })
	})
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	own := ownGroup(t, root)
	write(group+"/cgroup.procs", "0")
	child, _ := startChild(t, "1m")
	write(own+"/cgroup.procs", "0")
	if !suspended(t, c) {
		t.Error("not suspended in the action")
	}
	if len(watchers(t)) != 1 {
		t.Errorf("watchers: %v", watchers(t))
	}
	write(group+"/cgroup.kill", "1")
	eventually(t, "running again", func() bool { return !suspended(t, c) })
	child.Wait()
}

// ownGroup is the folder of the cgroup that the test runs in.
func ownGroup(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	path, ok := groupPath(string(text))
	if !ok {
		t.Fatalf("no cgroup v2: %q", text)
	}
	return filepath.Join(root, path)
}

// The same under systemd, which has the hierarchy for itself.
func TestBoot1CgroupKill(t *testing.T) { TestKernelCgroupKill(t) }
