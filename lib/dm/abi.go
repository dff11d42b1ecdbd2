package dm

import (
	"structs"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Commands of /dev/mapper/control (include/uapi/linux/dm-ioctl.h).
const (
	cmdList             = 2
	cmdCreate           = 3
	cmdRemove           = 4
	cmdSuspend          = 6 // resume, too: without flagSuspend
	cmdStatus           = 7
	cmdLoad             = 9
	cmdTableStatus      = 12
	cmdListVersions     = 13
	cmdMessage          = 14
	cmdGetTargetVersion = 17
)

// ioctlBase is _IOWR(DM_IOCTL, 0, struct dm_ioctl): the number of a command is
// ioctlBase | cmd, the same on all 64-bit architectures that Go runs on but
// mips and ppc.
const ioctlBase = 0xc138fd00

// header is struct dm_ioctl; x/sys has it, laid out as the kernel wants it.
type header = unix.DmIoctl

const headerSize = int(unsafe.Sizeof(header{}))

// targetSpec is struct dm_target_spec. Its parameters follow, ended by NUL.
type targetSpec struct {
	_      structs.HostLayout
	Start  uint64
	Length uint64
	Status int32
	Next   uint32 // loading: from this spec to the next; status: from the first
	Type   [16]byte
}

const targetSpecSize = int(unsafe.Sizeof(targetSpec{}))

// maxParams bounds the parameters of one target with their NUL, in bytes
// (kernel: DM_MAX_TARGET_PARAMS).
const maxParams = 1024

// request is one buffer: the header, then room for data. It is made of words so
// that the header is aligned as in C.
type request struct {
	words []uint64
}

func newRequest(data int) *request {
	return &request{words: make([]uint64, (headerSize+data+7)/8)}
}

func (r *request) header() *header { return (*header)(unsafe.Pointer(&r.words[0])) }

// bytes is the whole buffer.
func (r *request) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&r.words[0])), len(r.words)*8)
}

// data is what follows the header.
func (r *request) data() []byte { return r.bytes()[headerSize:] }

// ioctl hands a buffer to the kernel. The buffer is Go memory, which does not
// move while the call, which has its pointer, is under way.
func ioctl(fd uintptr, cmd uint, buf []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(ioctlBase|cmd), uintptr(unsafe.Pointer(&buf[0])))
	if errno != 0 {
		return errno
	}
	return nil
}
