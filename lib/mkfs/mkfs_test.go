package mkfs

import (
	"context"
	"errors"
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
