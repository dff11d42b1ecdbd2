package dm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Control is an open /dev/mapper/control. Its methods may be called
// concurrently; a command may sleep in the kernel, and holds a thread for as
// long. It has one descriptor for all commands: the kernel keeps nothing by
// descriptor but a number for poll(2) (drivers/md/dm-ioctl.c, struct dm_file).
type Control struct {
	call  func(cmd uint, buf []byte) error
	file  *os.File // nil for a Control of NewControl
	nodes nodes

	tracer tracer

	memory *memory // nil unless Remember has made this Control
}

// Buffer sizes in bytes, without the header. The kernel reports an answer that
// does not fit (DM_BUFFER_FULL_FLAG) and is asked again with twice the room. A
// list takes about 120 bytes for each device of ours.
const (
	smallBuffer = 2 << 10
	largeBuffer = 16 << 10
	maxBuffer   = 64 << 20
)

// Open opens /dev/mapper/control. Where the kernel has device-mapper and nobody
// has made the node (no udev, no devtmpfs), the node is made. A kernel without
// device-mapper is ErrNoDriver, and a caller other than root gets
// fs.ErrPermission. A root without CAP_SYS_ADMIN in the first user namespace
// opens the node, and gets ErrPermission from each command
// (drivers/md/dm-ioctl.c, ctl_ioctl).
func Open() (*Control, error) {
	nodes := systemNodes()
	path := filepath.Join(nodes.dir, "control")
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeControl(path); err == nil {
			f, err = os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			os.Remove(path)
		}
	}
	// A node whose number no driver has (drivers/char/misc.c, misc_open).
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		err = fmt.Errorf("%w: %w", ErrNoDriver, err)
	}
	if err != nil {
		return nil, err
	}
	c := NewControl(func(cmd uint, buf []byte) error { return ioctl(f.Fd(), cmd, buf) })
	c.file, c.nodes, c.tracer.to = f, nodes, traceTo()
	return c, nil
}

// NewControl makes a Control over a function in the place of the kernel: call
// gets the ioctl, as unix.DM_DEV_CREATE, and the buffer, which begins with
// struct dm_ioctl, and changes the buffer as the kernel would. An errno that it
// returns is treated as the kernel's. No udev is waited for. It is meant for
// tests.
func NewControl(call func(cmd uint, buf []byte) error) *Control {
	return &Control{call: call, nodes: nodes{dir: "/dev/mapper"}}
}

// Close closes /dev/mapper/control. Devices stay as they are.
func (c *Control) Close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}

// controlMinor is the node's fixed number; opening it loads the module
// (include/linux/miscdevice.h, MAPPER_CTRL_MINOR).
const controlMinor = 236

// makeControl makes the node as udev would. Its major number is that of all
// misc drivers (include/uapi/linux/major.h, MISC_MAJOR). A module that is not
// loaded yet is not in /proc/misc: then the number is the fixed one.
func makeControl(path string) error {
	minor, err := miscMinor("/proc/misc", "device-mapper")
	if errors.Is(err, ErrNoDriver) {
		minor, err = controlMinor, nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	err = unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(10, minor)))
	// udev, or another command, may have made the node in between.
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return &os.PathError{Op: "mknod", Path: path, Err: err}
	}
	return nil
}

// miscMinor looks up a driver in /proc/misc. Each line has a number and a name.
// Without the driver the error is ErrNoDriver.
func miscMinor(path, driver string) (uint32, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[1] == driver {
			n, err := strconv.ParseUint(f[0], 10, 20)
			return uint32(n), err
		}
	}
	return 0, ErrNoDriver
}

// do sends one command and returns the buffer as the kernel left it. data
// follows the header; room is how many bytes the answer is expected to need;
// fill sets more fields of the header.
//
// An answer without room comes with success: the command has been carried out,
// and is sent once more. Only commands that ask for something have such
// answers, and no message to a thin-pool has one, so that nothing is done
// twice.
func (c *Control) do(cmd uint, r Ref, data []byte, room int, fill func(*header)) (*request, error) {
	for room = max(room, len(data)); ; room *= 2 {
		req := newRequest(room)
		h := req.header()
		// The kernel refuses a minor version above its own
		// (drivers/md/dm-ioctl.c, check_version). 4.0 is the lowest that has
		// all that is sent.
		h.Version = [3]uint32{4, 0, 0}
		h.Data_size, h.Data_start = uint32(len(req.bytes())), uint32(headerSize)
		if r != (Ref{}) {
			if err := r.put(h); err != nil {
				return nil, c.failure(cmd, r, err)
			}
		}
		if fill != nil {
			fill(h)
		}
		copy(req.data(), data)
		flags := h.Flags
		// After an error the kernel copies nothing back but its version
		// (ctl_ioctl): the header still has what was sent.
		err := c.retry(cmd, req.bytes())
		c.forgetIfChanged(cmd, flags)
		c.traced(cmd, r, data, h, err)
		if err != nil {
			return nil, c.failure(cmd, r, err)
		}
		if h.Flags&unix.DM_BUFFER_FULL_FLAG == 0 {
			return req, nil
		}
		if room > maxBuffer {
			return nil, c.failure(cmd, r, fmt.Errorf("answer has more than %d bytes", maxBuffer))
		}
	}
}

// retry sends a command again that a signal has interrupted. The kernel has
// undone it: a suspend that a signal ends lets I/O go on (drivers/md/dm.c,
// __dm_suspend). Linux 6.1 answers ERESTARTSYS: since Go's handlers have
// SA_RESTART, the command then begins again without coming back to here.
func (c *Control) retry(cmd uint, buf []byte) error {
	for {
		if err := c.call(cmd, buf); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// printable is a command's data with all but its printable characters as
// spaces.
func printable(data []byte) string {
	words := strings.FieldsFunc(string(data), func(r rune) bool { return r < ' ' || r > '~' })
	return strings.Join(words, " ")
}

// answer is the part of the buffer that the kernel says it has filled. Its
// data_size counts from the beginning of the header, as data_start does. Both
// are checked, since the buffer may come from a Control of NewControl.
func (req *request) answer() ([]byte, error) {
	h := req.header()
	start, end := int(h.Data_start), int(h.Data_size)
	if start < 0 || start > len(req.bytes()) || end > len(req.bytes()) {
		return nil, fmt.Errorf("%w: data from %d to %d of %d",
			errMalformed, start, end, len(req.bytes()))
	}
	return req.bytes()[start:max(start, end)], nil
}

// errMalformed is an answer whose lengths and distances contradict each other.
var errMalformed = errors.New("malformed answer")
