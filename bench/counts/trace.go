package counts

import (
	"path"
	"regexp"
	"strings"
)

// Columns are the kinds of calls that are counted, in the order of a table:
//
//	dm         ioctls of device-mapper
//	ioctl      all other ioctls
//	commit     those of dm after which the pool writes its metadata
//	sync       fsync, fdatasync, syncfs and their like
//	rename     renames of all kinds
//	open       opened files, those of Go's runtime included
//	mountinfo  those of open that are mount tables, without the one that Go's
//	           runtime reads
//	readdir    reads of a directory's names (getdents64)
//	exec       started programs, with the command itself
var Columns = []string{
	"dm", "ioctl", "commit", "sync", "rename", "open", "mountinfo", "readdir", "exec",
}

// Counts is how many calls of each kind one command made.
type Counts map[string]int

// Calls are the names of the calls that strace has to show, for its option
// -e trace=.
const Calls = "?ioctl,?fsync,?fdatasync,?syncfs,?sync,?sync_file_range,?rename,?renameat," +
	"?renameat2,?open,?openat,?openat2,?getdents64,?execve,?clone,?clone3,?fork,?vfork"

// ours are the programs whose calls count. The last is a process that runs the
// same program again.
var ours = map[string]bool{
	"mount.thin": true, "umount.thin": true, "thin-snap": true, "exe": true,
}

// watcher is what lib/freeze calls its second process, which asks again and
// again whether the first is done: how often, time decides.
const watcher = `["thin-watcher"`

var (
	// begun is a call, or the beginning of one during which strace shows
	// another process.
	begun = regexp.MustCompile(`^(?:(\d+) +)?([a-z0-9_]+)\((.*)$`)
	// child is the end of a call that made a process.
	child    = regexp.MustCompile(`^(?:(\d+) +)?(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)$`)
	request  = regexp.MustCompile(`^\d+(?:<[^>]*>)?, (\w+)`)
	firstArg = regexp.MustCompile(`"([^"]*)"`)
)

// Parse counts the calls in what strace -f wrote. Those of programs of others,
// as mkfs, do not count, since their versions differ, nor do the watcher's.
func Parse(trace string) Counts {
	c := Counts{}
	foreign := map[string]bool{} // processes
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		if m := child.FindStringSubmatch(line); m != nil && foreign[m[1]] {
			foreign[m[2]] = true
		}
		m := begun.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		pid, call, args := m[1], m[2], m[3]
		if call == "execve" && !strings.Contains(args, "= -1") {
			if !foreign[pid] {
				c["exec"]++
			}
			foreign[pid] = !ours[path.Base(quoted(args))] || strings.Contains(args, watcher)
		}
		if !foreign[pid] {
			c.add(call, args)
		}
	}
	return c
}

// quoted is the first string among the arguments of a call.
func quoted(args string) string {
	if m := firstArg.FindStringSubmatch(args); m != nil {
		return m[1]
	}
	return ""
}

func (c Counts) add(call, args string) {
	switch call {
	case "ioctl":
		c.ioctl(args)
	case "fsync", "fdatasync", "syncfs", "sync", "sync_file_range":
		c["sync"]++
	case "rename", "renameat", "renameat2":
		c["rename"]++
	case "open", "openat", "openat2":
		c["open"]++
		if file := quoted(args); path.Base(file) == "mountinfo" && file != "/proc/self/mountinfo" {
			c["mountinfo"]++
		}
	case "getdents64":
		c["readdir"]++
	}
}

func (c Counts) ioctl(args string) {
	m := request.FindStringSubmatch(args)
	if m == nil || !strings.HasPrefix(m[1], "DM_") {
		c["ioctl"]++
		return
	}
	c["dm"]++
	if commits(m[1], args) {
		c["commit"]++
	}
}

// commits tells whether a pool commits because of an ioctl: after each message,
// when it is asked for its status without DM_NOFLUSH_FLAG, and when it is
// suspended (drivers/md/dm-thin.c, pool_message, pool_status,
// pool_postsuspend).
func commits(request, args string) bool {
	switch request {
	case "DM_TARGET_MSG":
		return true
	case "DM_TABLE_STATUS":
		return ofPool(args) && !strings.Contains(args, "DM_NOFLUSH_FLAG") &&
			!strings.Contains(args, "DM_STATUS_TABLE_FLAG")
	case "DM_DEV_SUSPEND":
		return ofPool(args) && strings.Contains(args, "DM_SUSPEND_FLAG")
	}
	return false
}

func ofPool(args string) bool {
	return strings.Contains(args, `@@pool"`) || strings.Contains(args, `-pool"`)
}
