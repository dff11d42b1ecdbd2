package filelock

import (
	"bytes"
	"strconv"
	"strings"
)

// fileID is an inode as /proc/locks shows it.
type fileID struct {
	major, minor uint32
	inode        uint64
}

// procLock is one line of /proc/locks.
type procLock struct {
	class   string // FLOCK, POSIX, OFDLCK, LEASE ...
	write   bool
	waiting bool
	pid     int
	file    fileID
}

// parseLocks parses /proc/locks (kernel: fs/locks.c, lock_get_status). It
// leaves out a line of an unknown form: the lines only serve to name the holder
// of a lock.
func parseLocks(b []byte) []procLock {
	var locks []procLock
	for line := range bytes.Lines(b) {
		if l, ok := parseLock(string(line)); ok {
			locks = append(locks, l)
		}
	}
	return locks
}

// parseLock parses "1: FLOCK  ADVISORY  WRITE 812 08:01:9977890 0 EOF". The
// line of a waiter has "->" after the number.
func parseLock(line string) (l procLock, ok bool) {
	f := strings.Fields(line)
	if len(f) > 1 && f[1] == "->" {
		l.waiting = true
		f = append(f[:1:1], f[2:]...)
	}
	if len(f) < 6 || !strings.HasSuffix(f[0], ":") {
		return procLock{}, false
	}
	l.class, l.write = f[1], f[3] == "WRITE"
	pid, err := strconv.ParseInt(f[4], 10, 32)
	if err != nil {
		return procLock{}, false
	}
	l.pid = int(pid)
	l.file, ok = parseFileID(f[5])
	return l, ok
}

// parseFileID parses MAJOR:MINOR:INODE. The first two are hexadecimal.
func parseFileID(s string) (id fileID, ok bool) {
	p := strings.Split(s, ":")
	if len(p) != 3 {
		return fileID{}, false
	}
	major, err1 := strconv.ParseUint(p[0], 16, 32)
	minor, err2 := strconv.ParseUint(p[1], 16, 32)
	inode, err3 := strconv.ParseUint(p[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return fileID{}, false
	}
	return fileID{uint32(major), uint32(minor), inode}, true
}
