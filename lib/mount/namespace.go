package mount

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Namespace is the inode number of this thread's mount namespace, or 0 where
// procfs does not tell. No two namespaces have the same number at one time; the
// number of one that has ended is used again.
func Namespace() uint64 {
	runtime.LockOSThread() // the thread that is looked at must not end meanwhile
	defer runtime.UnlockOSThread()
	return NamespaceAt("/proc/thread-self/ns/mnt")
}

// NamespaceAt reads a link of procfs, as /proc/PID/ns/mnt, which leads to
// "mnt:[NUMBER]". Its number is 0 where that cannot be read. It takes root, or
// a process of the same user, to read the link of another process.
func NamespaceAt(link string) uint64 {
	text, err := os.Readlink(link)
	if err != nil {
		return 0
	}
	_, number, _ := strings.Cut(text, "[")
	n, _ := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
	return n
}
