package mkfs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestUnknownIsRefused(t *testing.T) {
	for _, fs := range []string{"", "zfs", "../mkfs.ext4", "ext4 ", "ext4;reboot"} {
		if err := Check(fs); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "ext4, xfs, btrfs") {
			t.Errorf("%q: %v", fs, err)
		}
		if err := Make(context.Background(), fs, "/nonexistent/device", Options{}); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", fs, err)
		}
	}
}

func TestKnown(t *testing.T) {
	for _, fs := range []string{"ext4", "xfs", "btrfs"} {
		if !slices.Contains(Known(), fs) {
			t.Errorf("%s is missing", fs)
		}
	}
}

// PATH is not asked: what somebody puts there is not run.
func TestPathIsNotAsked(t *testing.T) {
	dir := t.TempDir()
	for _, fs := range Known() {
		if err := os.WriteFile(filepath.Join(dir, "mkfs."+fs), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	for _, fs := range Known() {
		if _, path, err := find(fs); err == nil && path != "/sbin/mkfs."+fs && path != "/usr/sbin/mkfs."+fs {
			t.Errorf("%s is made by %s", fs, path)
		}
	}
}
