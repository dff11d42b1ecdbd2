package health

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
	"thinmount/lib/kmsg"
	"thinmount/lib/reexec"
	"thinmount/lib/thinpool"
)

// SyncApart writes out what is dirty on an open file's filesystem, or on a block
// device, in a second process. Lost says that writes have failed: those of now,
// or of before, if nobody has been told of them yet. The kernel keeps such an
// error in the superblock until one syncfs(2) has returned it, also to a
// descriptor that was opened later (lib/errseq.c, errseq_sample; fs/sync.c). An
// error of look or of ctx is returned as err.
func SyncApart(ctx context.Context, f *os.File, look func() error) (lost, err error) {
	err = reexec.Sync(ctx, f, look)
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno, nil
	}
	return nil, err
}

// LostWrites lists what the kernel has logged of writes to a device that failed,
// since the filesystem on it was mounted. Device is the kernel's name, as dm-3,
// which another device may have had before.
func LostWrites(log []string, device string) []string {
	var lost []string
	for _, m := range log {
		switch {
		case !names(m, device):
		case isMountMessage(m):
			lost = nil
		case isLoss(m):
			lost = append(lost, m)
		}
	}
	return lost
}

// names tells whether a message is about a device, and not about one whose name
// begins alike.
func names(m, device string) bool {
	for {
		before, after, found := strings.Cut(m, device)
		if !found {
			return false
		}
		if !endsInWord(before) && (after == "" || after[0] < '0' || after[0] > '9') {
			return true
		}
		m = after
	}
}

func endsInWord(s string) bool {
	if s == "" {
		return false
	}
	c := s[len(s)-1] | 0x20
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// isMountMessage knows what ext4, XFS and btrfs log when they are mounted.
func isMountMessage(m string) bool {
	return hasAny(m, ": mounted filesystem", ": Mounting V", ": first mount of filesystem", ": flagging fs with")
}

// isLoss knows what is logged when a write fails: fs/buffer.c and fs/ext4/page-io.c,
// fs/jbd2, fs/xfs/xfs_aops.c, xfs_buf.c and xfs_fsops.c, fs/btrfs/volumes.c and
// messages.c.
func isLoss(m string) bool {
	switch {
	case strings.Contains(m, "errs: wr "): // btrfs tells all its counters
		return !strings.Contains(m, "errs: wr 0,")
	case hasAny(m, "async page read", "read_buf", "read error"):
		return false
	}
	return hasAny(m, "I/O error", "I/O Error", "lost async page write", "lost sync page write", "lost page write",
		"writeback error", "Data will be lost", "Aborting journal", "Shutting down filesystem", "Error while async write",
		"forced readonly", "Transaction aborted", " IO failure")
}

func hasAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// LostSince is lostWrites of the log since a moment: the zero time is ever. Known
// is false where there is no log to read.
func LostSince(device string, since time.Time) (lost []string, known bool) {
	age := time.Duration(1 << 62)
	if !since.IsZero() {
		age = time.Since(since) + 2*time.Second // the moment is a whole second
	}
	log := kmsg.Last(age)
	defer log.Close()
	return LostWrites(log.Messages(device), device), log.Readable()
}

// WhyLost puts into words why writes were lost: that the pool is full, where it
// is, or what else the kernel says.
func WhyLost(pool string, st thinpool.Status, err error) (why string, remedy fault.Remedy) {
	switch {
	case st.OutOfData():
		return "pool " + pool + " is out of data space", RoomRemedy(pool)
	case st.Failed() || st.Writable() != nil:
		return "pool " + pool + ": " + st.Writable().Error(), fault.ShowPool{Pool: pool}
	case errors.Is(err, unix.ENOSPC):
		return "pool " + pool + " was out of data space", RoomRemedy(pool)
	case err != nil:
		return err.Error(), fault.Hint("dmesg says which device failed")
	}
	return "the kernel has logged it", fault.Hint("dmesg")
}
