package mkfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"thinmount/lib/fstype"
)

func TestUnknownIsRefused(t *testing.T) {
	for _, fs := range []string{"", "zfs", "../mkfs.ext4", "ext4 ", "ext4;reboot"} {
		if err := Check(fs, ""); !errors.Is(err, errUnknown) ||
			!strings.Contains(err.Error(), "ext4, xfs, btrfs") {
			t.Errorf("%q: %v", fs, err)
		}
		if err := Make(context.Background(), fs, "/nonexistent/device", Options{}); !errors.Is(err,
			errUnknown) {
			t.Errorf("%q: %v", fs, err)
		}
	}
}

// PATH is not asked: what somebody puts there is not run.
func TestPathIsNotAsked(t *testing.T) {
	dir := t.TempDir()
	for _, fs := range known() {
		if err := os.WriteFile(filepath.Join(dir, "mkfs."+fs), []byte("#!/bin/sh\n"),
			0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	for _, fs := range known() {
		if _, path, err := find(fs); err == nil && path != "/sbin/mkfs."+fs &&
			path != "/usr/sbin/mkfs."+fs {
			t.Errorf("%s is made by %s", fs, path)
		}
	}
}

// What a program says is told as far as it is a reason: its usage fills a
// screen.
func TestErrorIsTheReason(t *testing.T) {
	failed := errors.New("exit status 1")
	for want, said := range map[string]string{
		"mkfs.xfs: size 256 of data subvolume is too small, minimum 4096 blocks": "" +
			"size 256 of data subvolume is too small, minimum 4096 blocks\n" +
			"Usage: mkfs.xfs\n/* blocksize */\t\t[-b size=num]\n" +
			"/* config file */\t[-c options=xxx]\n",
		"mkfs.xfs: a; b; c": "a\n\nb\nc\nd\n",
		"mkfs.xfs: Device size reported to be zero. Invalid partition specified.": "" +
			"mke2fs 1.47.0 (5-Feb-2023)\n" +
			"mkfs.xfs: Device size reported to be zero.   Invalid partition specified.\n",
		"mkfs.xfs: exit status 1": "",
		"mkfs.xfs: ERROR: '/dev/x' is too small to make a usable filesystem": "btrfs-progs v6.2\n" +
			"ERROR: '/dev/x' is too small to make a usable filesystem\n",
	} {
		err := &Error{Program: "mkfs.xfs", Said: said, Err: failed}
		if err.Error() != want || !errors.Is(err, failed) {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

// A label that does not fit is refused before anything is made.
func TestCheckLabel(t *testing.T) {
	for _, row := range []struct {
		label string
		want  error
	}{{"", nil}, {strings.Repeat("x", 16), nil}, {strings.Repeat("x", 17), errLabel}} {
		err := Check("ext4", row.label)
		if errors.Is(err, errLabel) != (row.want != nil) {
			t.Errorf("%q: %v, want %v", row.label, err, row.want)
		}
	}
}

// A program that is running when this process is killed is killed, too. The
// helper process runs it, and the program tells its pid.
func TestProgramDiesWithUs(t *testing.T) {
	if os.Getenv("MKFS_TEST_RUN") != "" {
		cmd := exec.Command("/bin/sh", "-c", "echo $$; exec sleep 60")
		cmd.Stdout = os.Stdout
		t.Fatal(runOnThread(cmd))
	}
	helper := exec.Command(os.Args[0], "-test.run=^TestProgramDiesWithUs$")
	helper.Env = append(os.Environ(), "MKFS_TEST_RUN=1")
	out, err := helper.StdoutPipe()
	if err == nil {
		err = helper.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	_, err = fmt.Fscan(out, &pid)
	helper.Process.Kill()
	helper.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		// A zombie is dead: the init process here may not wait for it.
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	t.Error("it lives on")
}

// What is made here is what the completions and the manual offer.
func TestKnown(t *testing.T) {
	if got := known(); !slices.Equal(got, fstype.Made()) {
		t.Errorf("%q, want %q", got, fstype.Made())
	}
}
