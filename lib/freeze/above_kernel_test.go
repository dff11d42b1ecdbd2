//go:build kernel

package freeze

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// folder mounts a small filesystem and opens its root without asking it.
func folder(t *testing.T, fstype string) *os.File {
	t.Helper()
	dir, image := t.TempDir(), t.TempDir()+"/image"
	options := "loop"
	if fstype == "tmpfs" {
		image, options = "tmpfs", "size=1m"
	} else {
		f, err := os.Create(image)
		if err != nil {
			t.Fatal(err)
		}
		f.Truncate(8 << 20)
		f.Close()
		if out, err := exec.Command("mkfs."+fstype, "-q", image).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if out, err := exec.Command("mount", "-t", fstype, "-o", options, image,
		dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	f, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// frozen tells whether a filesystem is frozen, and leaves it so.
func frozen(t *testing.T, f *os.File) bool {
	t.Helper()
	err := dm.FreezeFS(f)
	if err == nil {
		err = dm.ThawFS(f)
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	if !errors.Is(err, unix.EBUSY) {
		t.Fatal(err)
	}
	return true
}

// Filesystems above are frozen for the action; one that cannot be is named.
func TestKernelAbove(t *testing.T) {
	c := suspendable(t)
	fs, loose := folder(t, "ext4"), folder(t, "tmpfs")
	var inAction bool
	named, err := Suspended(t.Context(), c, Request{Device: dm.ByName(device), Limit: time.Minute,
		Above: []*os.File{loose, fs}}, func() error {
		inAction = frozen(t, fs)
		return nil
	})
	if err != nil || !inAction || frozen(t, fs) {
		t.Errorf("%v; frozen in the action %v, after it %v", err, inAction, frozen(t, fs))
	}
	if len(named) != 1 || named[0] != loose {
		t.Errorf("cannot be frozen: %v, want %s", named, loose.Name())
	}
}

// The freeze of somebody else is a refusal, and stays; what was frozen before
// it is thawed.
func TestKernelAboveFrozenByOthers(t *testing.T) {
	c := suspendable(t)
	first, theirs := folder(t, "ext4"), folder(t, "ext4")
	if err := dm.FreezeFS(theirs); err != nil {
		t.Fatal(err)
	}
	_, err := Suspended(t.Context(), c, Request{Device: dm.ByName(device), Limit: time.Minute,
		Above: []*os.File{first, theirs}}, func() error {
		t.Error("the action ran")
		return nil
	})
	var above *AboveError
	if !errors.As(err, &above) || above.Path != theirs.Name() || !errors.Is(err, ErrFrozen) {
		t.Error(err)
	}
	if frozen(t, first) || !frozen(t, theirs) {
		t.Errorf("frozen: the first %v, that of others %v", frozen(t, first), frozen(t, theirs))
	}
	if err := dm.ThawFS(theirs); err != nil {
		t.Error(err)
	}
}

// A watcher that is killed in the action leaves the thawing to the program; one
// that loses the program does it itself.
func TestKernelAboveDeath(t *testing.T) {
	c := suspendable(t)
	fs := folder(t, "ext4")
	_, err := Suspended(context.Background(), c, Request{Device: dm.ByName(device),
		Limit: time.Minute, Above: []*os.File{fs}}, func() error {
		return unix.Kill(watchers(t)[0], unix.SIGKILL)
	})
	if err != nil || frozen(t, fs) {
		t.Errorf("%v; frozen after the watcher's death: %v", err, frozen(t, fs))
	}
	w, err := startWatcher(t.Context(), infoOf(t, c).Dev,
		Request{Limit: time.Minute, Above: []*os.File{fs}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.freeze(t.Context()); err != nil || !frozen(t, fs) {
		t.Errorf("%v; frozen when told: %v", err, frozen(t, fs))
	}
	w.pipe.Close() // as our death does
	eventually(t, "thawed", func() bool { return !frozen(t, fs) })
	w.process.Wait()
	w.answers.Close()
}

func infoOf(t *testing.T, c *dm.Control) dm.Info {
	t.Helper()
	info, err := c.Info(dm.ByName(device))
	if err != nil {
		t.Fatal(err)
	}
	return info
}
