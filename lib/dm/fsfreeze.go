package dm

import (
	"os"

	"golang.org/x/sys/unix"
)

// FIFREEZE and FITHAW of include/uapi/linux/fs.h, which x/sys lacks. An ioctl
// that reads and writes has the same two bits on all machines
// (include/uapi/asm-generic/ioctl.h; arch/powerpc and arch/mips, which number
// the directions differently, agree on these).
const (
	fiFreeze = 0xc0045877
	fiThaw   = 0xc0045878
)

// FreezeFS writes out what is dirty in the filesystem of an open folder (O_PATH
// is enough), and holds writers back until ThawFS, as fsfreeze(8) does. It may
// sleep for long, and no signal ends that (fs/super.c, freeze_super). A
// filesystem that is frozen already is unix.EBUSY, one that cannot be frozen
// unix.EOPNOTSUPP.
func FreezeFS(f *os.File) error { return fsCall("freeze", f, fiFreeze) }

// ThawFS undoes FreezeFS. A filesystem that is not frozen is unix.EINVAL.
func ThawFS(f *os.File) error { return fsCall("thaw", f, fiThaw) }

// fsCall opens the folder once more, because a descriptor of O_PATH takes no
// ioctl. The name "." leads to the same folder, whatever has been mounted or
// renamed meanwhile.
func fsCall(op string, f *os.File, request uintptr) error {
	fd, err := unix.Openat(int(f.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: f.Name(), Err: err}
	}
	defer unix.Close(fd)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, 0); errno != 0 {
		return &os.PathError{Op: op, Path: f.Name(), Err: errno}
	}
	return nil
}
