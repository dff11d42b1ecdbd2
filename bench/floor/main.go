// Floor is mount.floor-go and umount.floor-go, by the name that it is called
// by: what a mount of a thin device costs at least in Go. It does the ioctls
// and mount(2), and nothing else: no lock, no record, no probe, no utab.
// bench/floor-c/floor.c is the same in C.
//
//	mount.floor-go POOL/ID/SECTORS DIR [-o OPTIONS …]
//	umount.floor-go DIR [-OPTIONS]
//
// POOL is the pool's name below /dev/mapper. The filesystem is ext4.
package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// request is struct dm_ioctl, struct dm_target_spec and the target's parameters
// (include/uapi/linux/dm-ioctl.h).
type request struct {
	version                           [3]uint32
	size, start, targets, open, flags uint32
	event, padding                    uint32
	dev                               uint64
	name                              [128]byte
	uuid                              [129]byte
	_                                 [7]byte
	targetStart, targetLength         uint64
	targetStatus, targetNext          uint32
	targetType                        [16]byte
	params                            [256]byte
}

const headSize = 312

func fresh(name string) *request {
	r := &request{version: [3]uint32{4, 0, 0}, start: headSize}
	r.size = uint32(unsafe.Sizeof(*r))
	copy(r.name[:127], name)
	return r
}

func main() {
	var words []string
	for i := 1; i < len(os.Args); i++ {
		switch a := os.Args[i]; {
		case !strings.HasPrefix(a, "-"):
			words = append(words, a)
		case strings.ContainsAny(a[len(a)-1:], "otN"):
			i++
		}
	}
	control, err := unix.Open("/dev/mapper/control", unix.O_RDWR|unix.O_CLOEXEC, 0)
	die("/dev/mapper/control", err)
	switch me := filepath.Base(os.Args[0]); {
	case strings.HasPrefix(me, "mount") && len(words) == 2:
		mount(control, words[0], words[1])
	case strings.HasPrefix(me, "umount") && len(words) == 1:
		umount(control, words[0])
	default:
		die("usage", unix.EINVAL)
	}
}

func ioctl(control int, number uintptr, r *request) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(control), number,
		uintptr(unsafe.Pointer(r)))
	if errno != 0 {
		return errno
	}
	return nil
}

func mount(control int, what, dir string) {
	parts := strings.Split(what, "/")
	if len(parts) != 3 {
		die("POOL/ID/SECTORS", unix.EINVAL)
	}
	name := "floor-" + parts[1]
	r := fresh(name)
	die("create", ioctl(control, unix.DM_DEV_CREATE, r))
	dev := "/dev/dm-" + strconv.Itoa(int(unix.Minor(r.dev)))
	r = fresh(name)
	r.targets = 1
	length, err := strconv.ParseUint(parts[2], 10, 64)
	die("SECTORS", err)
	r.targetLength = length
	copy(r.targetType[:], "thin")
	copy(r.params[:255], "/dev/mapper/"+parts[0]+" "+parts[1])
	die("load", ioctl(control, unix.DM_TABLE_LOAD, r))
	die("resume", ioctl(control, unix.DM_DEV_SUSPEND, fresh(name)))
	die(dev, unix.Mount(dev, dir, "ext4", 0, ""))
}

func umount(control int, dir string) {
	var st unix.Stat_t
	die(dir, unix.Stat(dir, &st))
	die(dir, unix.Unmount(dir, 0))
	r := fresh("")
	r.dev = st.Dev
	err := ioctl(control, unix.DM_DEV_REMOVE, r)
	for n := 0; errors.Is(err, unix.EBUSY) && n < 10000; n++ {
		time.Sleep(time.Millisecond) // udev has it open
		r = fresh("")
		r.dev = st.Dev
		err = ioctl(control, unix.DM_DEV_REMOVE, r)
	}
	die("remove", err)
}

func die(what string, err error) {
	if err != nil {
		os.Stderr.WriteString("floor-go: " + what + ": " + err.Error() + "\n")
		os.Exit(32)
	}
}
