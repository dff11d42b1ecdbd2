//go:build kernel

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/bench/sample"
)

// The writer is a process of its own: this program, called again.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "writer" {
		writer(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// TestKernelWorks does the works once, with small numbers and with files as
// disks: all of them end well, each candidate is measured, and nothing is left.
// The floors and the programs beside the runner are not there.
func TestKernelWorks(t *testing.T) {
	var out bytes.Buffer
	b := &bench{
		disks: map[string]string{}, broken: map[string]bool{}, out: &out, dir: t.TempDir(),
		rounds: 1, folders: 1, crowd: 2, jobs: []int{2}, many: []int{3, 12}, mounts: 4, lines: 20,
	}
	for name, size := range map[string]string{
		"ours": "1G", "ours-meta": "64M", "floor": "1G", "floor-meta": "64M", "lvm": "1G",
		"btrfs": "512M", "xfs": "512M",
		"ext4": "512M", "many0": "512M", "many0-meta": "64M", "many1": "512M", "many1-meta": "64M",
	} {
		file := filepath.Join(t.TempDir(), name)
		must("truncate", "-s", size, file)
		b.disks[name] = strings.TrimSpace(must("losetup", "--show", "-f", file))
		defer must("losetup", "-d", b.disks[name])
	}
	if status := b.run(strings.Fields("one again dirty huge crowd lines jobs many")); status != 0 {
		t.Errorf("exit status %d", status)
	}
	run, err := sample.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range [][3]string{
		{"mount", "", sample.Ours}, {"mount", "", sample.Script}, {"umount", "", sample.LVM},
		{"snapshot", "", sample.LVM}, {"delete", "", sample.Script},
		{"mount again", "", sample.Ours}, {"snapshot, origin dirty", "", sample.LVM},
		{"stall", "", sample.Script}, {"delete huge", "1P", sample.Ours},
		{"mounts side by side", "2", sample.Ours}, {"umounts side by side", "2", sample.Script},
		{"umount, long mount table", "20", sample.Ours},
		{"jobs", "2", sample.Ours}, {"jobs", "2", sample.LVM}, {"jobs", "2", sample.Btrfs},
		{"jobs", "2", sample.Overlay}, {"jobs", "2", sample.Reflink},
		{"list, of many", "12", sample.Ours}, {"delete, of many", "3", sample.Ours},
		{"pool check, of many", "12", sample.Ours},
		{"mount, many mounted", "4", sample.Ours},
	} {
		if len(run.Samples[sample.Key{Work: k[0], Param: k[1], Who: k[2]}]) == 0 {
			t.Errorf("%v was not measured", k)
		}
	}
}
