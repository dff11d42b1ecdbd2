//go:build kernel

package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTorturePairs kills a snapshot while its origin is suspended: its cgroup,
// which the watcher is to survive, and the program together with its watcher,
// after which the next command has to resume the origin.
func TestTorturePairs(t *testing.T) {
	if !partWanted("pair") {
		return
	}
	w := newWorld(t)
	defer w.razeIfFailed(t)
	s := scenario{"snapshot-mounted", [][]string{cmd("mount.thin", "t/base", "DIR1", "-o", "rw")},
		cmd("thin-snap", "snapshot", "t/base", "t/new"), true}
	sp := w.walk(t, s)
	r := &report{Part: "pair", Scenario: s.name}
	next := 0
	for _, p := range whileSuspended(sp.all) {
		for _, way := range []string{"cgroup", "dead"} {
			name := "pair/" + way + "/" + p.String()
			if words := namedOf("pair"); len(words) > 1 && strings.Join(words, "/") != name {
				continue
			}
			r.Points++
			w.set(t, s)
			problems, met := w.killPair(t, p, way, w.argv(s.argv))
			if r.Kills++; !met {
				r.Kills--
			}
			r.count(t, name, met)
			w.judge(t, r, name, p.text, sp, next, problems)
			next++
		}
	}
	if r.Met == 0 {
		var ioctls []string
		for _, p := range sp.all {
			if p.call == "ioctl" {
				ioctls = append(ioctls, p.text)
			}
		}
		t.Errorf("nothing was killed while the origin was suspended, of\n%s",
			strings.Join(ioctls, "\n"))
	}
	w.checking.Wait()
	r.write(t)
}

// suspending is the ioctl that suspends a device; the one that resumes it has
// the same name and not the flag.
var suspending = regexp.MustCompile(
	`^ioctl\(\d+(<[^>]*>)?, DM_DEV_SUSPEND, \[?\{[^}]*flags=[A-Z_|]*DM_SUSPEND_FLAG`)

// whileSuspended lists the ioctls after which the origin is suspended: the
// suspending and the message.
func whileSuspended(all []point) []point {
	i := slices.IndexFunc(all, func(p point) bool { return suspending.MatchString(p.text) })
	if i < 0 {
		return nil
	}
	message := slices.IndexFunc(all[i:],
		func(p point) bool { return strings.Contains(p.text, "DM_TARGET_MSG") })
	if message < 0 {
		return nil
	}
	return []point{all[i], all[i+message]}
}

// killPair lets the command stop for a moment behind the call, and kills it
// there.
func (w *world) killPair(
	t *testing.T, p point, way string, argv []string,
) (problems []string, met bool) {
	t.Helper()
	options := []string{"strace", "-qq", "-o", "/dev/null", "-e", "trace=ioctl", "-e",
		fmt.Sprintf("inject=ioctl:delay_exit=1500000:when=%d", p.n)}
	line := slices.Concat(slowly, options, argv)
	cmd := exec.Command(line[0], line[1:]...)
	group := newGroup(t)
	defer group.remove()
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !suspended(t) {
		select {
		case <-ended: // the call was another one this time
			return nil, false
		case <-time.After(5 * time.Millisecond):
		}
	}
	time.Sleep(200 * time.Millisecond) // the call before the delay has its effect
	if way == "dead" {
		for _, pid := range watchers() {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
	group.kill(t)
	<-ended
	if way == "dead" {
		return nil, suspended(t)
	}
	if took := untilRunning(t); took > 5*time.Second {
		problems = append(problems,
			fmt.Sprintf("the watcher is dead, too: a device was suspended for %v", took))
	}
	return problems, true
}

// watchers are the pids of the second processes.
func watchers() (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if strings.HasPrefix(string(b), "thin-watcher\x00") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// cgroup is one of cgroup v2, whose hierarchy is mounted for it where it is
// not.
type cgroup struct {
	*os.File
	mounted bool
}

const cgroupRoot = "/sys/fs/cgroup"

func newGroup(t *testing.T) cgroup {
	t.Helper()
	var g cgroup
	var st unix.Statfs_t
	if err := unix.Statfs(cgroupRoot, &st); err != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
		if err := unix.Mount("cgroup2", cgroupRoot, "cgroup2", 0, ""); err != nil {
			t.Fatal(err)
		}
		g.mounted = true
	}
	dir := cgroupRoot + "/thinmount-torture"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	g.File = f
	return g
}

// kill kills all that is in the group, at once.
func (g cgroup) kill(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(g.Name()+"/cgroup.kill", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
}

func (g cgroup) remove() {
	dir := g.Name()
	g.Close()
	for range 200 {
		if unix.Rmdir(dir) == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if g.mounted {
		unix.Unmount(cgroupRoot, unix.MNT_DETACH)
	}
}
