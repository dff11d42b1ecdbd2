package dm

import (
	"structs"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The ioctls of /dev/mapper/control that are sent. What is missing here is not:
// DM_REMOVE_ALL, for one, would take the devices of others.
const (
	cmdList             = unix.DM_LIST_DEVICES
	cmdCreate           = unix.DM_DEV_CREATE
	cmdRemove           = unix.DM_DEV_REMOVE
	cmdSuspend          = unix.DM_DEV_SUSPEND // without DM_SUSPEND_FLAG: resume
	cmdStatus           = unix.DM_DEV_STATUS
	cmdLoad             = unix.DM_TABLE_LOAD
	cmdTableStatus      = unix.DM_TABLE_STATUS
	cmdListVersions     = unix.DM_LIST_VERSIONS
	cmdMessage          = unix.DM_TARGET_MSG
	cmdGetTargetVersion = unix.DM_GET_TARGET_VERSION
)

// header is struct dm_ioctl; x/sys has it, laid out as the kernel wants it.
// DM_SECURE_DATA_FLAG is never set, since no table of ours holds a key.
type header = unix.DmIoctl

const headerSize = int(unsafe.Sizeof(header{}))

// The structures that follow the header, as far as their size is fixed. Each
// has its fields where C puts them, in the machine's byte order, and no padding
// between them. get and put copy their bytes. Package encoding/binary would do
// the same by reflection, and link it into every program.

// targetSpec is struct dm_target_spec: one line of a table. The parameters
// follow, ended by NUL, and then what is missing to a multiple of 8 bytes.
type targetSpec struct {
	_      structs.HostLayout
	Start  uint64 // sector_start
	Length uint64
	Status int32  // the kernel answers 0, and does not read it
	Next   uint32 // bytes to the next: from this spec when loading, from the first in answers
	Type   [unix.DM_MAX_TYPE_NAME]byte
}

// nameList is struct dm_name_list: one device in the answer of list. The name
// follows, ended by NUL; then a nameListMore.
type nameList struct {
	Dev  uint64 // as huge_encode_dev has it; 0 in an answer without devices
	Next uint32 // bytes from this record to the next; 0 in the last
}

// nameListMore stands behind the name, at the next multiple of 8 bytes from the
// beginning of its record (drivers/md/dm-ioctl.c, list_devices). The flags are
// of Linux 5.13; the uuid follows where they say so.
type nameListMore struct {
	EventNr uint32
	Flags   uint32 // DM_NAME_LIST_FLAG_*; 0 before Linux 5.13, which leaves our zeroes
}

// targetVersions is struct dm_target_versions: one target type. Its name
// follows, ended by NUL.
type targetVersions struct {
	Next    uint32 // bytes from this record to the next; 0 in the last
	Version [3]uint32
}

// targetMsg is struct dm_target_msg. The message follows, ended by NUL.
type targetMsg struct {
	Sector uint64
}

// The sizes up to the last field, without the padding that C and Go may put
// behind it: the name of a nameList begins there.
const (
	targetSpecSize     = int(unsafe.Offsetof(targetSpec{}.Type)) + unix.DM_MAX_TYPE_NAME
	nameListSize       = int(unsafe.Offsetof(nameList{}.Next)) + 4
	nameListMoreSize   = int(unsafe.Offsetof(nameListMore{}.Flags)) + 4
	targetVersionsSize = int(unsafe.Offsetof(targetVersions{}.Version)) + 12
	targetMsgSize      = 8
)

// get reads a structure of that size, and reports whether b has as much. The
// bytes are copied and not cast: a record may lie at an address that the
// machine does not read words from.
func get[T any](b []byte, size int) (v T, ok bool) {
	if len(b) < size {
		return v, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&v)), size), b)
	return v, true
}

// put writes the first bytes of a structure.
func put[T any](b []byte, v *T, size int) {
	copy(b, unsafe.Slice((*byte)(unsafe.Pointer(v)), size))
}

// align is align_val of drivers/md/dm-ioctl.c: the next multiple of 8.
func align(n int) int { return (n + 7) &^ 7 }

// maxParams bounds the parameters of one target with their NUL, in bytes
// (drivers/md/dm-core.h, DM_MAX_TARGET_PARAMS). Older kernels take longer ones,
// but no target of ours needs them.
const maxParams = 1024

// request is one buffer: the header, then room for data. It is made of words so
// that the header is aligned as in C. The kernel wants a buffer of 305 bytes at
// least, as far as dm_ioctl.data (copy_params), and begins its answer behind
// the whole structure, at 312 (get_result_buffer).
type request struct {
	words []uint64
}

func newRequest(data int) *request {
	return &request{words: make([]uint64, align(headerSize+data)/8)}
}

func (r *request) header() *header { return (*header)(unsafe.Pointer(&r.words[0])) }

// bytes is the whole buffer.
func (r *request) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&r.words[0])), len(r.words)*8)
}

// data is what follows the header.
func (r *request) data() []byte { return r.bytes()[headerSize:] }

// ioctl hands a buffer to the kernel. The buffer is Go memory. It stays where
// it is during the call, because the call itself converts its address (package
// unsafe, rule 4). A command that sleeps keeps its thread; Syscall lets the
// runtime run other goroutines on another one.
func ioctl(fd uintptr, cmd uint, buf []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(cmd), uintptr(unsafe.Pointer(&buf[0])))
	if errno != 0 {
		return errno
	}
	return nil
}
