package health

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
)

// TestLostWrites reads messages as the kernels of the guests log them (6.1 and
// 6.12).
func TestLostWrites(t *testing.T) {
	for _, row := range []struct {
		name string
		log  string
		lost int
	}{
		{"ext4",
			`EXT4-fs warning (device dm-3): ext4_end_bio:343: I/O error 3 writing to inode 12 ` +
				`starting block 33280)
Buffer I/O error on device dm-3, logical block 33280`, 2},
		{"ext4, metadata", `Buffer I/O error on dev dm-3, logical block 1, lost async page write
JBD2: Detected aborted journal
Aborting journal on device dm-3-8.`, 2},
		{"xfs", `XFS (dm-3): writeback error on inode 131, offset 0, sector 123
XFS (dm-3): metadata I/O error in "xfs_buf_ioend+0x1" at daddr 0x10 len 8 error 28`, 2},
		{"btrfs",
			`BTRFS error (device dm-3): bdev /dev/mapper/thin-p@v errs: wr 1, rd 0, flush 0, ` +
				`corrupt 0, gen 0`, 1},
		{"btrfs that gives up",
			`BTRFS: error (device dm-3: state A) in btrfs_finish_ordered_io:3331: ` +
				`errno=-5 IO failure
BTRFS info (device dm-3: state EA): forced readonly
BTRFS info (device dm-3: state EA): last unmount of filesystem 1-2`, 2},
		{"reads", `Buffer I/O error on dev dm-3, logical block 0, async page read
BTRFS error (device dm-3): bdev /dev/dm-3 errs: wr 0, rd 1, flush 0, corrupt 0, gen 0
XFS (dm-3): metadata I/O error in "xfs_trans_read_buf_map+0x1" at daddr 0x0 len 1 error 5`, 0},
		{"another device's", `Buffer I/O error on dev dm-30, logical block 1, lost async page write
Buffer I/O error on dev xdm-3, logical block 1, lost async page write`, 0},
		{"of one before", `Buffer I/O error on dev dm-3, logical block 1, lost async page write
EXT4-fs (dm-3): mounted filesystem with ordered data mode. Quota mode: none.`, 0},
		{"of xfs before",
			"XFS (dm-3): writeback error on inode 131, offset 0, sector 123\n" +
				"XFS (dm-3): Mounting V5 Filesystem 1-2",
			0},
		{"a remount", `Buffer I/O error on dev dm-3, logical block 1, lost async page write
EXT4-fs (dm-3): re-mounted 1-2 ro. Quota mode: none.`, 1},
		{"nothing", "", 0},
	} {
		if got := LostWrites(strings.Split(row.log, "\n"), "dm-3"); len(got) != row.lost {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

// TestWhyLost checks that the reason is the state of the pool, if that state
// loses writes.
func TestWhyLost(t *testing.T) {
	for _, row := range []struct {
		st     thinpool.Status
		err    error
		why    string
		remedy fault.Remedy
	}{
		{thinpool.Status{Mode: thinpool.ModeOutOfData}, unix.EIO, "pool p is out of data space",
			RoomRemedy("p")},
		{thinpool.Status{Mode: thinpool.ModeRW}, unix.ENOSPC, "pool p was out of data space",
			RoomRemedy("p")},
		{thinpool.Status{Mode: thinpool.ModeRO}, unix.EIO, "pool p: read-only",
			fault.ShowPool{Pool: "p"}},
		{thinpool.Status{Mode: thinpool.ModeFail}, unix.EIO, "pool p: has failed",
			fault.ShowPool{Pool: "p"}},
		{thinpool.Status{Mode: thinpool.ModeRW}, unix.EIO, "input/output error",
			fault.Hint("dmesg says which device failed")},
	} {
		why, remedy := WhyLost("p", row.st, row.err)
		if !strings.HasPrefix(why, row.why) || !reflect.DeepEqual(remedy, row.remedy) {
			t.Errorf("%+v: %s (%s)", row, why, remedy)
		}
	}
}

func FuzzLostWrites(f *testing.F) {
	f.Add(
		"Buffer I/O error on dev dm-3, logical block 1, lost async page write\n"+
			"dm-3: mounted filesystem",
		"dm-3")
	f.Add("dm-3dm-3 lost", "dm-3")
	f.Fuzz(func(t *testing.T, text, device string) {
		if device == "" {
			return
		}
		log := strings.Split(text, "\n")
		for _, m := range LostWrites(log, device) {
			if !slices.Contains(log, m) || !strings.Contains(m, device) {
				t.Errorf("%q of %q", m, text)
			}
		}
	})
}
