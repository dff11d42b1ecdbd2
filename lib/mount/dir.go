package mount

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenDir resolves a mount point to the path that the mount table will have. It
// must be there and be a directory. An empty path is none: it is not the
// current directory. Mounts on demand (autofs) on the way to it are triggered;
// one on the directory itself is not, as with mount(2). stat(2) and lstat(2) do
// not trigger it (fs/stat.c, AT_NO_AUTOMOUNT).
func OpenDir(path string) (string, error) {
	if path == "" {
		return "", &dirError{`""`, unix.ENOENT}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", bare(abs, err)
	}
	st, err := os.Stat(real)
	if err != nil {
		return "", bare(abs, err)
	}
	if !st.IsDir() {
		return "", &dirError{abs, unix.ENOTDIR}
	}
	return real, nil
}

// ErrMoved is a mount point that is no longer what its path says.
var ErrMoved = errors.New("is no longer the directory that it was")

// pin opens a mount point that OpenDir has resolved. What is mounted onto the
// descriptor lands in the directory that had that path, whatever the owner of a
// folder above puts there in the meantime: a symbolic link to /etc, say.
// A mount on demand at path is not triggered: O_DIRECTORY would (fs/namei.c,
// follow_automount).
func pin(path string) (fd int, err error) {
	fd, err = unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &dirError{path, err}
	}
	// O_PATH with O_NOFOLLOW opens a symbolic link itself, which is no
	// directory.
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		unix.Close(fd)
		return -1, &dirError{path, cmp.Or(err, error(unix.ENOTDIR))}
	}
	// This is the path at which the directory is now, with " (deleted)" behind
	// it if it was removed. A folder above may have been renamed since OpenDir.
	if real, err := os.Readlink(descriptor(fd)); err != nil || real != path {
		unix.Close(fd)
		return -1, &dirError{path, moved(err)}
	}
	return fd, nil
}

// hold opens what is mounted on target, which has to be the mount of that ID:
// what is done to the descriptor is done to no other filesystem, whatever the
// owner of a folder above puts in its place. While it is open, umount2(2)
// without MNT_DETACH is EBUSY.
func hold(target string, id int) (fd int, err error) {
	fd, err = unix.Open(target, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &dirError{target, err}
	}
	if is, err := mountID(fd); err != nil || is != id {
		unix.Close(fd)
		return -1, &dirError{target, moved(err)}
	}
	return fd, nil
}

// OpenRoot opens the root folder of what is mounted on target, which has to be
// the mount of that ID, for syncfs(2). An open file keeps the mount busy.
func OpenRoot(target string, id int) (*os.File, error) {
	folder, err := hold(target, id)
	if err != nil {
		return nil, err
	}
	defer unix.Close(folder)
	fd, err := unix.Openat(folder, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &dirError{target, err}
	}
	return os.NewFile(uintptr(fd), target), nil
}

// mountID is the ID of the mount that a descriptor is on, as mountinfo has it.
// statx(2) tells it since Linux 5.8.
func mountID(fd int) (int, error) {
	var st unix.Statx_t
	const asIs = unix.AT_EMPTY_PATH | unix.AT_STATX_DONT_SYNC
	err := unix.Statx(fd, "", asIs, unix.STATX_MNT_ID, &st)
	if err == nil && st.Mask&unix.STATX_MNT_ID != 0 {
		return int(st.Mnt_id), nil
	}
	return mountIDInProc(fd)
}

// mountIDInProc is mountID for older kernels: fdinfo has it since 3.15
// (fs/proc/fd.c, seq_show).
func mountIDInProc(fd int) (int, error) {
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, unix.ENODATA
}

// descriptor is a path that leads to what is open as fd. The kernel follows it
// to the open file, and looks up no name (fs/proc/base.c, proc_pid_get_link).
func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// dirError is "DIR: REASON": the object before the reason, and no syscall.
type dirError struct {
	path string
	err  error
}

func (e *dirError) Error() string { return e.path + ": " + e.err.Error() }
func (e *dirError) Unwrap() error { return e.err }

// bare takes the name of the system call out of an error of package os.
func bare(path string, err error) error {
	if e, ok := err.(*os.PathError); ok {
		err = e.Err
	}
	return &dirError{path, err}
}
