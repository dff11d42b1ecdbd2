package privdir

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Dir is an open directory from which many files are read: each costs four
// system calls. It must not be used by several goroutines at a time.
type Dir struct {
	f   *os.File
	uid int
	buf []byte
}

// OpenDir opens a directory. The caller closes it.
func OpenDir(path string) (*Dir, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &Dir{f: f, uid: os.Geteuid()}, nil
}

// Names returns the names in the directory, in no order.
func (d *Dir) Names() ([]string, error) { return d.f.Readdirnames(-1) }

// Again returns the same open directory for another goroutine. The caller
// closes only d, after the last use of the result.
func (d *Dir) Again() *Dir { return &Dir{f: d.f, uid: d.uid} }

// Close closes the directory.
func (d *Dir) Close() error { return d.f.Close() }

// ReadFile does what the function ReadFile does, for a file of the directory.
// The bytes are good until the next call.
func (d *Dir) ReadFile(name string, limit int) (b []byte, unfit string, err error) {
	flags := unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := unix.Openat(int(d.f.Fd()), name, flags, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) {
		return nil, notRegular, nil
	}
	if err != nil {
		return nil, "", &os.PathError{Op: "open", Path: d.f.Name() + "/" + name, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, "", &os.PathError{Op: "stat", Path: d.f.Name() + "/" + name, Err: err}
	}
	regular, perm := st.Mode&unix.S_IFMT == unix.S_IFREG, fs.FileMode(st.Mode&0o777)
	if unfit := unfitStat(regular, int(st.Uid), perm, d.uid); unfit != "" {
		return nil, unfit, nil
	}
	if st.Size > int64(limit) {
		return nil, tooLarge(limit), nil
	}
	if cap(d.buf) < int(st.Size) {
		d.buf = make([]byte, 2*st.Size)
	}
	b = d.buf[:st.Size]
	for got := 0; got < len(b); {
		n, err := unix.Pread(fd, b[got:], int64(got))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, "", &os.PathError{Op: "read", Path: d.f.Name() + "/" + name, Err: err}
		}
		if n == 0 { // somebody has made it shorter
			b = b[:got]
		}
		got += n
	}
	return b, "", nil
}
