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

// workers look at processes side by side, so that one stuck process does not
// hide the others.
const workers = 4

// search is one look at all processes.
type search struct {
	proc   string
	mount  Mount
	device bool      // the device itself, and whatever filesystem lies on it, is asked about
	table  []mounted // of our mount namespace

	lock sync.Mutex
	same map[string]map[int]bool // by mount namespace: the mounts in it that keep ours busy
}

// processes asks each process. Processes that are gone, or that we may not look
// at, hold nothing that we could tell.
func (s *search) processes(ctx context.Context) ([]Holder, error) {
	self := os.Getpid()
	// /proc may be of another pid namespace, in which we have another number.
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
	done := make(chan []Holder, wanted) // with room for all: who comes late waits for nobody
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

// process is what one process holds.
func (s *search) process(pid int) []Holder {
	dir := s.proc + "/" + strconv.Itoa(pid)
	l := look{search: s, dir: dir, seen: map[string]bool{}}
	l.task(dir, true, true, true)

	// Threads may have a folder or descriptors of their own, and outlive the
	// first thread, which then has none.
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

// What kcmp(2) compares.
const (
	kcmpVM    = 1
	kcmpFiles = 2
	kcmpFS    = 3
)

// shared tells whether two threads are known to have something in common, which
// then is looked at once.
func shared(a, b int, what uintptr) bool {
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), what, 0, 0, 0)
	return errno == 0 && r == 0
}

// look collects what one process holds, each path once.
type look struct {
	*search
	dir   string // /proc/PID
	seen  map[string]bool
	found []Holder
}

// task looks at dir, /proc/PID or /proc/PID/task/TID.
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

// maps goes through the mapped files. The device's number says which of them to
// look at; where we may not follow map_files (CAP_CHECKPOINT_RESTORE, or a
// thread without its first), it has to do.
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

func (l *look) add(what, path string) {
	if !l.seen[path] {
		l.seen[path] = true
		l.found = append(l.found, Holder{What: what, Path: path})
	}
}

// place is where a file lies.
type place struct {
	id           int // of the mount, 0 before Linux 5.8
	major, minor int
	device       [2]int // major and minor of a block device, if it is one
}

// stat follows a magic link of procfs, which goes to the open file itself and
// looks up no name. No server is asked: what the kernel remembers will do.
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

// on tells whether a file lies on the mount, or on one of those that keep it
// busy.
func (l *look) on(p place, busy map[int]bool) bool {
	if l.device && p.device == [2]int{l.mount.Major, l.mount.Minor} {
		return true
	}
	if p.id != 0 && !l.device {
		return busy[p.id]
	}
	return p.major == l.mount.Major && p.minor == l.mount.Minor
}

// busy are the mounts in the mount namespace of a task that keep ours busy.
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

// list is the names in a folder.
func list(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
