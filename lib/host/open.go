package host

import (
	"cmp"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// directFile reads whole 4096-byte blocks at multiples of 4096, past the page
// cache (open(2), O_DIRECT). It is not safe for concurrent use.
type directFile struct {
	*os.File
	page []byte // aligned, as O_DIRECT requires
}

// OpenDirect opens path for reads past the page cache, or for plain reads if
// the filesystem does not support O_DIRECT (tmpfs). It accepts regular files
// and block devices only. A FIFO at path does not make it wait for a writer.
// The caller closes the file.
func OpenDirect(path string) (*directFile, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		f, err = os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err != nil ||
		!st.Mode().IsRegular() && st.Mode().Type() != fs.ModeDevice {
		f.Close()
		return nil, cmp.Or(err, error(&os.PathError{Op: "open", Path: path, Err: unix.EINVAL}))
	}
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		f.Close()
		return nil, os.NewSyscallError("mmap", err)
	}
	return &directFile{File: f, page: page}, nil
}

// ReadAt implements io.ReaderAt. off must be a multiple of 4096.
func (d *directFile) ReadAt(p []byte, off int64) (int, error) {
	for done := 0; done < len(p); {
		n, err := d.File.ReadAt(d.page, off+int64(done))
		if n == 0 {
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return done, err
		}
		done += copy(p[done:], d.page[:n])
	}
	return len(p), nil
}

// Close closes the file and frees the buffer.
func (d *directFile) Close() error {
	unix.Munmap(d.page)
	return d.File.Close()
}

// OpenFolder opens a folder, usually a mount point, by O_PATH: that asks its
// filesystem for nothing. It does not set O_DIRECTORY, which would trigger an
// automount on the folder: the caller holds locks, and the automounter's daemon
// may wait for these locks.
func OpenFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.IsDir() {
		err = &os.PathError{Op: "open", Path: dir, Err: unix.ENOTDIR}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
