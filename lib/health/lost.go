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

// SyncApart writes out the dirty data of an open file's filesystem, or of a
// block device, in a second process (reexec.Sync). lost says that writes have
// failed: those of this call, or earlier ones of which nobody has been told
// yet. The kernel keeps such an error in the superblock until one syncfs(2) has
// returned it, also to a descriptor that was opened later (lib/errseq.c,
// errseq_sample; fs/sync.c). err is an error of look or of ctx, each of which
// ends the wait.
func SyncApart(ctx context.Context, f *os.File, look func() error) (lost, err error) {
	err = reexec.Sync(ctx, f, look)
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno, nil
	}
	return nil, err
}

// LostWrites returns the messages about failed writes to a device since the
// filesystem on it was mounted. log is the kernel's log, oldest message first.
// device is the kernel's name of the device, such as dm-3. An earlier device
// may have had the same name.
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

// names tells whether a message names the device. In "dm-30" and "xdm-3" it
// does not find dm-3.
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

// endsInWord tells whether the last byte of s is a letter or a digit.
func endsInWord(s string) bool {
	if s == "" {
		return false
	}
	c := s[len(s)-1] | 0x20
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// isMountMessage tells whether a message is what ext4, XFS or btrfs logs when
// it is mounted.
func isMountMessage(m string) bool {
	return hasAny(m, ": mounted filesystem", ": Mounting V", ": first mount of filesystem",
		": flagging fs with")
}

// isLoss tells whether a message is what the kernel logs when a write fails.
// The messages are those of fs/buffer.c and fs/ext4/page-io.c, fs/jbd2,
// fs/xfs/xfs_aops.c, xfs_buf.c and xfs_fsops.c, fs/btrfs/volumes.c and
// messages.c.
func isLoss(m string) bool {
	switch {
	case strings.Contains(m, "errs: wr "): // btrfs logs all its counters together
		return !strings.Contains(m, "errs: wr 0,")
	case hasAny(m, "async page read", "read_buf", "read error"):
		return false
	}
	return hasAny(m, "I/O error", "I/O Error", "lost async page write", "lost sync page write",
		"lost page write", "writeback error", "Data will be lost", "Aborting journal",
		"Shutting down filesystem", "Error while async write",
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

// LostSince returns the LostWrites that the kernel has logged since a moment.
// The zero time stands for the whole log. known is false if the log cannot be
// read.
func LostSince(device string, since time.Time) (lost []string, known bool) {
	age := time.Duration(1 << 62)
	if !since.IsZero() {
		age = time.Since(since) + 2*time.Second // since is cut to a whole second
	}
	log := kmsg.Last(age)
	defer log.Close()
	return LostWrites(log.Messages(device), device), log.Readable()
}

// WhyLost says why writes were lost, and what a user can do. st is the status
// of the pool, err the error of the writes. If the pool is full or read-only or
// has failed, that is the reason. Otherwise the reason is what the kernel says.
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
