package loop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/privdir"
)

// Options say how Attach makes a device.
type Options struct {
	ReadOnly  bool
	Autoclear bool // the kernel detaches the device at its last close
	DirectIO  bool // past the page cache of the backing file, if its filesystem has direct I/O
	BlockSize int  // logical block, bytes; 0 is the kernel's choice
}

// Device is a loop device that we hold open.
type Device struct {
	file   *os.File
	dev    dm.DevNo
	direct bool
}

// Path is /dev/loopN.
func (d *Device) Path() string { return d.file.Name() }

// Close closes the device. With Autoclear the kernel detaches it at its last
// close.
func (d *Device) Close() error { return d.file.Close() }

// checkBacking refuses a file that is not a regular file of ours, or that
// others may write to.
func checkBacking(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if reason := privdir.UnfitFile(st); reason != "" {
		return fmt.Errorf("%s: %s: %w", f.Name(), reason, unix.EPERM)
	}
	return nil
}

// Attach makes a loop device over the file at backing: a regular file of the
// caller's own that others may not write to (else unix.EPERM), and no symbolic
// link (else unix.ELOOP). Another program may take the free number between the
// two ioctls: then Attach asks for another one, until ctx ends.
func Attach(ctx context.Context, backing string, o Options) (*Device, error) {
	flags := os.O_RDWR
	if o.ReadOnly {
		flags = os.O_RDONLY
	}
	f, err := os.OpenFile(backing, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := checkBacking(f); err != nil {
		return nil, err
	}
	for {
		d, err := attachOnce(f, o)
		if !errors.Is(err, unix.EBUSY) {
			return d, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", backing, errors.Join(ctx.Err(), err))
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func attachOnce(backing *os.File, o Options) (*Device, error) {
	path, err := freeDevice()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	direct, err := configure(f, backing, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s on %s: %w", path, backing.Name(), err)
	}
	dev, err := devNo(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Device{file: f, dev: dev, direct: direct}, nil
}

// ErrNoDriver says that the kernel has no loop devices: the module is not
// loaded, or a container does not see them.
var ErrNoDriver = errors.New("kernel has no loop devices")

// controlPath is the driver's control device (loop(4)).
const controlPath = "/dev/loop-control"

// controlError makes ErrNoDriver of the errors with which opening the control
// device says so.
func controlError(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("%w: %w", ErrNoDriver, err)
	}
	return err
}

// freeDevice asks for an unused loop device. The kernel makes one if all are in
// use.
func freeDevice() (string, error) {
	ctl, err := os.OpenFile(controlPath, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", controlError(err)
	}
	defer ctl.Close()
	n, err := unix.IoctlRetInt(int(ctl.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return "", &os.PathError{Op: "get a free loop device from", Path: ctl.Name(), Err: err}
	}
	return fmt.Sprintf("/dev/loop%d", n), nil
}

// configure attaches the file with all its settings in one step
// (LOOP_CONFIGURE, Linux 5.8). Without direct I/O in the file's filesystem it
// is attached without.
func configure(device, backing *os.File, o Options) (direct bool, err error) {
	cfg := unix.LoopConfig{Fd: uint32(backing.Fd()), Size: uint32(o.BlockSize)}
	copy(cfg.Info.File_name[:len(cfg.Info.File_name)-1], backing.Name())
	if o.ReadOnly {
		cfg.Info.Flags |= unix.LO_FLAGS_READ_ONLY
	}
	if o.Autoclear {
		cfg.Info.Flags |= unix.LO_FLAGS_AUTOCLEAR
	}
	if o.DirectIO {
		cfg.Info.Flags |= unix.LO_FLAGS_DIRECT_IO
	}
	err = unix.IoctlLoopConfigure(int(device.Fd()), &cfg)
	if o.DirectIO && errors.Is(err, unix.EINVAL) {
		cfg.Info.Flags &^= unix.LO_FLAGS_DIRECT_IO
		err = unix.IoctlLoopConfigure(int(device.Fd()), &cfg)
	}
	if err != nil {
		return false, os.NewSyscallError("LOOP_CONFIGURE", err)
	}
	info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	return err == nil && info.Flags&unix.LO_FLAGS_DIRECT_IO != 0, nil
}

// SetCapacity makes the device as large as its file is now.
func SetCapacity(path string) error {
	return simpleIoctl(path, unix.LOOP_SET_CAPACITY, "LOOP_SET_CAPACITY")
}

func simpleIoctl(path string, number uint, name string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := unix.IoctlRetInt(int(f.Fd()), number); err != nil {
		return &os.PathError{Op: name, Path: path, Err: err}
	}
	return nil
}

func devNo(f *os.File) (dm.DevNo, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return dm.DevNo{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return dm.DevNoOf(uint64(st.Rdev)), nil
}

// ioctl calls an ioctl with a pointer to value.
func ioctl[T any](f *os.File, number uintptr, value *T) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), number, uintptr(unsafe.Pointer(value)))
	if errno != 0 {
		return errno
	}
	return nil
}
