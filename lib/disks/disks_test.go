package disks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"thinmount/lib/dm"
)

// sysfs makes one below a folder: for each device, attributes and values.
func sysfs(t *testing.T, devices map[string]map[string]string) string {
	t.Helper()
	sys := t.TempDir()
	for name, attributes := range devices {
		for attr, value := range attributes {
			path := filepath.Join(sys, "class/block", name, attr)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755),
				os.WriteFile(path, []byte(value+"\n"), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return sys
}

// TestList leaves out what would block, what is empty, and what is ours.
func TestList(t *testing.T) {
	sys := sysfs(t, map[string]map[string]string{
		"sda":      {"dev": "8:0", "size": "100"},
		"sda1":     {"dev": "8:1", "size": "10", "partition": "1"},
		"sdb":      {"dev": "8:16", "size": "0"},
		"sdc":      {"dev": "8:32", "size": "100", "holders/md0": ""},
		"sr0":      {"dev": "11:0", "size": "100"},
		"fd0":      {"dev": "2:0", "size": "8"},
		"nbd0":     {"dev": "43:0", "size": "100"},
		"loop3":    {"dev": "7:3", "size": "100"},
		"cciss!c0": {"dev": "104:0", "size": "5"},
		"dm-0": {"dev": "253:0", "size": "5", "dm/name": "vg-lv", "dm/uuid": "LVM-x",
			"dm/suspended": "0"},
		"dm-1": {"dev": "253:1", "size": "5", "dm/name": "thin-p@@data",
			"dm/uuid": "THIN-x-data", "dm/suspended": "0"},
		"dm-2": {"dev": "253:2", "size": "5", "dm/name": "still", "dm/uuid": "",
			"dm/suspended": "1"},
		"malformed": {"dev": "x", "size": "5"},
	})
	found, err := list(sys, "/dev", "THIN-")
	var got []string
	for _, d := range found {
		got = append(got, fmt.Sprintf("%s %v %v", d.Path, d.Dev, d.Held))
	}
	want := []string{"/dev/cciss/c0 104:0 false", "/dev/mapper/vg-lv 253:0 false",
		"/dev/loop3 7:3 false", "/dev/sda 8:0 false", "/dev/sda1 8:1 false", "/dev/sdc 8:32 true"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestLasting(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ata-A", "ata-B", "lvm-pv-uuid-x"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := dm.DevNo{Major: 8, Minor: 16}
	number := func(path string) (dm.DevNo, error) {
		if filepath.Base(path) == "ata-A" {
			return dm.DevNo{Major: 8}, nil
		}
		return b, nil
	}
	if got := lasting(dir, "/dev/sdb", b, number); got != filepath.Join(dir, "ata-B") {
		t.Error(got)
	}
	if got := lasting(dir, "/dev/sdz", dm.DevNo{Major: 1}, number); got != "/dev/sdz" {
		t.Error(got)
	}
	if got := lasting(filepath.Join(dir, "none"), "/dev/sdz", b, number); got != "/dev/sdz" {
		t.Error(got)
	}
}
