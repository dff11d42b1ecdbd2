//go:build kernel

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKernelBusyInPassing unmounts what is busy for a moment, by a descriptor
// that no process has: it is under way in a socket. Who comes for a moment and
// goes is not told to the user as a reason.
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

// TestKernelOpenAtUmount unmounts a volume whose device somebody reads: it is not
// mounted any more, whatever is open, and its device goes at the last close.
func TestKernelOpenAtUmount(t *testing.T) {
	run(t, "thin-snap", "pool", "create", "--size", "1G", "open")
	run(t, "thin-snap", "create", "--size", "64M", "--fs", "ext4", "open/v")
	dir := t.TempDir()
	run(t, "mount", "-t", "thin", "open/v", dir)
	f, err := os.Open("/dev/mapper/thin-open@v")
	if err != nil {
		t.Fatal(err)
	}
	said := time.AfterFunc(2*time.Second, func() { f.Close() }) // else the umount waits for as long as it may
	run(t, "umount", dir)
	if said.Stop() {
		t.Error("the umount did not wait for the last close")
		f.Close()
	}
	if got := run(t, "thin-snap", "list", "-H", "-o", "name,mounted_on,references", "open"); strings.TrimSpace(got) != "open/v\t-\t0" {
		t.Errorf("listed: %q", got)
	}
	if out := run(t, "dmsetup", "ls"); strings.Contains(out, "thin-open@v") {
		t.Errorf("left behind: %s", out)
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
