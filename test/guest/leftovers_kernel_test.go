//go:build kernel

package guest

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

//go:embed leftovers
var script string

// leftovers runs the script, which gives things wait seconds to go away, and
// returns what it printed and whether it was content.
func leftovers(t *testing.T, verb, file, wait string) (string, bool) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script, "leftovers", verb, file)
	cmd.Env = append(os.Environ(), "LEFTOVERS_WAIT="+wait)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), err == nil
}

// sh runs a line of shell and returns its trimmed output.
func sh(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.Command("/bin/sh", "-ec", line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	return strings.TrimSpace(string(out))
}

// made is a kind of leftover: how to make one and be rid of it, and how it
// shows.
type made struct {
	kind, shows string
	make        func(t *testing.T) (undo func())
}

// shell makes a leftover by one line of shell and unmakes it by another.
func shell(make, undo string) func(*testing.T) func() {
	return func(t *testing.T) func() {
		sh(t, make)
		return func() { sh(t, undo) }
	}
}

func kinds() []made {
	return []made{
		{"device", "+ device left-over",
			shell("dmsetup create left-over --notable", "dmsetup remove left-over")},
		{"suspended", "+ device left-frozen", shell(
			"dmsetup create left-frozen --table '0 8 zero'; dmsetup suspend left-frozen",
			"dmsetup resume left-frozen; dmsetup remove left-frozen")},
		{"loop", "(deleted)", loopDevice},
		{"mount", "+ mount /mnt type tmpfs", shell("mount -t tmpfs left /mnt", "umount /mnt")},
		{"hidden mount", "+ mount /proc/fs type tmpfs",
			shell("mount -t tmpfs left /proc/fs", "umount /proc/fs")},
		{"semaphore", "+ semaphore", semaphore},
		{"node", "+ node /dev/mapper/left",
			shell("ln -s ../null /dev/mapper/left", "rm /dev/mapper/left")},
		{"dangling node", "+ node /dev/mapper/dangling",
			shell("ln -s ../nothing /dev/mapper/dangling", "rm /dev/mapper/dangling")},
		{"run file", "+ file /run/thin/refs/left",
			shell("mkdir -p /run/thin/refs; touch /run/thin/refs/left", "rm /run/thin/refs/left")},
		{"catalog file", "+ file /var/lib/thin/left/x",
			shell("mkdir -p /var/lib/thin/left; touch /var/lib/thin/left/x",
				"rm -r /var/lib/thin/left")},
		{"catalog folder", "+ folder /var/lib/thin/empty",
			shell("mkdir -p /var/lib/thin/empty", "rmdir /var/lib/thin/empty")},
		{"temporary file", "+ file /tmp/left", shell("touch /tmp/left", "rm /tmp/left")},
		{"utab", "+ utab ID=1 left",
			shell("echo ID=1 left >>/run/mount/utab", "sed -i /left/d /run/mount/utab")},
		{"changed program", "program",
			shell("mount --bind /bin/true /sbin/umount.thin", "umount -i /sbin/umount.thin")},
		{"process", "sleep", process},
	}
}

// TestKernelLeftovers makes one leftover of each kind: each is reported while
// it is there, nothing is before, and nothing once all are gone.
func TestKernelLeftovers(t *testing.T) {
	before := filepath.Join(t.TempDir(), "before")
	leftovers(t, "save", before, "0")
	if out, clean := leftovers(t, "compare", before, "3"); !clean {
		t.Fatalf("reported before anything was left: %s", out)
	}
	var undo []func()
	for _, m := range kinds() {
		undo = append(undo, m.make(t))
	}
	out, clean := leftovers(t, "compare", before, "0")
	for _, u := range slices.Backward(undo) {
		u()
	}
	for _, m := range kinds() {
		t.Run(m.kind, func(t *testing.T) {
			if clean || !strings.Contains(out, m.shows) {
				t.Errorf("clean=%v, want a line with %q: %s", clean, m.shows, out)
			}
		})
	}
	if out, clean := leftovers(t, "compare", before, "3"); !clean {
		t.Errorf("reported after it was gone: %s", out)
	}
}

// TestKernelLeftoversLost wants that a thing which a test takes away is
// reported too.
func TestKernelLeftoversLost(t *testing.T) {
	before := filepath.Join(t.TempDir(), "before")
	sh(t, "mount -t tmpfs lost /mnt")
	leftovers(t, "save", before, "0")
	sh(t, "umount /mnt")
	if out, clean := leftovers(t, "compare", before, "0"); clean ||
		!strings.Contains(out, "- mount /mnt type tmpfs") {
		t.Errorf("clean=%v: %s", clean, out)
	}
}

// TestKernelLeftoversLate wants that a thing on its way out is waited for.
func TestKernelLeftoversLate(t *testing.T) {
	before := filepath.Join(t.TempDir(), "before")
	leftovers(t, "save", before, "0")
	sh(t, "touch /tmp/late; (sleep 1; rm /tmp/late) >/dev/null 2>&1 &")
	if out, clean := leftovers(t, "compare", before, "30"); !clean {
		t.Errorf("reported: %s", out)
	}
}

func loopDevice(t *testing.T) func() {
	file := filepath.Join(t.TempDir(), "backing")
	dev := sh(t, "truncate -s 1M "+file+"; losetup --show -f "+file+"; rm "+file)
	return func() { sh(t, "losetup -d "+dev) }
}

func semaphore(t *testing.T) func() {
	const ipcPrivate = 0
	id, _, errno := unix.Syscall(unix.SYS_SEMGET, ipcPrivate, 1, 0o600)
	if errno != 0 {
		t.Fatal(errno)
	}
	return func() { unix.Syscall(unix.SYS_SEMCTL, id, 0, unix.IPC_RMID) }
}

func process(t *testing.T) func() {
	cmd := exec.Command("/bin/sleep", "60")
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() { cmd.Process.Signal(os.Kill); cmd.Wait() }
}
