package fuser

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// workers is how many goroutines look at processes. With several of them, a
// stuck process does not hide the others.
const workers = 4

// search is one look at all processes.
type search struct {
	proc   string
	mount  Mount
	device bool      // the search is for a device and its filesystem, not for a mount
	table  []mounted // mounts in our mount namespace

	lock sync.Mutex
	same map[string]map[int]bool // what busy has found, by mount namespace; see copies
}

// processes lists what all processes hold, except the calling one. It skips
// processes that have ended, or that the user must not look at.
func (s *search) processes(ctx context.Context) ([]Holder, error) {
	self := os.Getpid()
	// procfs may show another PID namespace, in which this process has another
	// PID.
	if to, err := os.Readlink(s.proc + "/self"); err == nil {
		if pid, err := strconv.Atoi(to); err == nil {
			self = pid
		}
	}
	names, err := list(s.proc)
	if err != nil {
		return nil, err
	}
	todo := make(chan int, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != self {
			todo <- pid
		}
	}
	close(todo)
	wanted := len(todo)
	// The channel has room for all results, so that a worker can end although
	// nobody reads its result any more.
	done := make(chan []Holder, wanted)
	for range workers {
		go func() {
			for pid := range todo {
				if ctx.Err() != nil {
					return
				}
				done <- s.process(pid)
			}
		}()
	}
	var found []Holder
	for range wanted {
		select {
		case h := <-done:
			found = append(found, h...)
		case <-ctx.Done():
			for len(done) > 0 {
				found = append(found, <-done...)
			}
			return found, ctx.Err()
		}
	}
	return found, nil
}

// process lists what one process holds.
func (s *search) process(pid int) []Holder {
	dir := s.proc + "/" + strconv.Itoa(pid)
	l := look{search: s, dir: dir, seen: map[string]bool{}}
	l.task(dir, true, true, true)

	// A thread may have its own working directory or its own descriptors. It
	// may also live longer than the first thread, which has neither after its
	// end.
	tids, _ := list(dir + "/task")
	for _, name := range tids {
		if tid, err := strconv.Atoi(name); err == nil && tid != pid {
			l.task(dir+"/task/"+name,
				!shared(pid, tid, kcmpFS), !shared(pid, tid, kcmpFiles), !shared(pid, tid, kcmpVM))
		}
	}
	if len(l.found) == 0 {
		return nil
	}
	comm, _ := os.ReadFile(dir + "/comm")
	status, _ := os.ReadFile(dir + "/status")
	command, uid := strings.TrimSuffix(string(comm), "\n"), parseUID(string(status))
	for i := range l.found {
		l.found[i].PID, l.found[i].Command, l.found[i].UID = pid, command, uid
	}
	return capped(l.found, maxOfProcess)
}

// The resources that kcmp(2) compares.
const (
	kcmpVM    = 1
	kcmpFiles = 2
	kcmpFS    = 3
)

// shared reports whether two threads share a resource (kcmpVM, kcmpFiles or
// kcmpFS). Then it is enough to look at one of them. It returns false if that
// cannot be found out.
func shared(a, b int, what uintptr) bool {
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), what, 0, 0, 0)
	return errno == 0 && r == 0
}

// look collects what one process holds. It lists each path once.
type look struct {
	*search
	dir   string // /proc/PID
	seen  map[string]bool
	found []Holder
}

// task looks at one thread, whose directory dir is /proc/PID or
// /proc/PID/task/TID. fs, files and vm say what to look at: its directories,
// its open files, and its program with the files that it has mapped.
func (l *look) task(dir string, fs, files, vm bool) {
	if !fs && !files && !vm {
		return
	}
	busy := l.busy(dir)
	link := func(what, name string) bool {
		at, err := stat(dir + "/" + name)
		if err != nil || !l.on(at, busy) {
			return false
		}
		path, _ := os.Readlink(dir + "/" + name)
		l.add(what, path)
		return true
	}
	if fs {
		link(Cwd, "cwd")
		link(Root, "root")
	}
	if vm {
		link(Executable, "exe")
	}
	if files {
		fds, _ := list(dir + "/fd")
		for _, fd := range fds {
			link(Open, "fd/"+fd)
		}
	}
	if vm {
		l.maps(dir, link)
	}
}

// maps looks at the mapped files of a thread that have the device number of the
// mount. It asks map_files which mount a file lies on. Without
// CAP_CHECKPOINT_RESTORE, or for a thread whose first thread has ended,
// map_files cannot be followed. Then the device number alone decides.
func (l *look) maps(dir string, link func(what, name string) bool) {
	text, _ := os.ReadFile(dir + "/maps")
	for _, m := range parseMaps(string(text)) {
		if m.major != l.mount.Major || m.minor != l.mount.Minor {
			continue
		}
		name := "map_files/" + m.addresses
		if _, err := stat(dir + "/" + name); err != nil {
			l.add(Mapped, m.path)
			continue
		}
		link(Mapped, name)
	}
}

// add notes a path, unless it is known already.
func (l *look) add(what, path string) {
	if !l.seen[path] {
		l.seen[path] = true
		l.found = append(l.found, Holder{What: what, Path: path})
	}
}

// place says where a file lies.
type place struct {
	id           int // mount ID; 0 before Linux 5.8
	major, minor int
	device       [2]int // the file's own major and minor, if it is a block device
}

// stat follows a magic link of procfs. Such a link leads to the open file
// itself, without looking up a name. stat uses what the kernel has in memory
// and asks no server.
func stat(link string) (place, error) {
	var st unix.Statx_t
	for {
		const flags = unix.AT_STATX_DONT_SYNC | unix.AT_NO_AUTOMOUNT
		err := unix.Statx(unix.AT_FDCWD, link, flags, unix.STATX_MNT_ID, &st)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return place{}, err
		}
		p := place{major: int(st.Dev_major), minor: int(st.Dev_minor)}
		if st.Mask&unix.STATX_MNT_ID != 0 {
			p.id = int(st.Mnt_id)
		}
		if st.Mode&unix.S_IFMT == unix.S_IFBLK {
			p.device = [2]int{int(st.Rdev_major), int(st.Rdev_minor)}
		}
		return p, nil
	}
}

// on reports whether a file keeps the mount busy: it lies on the mount or on
// one of the mounts in busy. In a search for a device, it reports whether the
// file is the device or lies on it.
func (l *look) on(p place, busy map[int]bool) bool {
	if l.device && p.device == [2]int{l.mount.Major, l.mount.Minor} {
		return true
	}
	if p.id != 0 && !l.device {
		return busy[p.id]
	}
	return p.major == l.mount.Major && p.minor == l.mount.Minor
}

// busy returns the IDs of the mounts in the mount namespace of a thread that
// keep our mount busy.
func (s *search) busy(dir string) map[int]bool {
	if s.device {
		return nil
	}
	ns, err := os.Readlink(dir + "/ns/mnt")
	if err != nil {
		return map[int]bool{s.mount.ID: true}
	}
	s.lock.Lock()
	found, known := s.same[ns]
	s.lock.Unlock()
	if known {
		return found
	}
	table, _ := readTable(dir + "/mountinfo")
	found = copies(s.table, table, s.mount.ID)
	s.lock.Lock()
	s.same[ns] = found
	s.lock.Unlock()
	return found
}

// list returns the names in a folder.
func list(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
