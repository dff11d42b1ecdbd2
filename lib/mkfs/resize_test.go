package mkfs

import (
	"errors"
	"slices"
	"testing"
)

func TestCheckResize(t *testing.T) {
	for _, row := range []struct {
		fs           string
		grow, shrink bool
	}{
		{"ext4", true, false}, {"xfs", true, false}, {"btrfs", true, true},
		{"vfat", false, false}, {"", false, false}, {"../sbin/reboot", false, false},
	} {
		for shrink, can := range map[bool]bool{false: row.grow, true: row.shrink} {
			err := CheckResize(row.fs, 1<<30, shrink)
			if _, missing := errors.AsType[*MissingError](err); missing {
				err = nil // it would, if the program were here
			}
			if KeepsSize(err) == can || can && err != nil {
				t.Errorf("%s, shrink %v: %v", row.fs, shrink, err)
			}
		}
	}
}

func TestLeastSize(t *testing.T) {
	for size, keeps := range map[int64]bool{255 << 20: true, 256 << 20: false} {
		err := CheckResize("btrfs", size, true)
		if _, missing := errors.AsType[*MissingError](err); !missing && KeepsSize(err) != keeps {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestResizeArgs(t *testing.T) {
	for _, r := range resizers() {
		got := r.args("/dev/mapper/x", "/run/thin", 0)
		want := map[string][]string{"xfs": {"/run/thin"},
			"btrfs": {"filesystem", "resize", "max", "/run/thin"}}[r.fs]
		if want == nil {
			want = []string{"/dev/mapper/x"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", r.fs, got)
		}
	}
	r, _, _ := findResizer("btrfs", true)
	if r.args != nil && r.args("", "/m", 4096)[2] != "4096" {
		t.Error("btrfs does not get its size")
	}
}
