//go:build kernel

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKernelBusyInPassing unmounts what is busy for a moment, by a descriptor
// that no process has: it is under way in a socket. The message does not name a
// process that comes for a moment and goes.
func TestKernelBusyInPassing(t *testing.T) {
	run(t, "thin-snap", "pool", "create", "--size", "1G", "busy")
	run(t, "thin-snap", "create", "--size", "64M", "--fs", "ext4", "busy/v")
	dir := t.TempDir()
	run(t, "mount", "-t", "thin", "busy/v", dir)

	letGo := underWay(t, filepath.Join(dir, "."))
	out, err := exec.Command("umount", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "umount.thin: "+dir+": busy (") {
		t.Errorf("umount of what stays busy: %v: %s", err, out)
	}
	time.AfterFunc(500*time.Millisecond, letGo)
	run(t, "umount", dir)
	if out := run(t, "dmsetup", "ls"); strings.Contains(out, "thin-busy@v") {
		t.Errorf("left behind: %s", out)
	}
	run(t, "thin-snap", "pool", "delete", "-r", "-y", "busy")
}

// TestKernelOpenAtUmount unmounts a volume whose device is open. It is not
// mounted any more. The umount waits for a descriptor that no process has,
// which is closed in a moment. A process that keeps one is named, and the
// device goes later.
func TestKernelOpenAtUmount(t *testing.T) {
	const device = "/dev/mapper/thin-open@v"
	run(t, "thin-snap", "pool", "create", "--size", "1G", "open")
	run(t, "thin-snap", "create", "--size", "64M", "--fs", "ext4", "open/v")
	dir := t.TempDir()
	there := func() bool { return strings.Contains(run(t, "dmsetup", "ls"), "thin-open@v") }

	run(t, "mount", "-t", "thin", "open/v", dir)
	time.AfterFunc(500*time.Millisecond, underWay(t, device))
	run(t, "umount", dir)
	if there() {
		t.Error("the umount did not wait for the last close")
	}

	run(t, "mount", "-t", "thin", "open/v", dir)
	f, err := os.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	said := run(t, "umount", dir)
	if want := fmt.Sprintf("(pid %d", os.Getpid()); !strings.Contains(said, want) ||
		!strings.Contains(said, "goes at its last close") {
		t.Errorf("umount said %q, want %q", said, want)
	}
	if got := run(t, "thin-snap", "list", "-H", "-o", "name,mounted_on,references",
		"open"); strings.TrimSpace(got) != "open/v\t-\t0" {
		t.Errorf("listed: %q", got)
	}
	if !there() {
		t.Error("the device went although it is open")
	}
	f.Close()
	for start := time.Now(); there(); time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("the device stays after its last close")
		}
	}
	run(t, "thin-snap", "pool", "delete", "-r", "-y", "open")
}

// underWay opens a file and sends the descriptor on its way, to nobody.
func underWay(t *testing.T, path string) (letGo func()) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err == nil {
		err = unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(int(f.Fd())), nil, 0)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		unix.Close(pair[0])
		unix.Close(pair[1])
	}
}
