package host

import (
	"cmp"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// directFile reads past the page cache, whole 4096-byte blocks at whole
// offsets (open(2), O_DIRECT). Not for concurrent use.
type directFile struct {
	*os.File
	page []byte // aligned, as O_DIRECT wants its buffers
}

// OpenDirect opens path for direct reading, or plainly where the filesystem
// knows no direct reading (tmpfs). A FIFO in its place does not make us wait for
// its writer.
func OpenDirect(path string) (*directFile, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		f, err = os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() && st.Mode().Type() != fs.ModeDevice {
		f.Close()
		return nil, cmp.Or(err, error(&os.PathError{Op: "open", Path: path, Err: unix.EINVAL}))
	}
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		f.Close()
		return nil, os.NewSyscallError("mmap", err)
	}
	return &directFile{File: f, page: page}, nil
}

// ReadAt implements io.ReaderAt for reads of whole blocks.
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

// OpenFolder opens the folder on which something is mounted, and asks its
// filesystem for nothing. A mount on demand that lies over it is not triggered, as
// O_DIRECTORY would do: who calls this has locks for which its daemon may wait.
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
