// Package kmsg reads what the kernel has logged since a moment: the reasons
// that device-mapper and the older filesystems give nowhere else. An errno such
// as EINVAL alone helps nobody.
package kmsg

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxRecord is the longest record that /dev/kmsg gives (kernel: PRINTK_MESSAGE_MAX).
const maxRecord = 8192

// Log is the kernel's log from a moment on. Its zero value is an empty log.
// It is for one goroutine.
type Log struct {
	fd   int
	open bool
	from uint64 // records from before are left out: microseconds, by the log's clock
}

// Begin opens the log at its present end, or one record before it: the kernel
// may yet add to the last (printk_ringbuffer.c, prb_next_seq). Where it may not be read there will
// be no messages, which is no error: they only explain.
func Begin() Log {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return Log{}
	}
	if _, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		unix.Close(fd)
		return Log{}
	}
	return Log{fd: fd, open: true}
}

// Last opens the log at what the kernel has logged in the last while, as far as
// its buffer goes back. The clock of the log is CLOCK_MONOTONIC's but for some
// milliseconds (kernel/time/sched_clock.c).
func Last(while time.Duration) Log {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return Log{}
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		unix.Close(fd)
		return Log{}
	}
	from := max(time.Duration(now.Nano())-while, 0)
	return Log{fd: fd, open: true, from: uint64(from.Microseconds())}
}

// Readable tells whether there is a log at all: where there is none, that it has
// no message says nothing.
func (l Log) Readable() bool { return l.open }

// Messages returns the messages since Begin, or the last Messages, that contain
// any of the words.
func (l Log) Messages(words ...string) []string {
	var found []string
	buf := make([]byte, maxRecord)
	for l.open {
		n, err := unix.Read(l.fd, buf)
		if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EINTR) { // records were overwritten: go on with the next
			continue
		}
		if err != nil || n == 0 {
			break
		}
		if m := message(string(buf[:n])); stamp(string(buf[:n])) >= l.from && contains(m, words) {
			found = append(found, m)
		}
	}
	return found
}

// Close gives the descriptor back.
func (l Log) Close() error {
	if !l.open {
		return nil
	}
	return os.NewSyscallError("close", unix.Close(l.fd))
}

// message is the text of one record: "prio,seq,time,flags;text\n KEY=value\n"
// (Documentation/ABI/testing/dev-kmsg).
func message(record string) string {
	_, text, ok := strings.Cut(record, ";")
	if !ok {
		return ""
	}
	text, _, _ = strings.Cut(text, "\n")
	return strings.TrimSpace(text)
}

// stamp is the time of one record (microseconds), or 0.
func stamp(record string) uint64 {
	head, _, _ := strings.Cut(record, ";")
	f := strings.SplitN(head, ",", 4)
	if len(f) < 3 {
		return 0
	}
	n, _ := strconv.ParseUint(f[2], 10, 64)
	return n
}

func contains(m string, words []string) bool {
	for _, w := range words {
		if w != "" && strings.Contains(m, w) {
			return true
		}
	}
	return false
}
