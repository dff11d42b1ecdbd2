// Package kmsg reads the messages that the kernel has logged since a moment.
// device-mapper and older filesystems give the reason of an EINVAL nowhere
// else.
//
// Reading /dev/kmsg needs CAP_SYSLOG where the sysctl kernel.dmesg_restrict is
// set. Do not use the messages to decide anything: their texts change between
// kernels, and the log's buffer may have lost them.
package kmsg

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxRecord is the longest record that /dev/kmsg gives (kernel:
// PRINTK_MESSAGE_MAX).
const maxRecord = 8192

// Log is the kernel's log from a moment on. Its zero value is an empty log. It
// is for one goroutine.
type Log struct {
	fd   int
	open bool
	from uint64 // records from before are left out: microseconds, by the log's clock
}

// Begin opens the log at its end, or one record before it, to which the kernel
// may still add (kernel/printk/printk_ringbuffer.c, prb_next_seq). If the log
// cannot be read, it stays empty: its messages only explain other errors.
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

// Last opens the log at the messages of the last while, as far as its buffer
// goes back. The clock of the log differs from CLOCK_MONOTONIC by some
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

// Readable reports whether the log could be opened. If not, it has no messages
// whatever the kernel has logged.
func (l Log) Readable() bool { return l.open }

// Messages returns the messages since Begin, or since the last call of
// Messages, that contain any of the words.
func (l Log) Messages(words ...string) []string {
	var found []string
	buf := make([]byte, maxRecord)
	for l.open {
		n, err := unix.Read(l.fd, buf)
		if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EINTR) {
			continue // EPIPE: records were overwritten; the next read goes on behind them
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

// Close closes the log.
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

// Explain calls do. It adds to do's error what the kernel has logged while do
// ran, of the messages that contain prefix. What it logged for another process
// at the same moment cannot be told apart.
func Explain(prefix string, do func() error) error {
	log := Begin()
	defer log.Close()
	err := do()
	if err == nil {
		return nil
	}
	if said := log.Messages(prefix); len(said) > 0 {
		err = fmt.Errorf("%w (kernel: %s)", err, strings.Join(said, "; "))
	}
	return err
}
