//go:build kernel

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const crowd = 64

// run runs a program and fails the test if it fails.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// atOnce runs one program per volume, all side by side, and returns how long
// they took together.
func atOnce(t *testing.T, argv func(n int) []string) time.Duration {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, crowd)
	start := time.Now()
	for n := range crowd {
		wg.Go(func() {
			a := argv(n)
			if out, err := exec.Command(a[0], a[1:]...).CombinedOutput(); err != nil {
				errs[n] = fmt.Errorf("%v: %w: %s", a, err, out)
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	return took
}

// TestKernelCrowd mounts 64 volumes by 64 processes and unmounts them: no
// error, nothing left. The times are printed, not judged.
func TestKernelCrowd(t *testing.T) {
	run(t, "thin-snap", "pool", "create", "--size", "8G", "crowd")
	run(t, "thin-snap", "create", "--size", "64M", "--fs", "ext4", "crowd/base")
	for n := range crowd {
		run(t, "thin-snap", "snapshot", "crowd/base", fmt.Sprintf("crowd/v%d", n))
	}
	dir := t.TempDir()
	at := func(n int) string { return filepath.Join(dir, fmt.Sprint(n)) }
	for n := range crowd {
		if err := os.Mkdir(at(n), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mounting := atOnce(t, func(n int) []string {
		return []string{"mount", "-t", "thin", fmt.Sprintf("crowd/v%d", n), at(n)}
	})
	if got := strings.Count(run(t, "findmnt", "-rn", "-o", "SOURCE"),
		"thin-crowd@v"); got != crowd {
		t.Errorf("%d mounts, want %d", got, crowd)
	}
	if got := strings.Count(run(t, "cat", "/run/mount/utab"), "OPTS=helper=thin"); got != 2*crowd {
		t.Errorf("%d lines of ours in utab, want an anchor and a shadow for each of %d", got, crowd)
	}
	unmounting := atOnce(t, func(n int) []string { return []string{"umount", at(n)} })
	if out := run(t, "dmsetup", "ls"); strings.Contains(out, "thin-crowd@v") {
		t.Errorf("left behind: %s", out)
	}
	if out, _ := os.ReadFile("/run/mount/utab"); strings.Contains(string(out), "thin") {
		t.Errorf("left in utab: %s", out)
	}
	t.Logf("%d mounts side by side in %v, umounts in %v; one alone: %v", crowd, mounting,
		unmounting, alone(t, at(0)))
	run(t, "thin-snap", "pool", "delete", "-r", "-y", "crowd")
}

// alone times one mount, to be set beside 64.
func alone(t *testing.T, dir string) time.Duration {
	start := time.Now()
	run(t, "mount", "-t", "thin", "crowd/v0", dir)
	took := time.Since(start)
	run(t, "umount", dir)
	return took
}
