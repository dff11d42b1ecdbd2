package dm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Sectors counts units of 512 bytes, whatever the device's own block size.
type Sectors uint64

// SectorSize is the number of bytes in a sector.
const SectorSize = 512

// Bytes is the length in bytes.
func (s Sectors) Bytes() int64 { return int64(s) * SectorSize }

// DevNo is the number of a block device.
type DevNo struct{ Major, Minor uint32 }

// String is "MAJOR:MINOR", as tables and sysfs have it.
func (d DevNo) String() string { return fmt.Sprintf("%d:%d", d.Major, d.Minor) }

// ParseDevNo is the inverse of DevNo.String.
func ParseDevNo(s string) (DevNo, error) {
	major, minor, ok := strings.Cut(s, ":")
	a, errA := strconv.ParseUint(major, 10, 12)
	b, errB := strconv.ParseUint(minor, 10, 20)
	if err := errors.Join(errA, errB); !ok || err != nil {
		return DevNo{}, fmt.Errorf("device number %q: want MAJOR:MINOR", s)
	}
	return DevNo{uint32(a), uint32(b)}, nil
}

// DevNoOf splits st_rdev of stat(2).
func DevNoOf(rdev uint64) DevNo { return DevNo{unix.Major(rdev), unix.Minor(rdev)} }

// decodeDev splits a number as device-mapper gives it (huge_encode_dev in
// include/linux/kdev_t.h).
func decodeDev(d uint64) DevNo {
	return DevNo{uint32(d>>8) & 0xfff, uint32(d&0xff) | uint32(d>>12)&0xfff00}
}

// encodeDev is the inverse of decodeDev.
func encodeDev(d DevNo) uint64 {
	return uint64(d.Minor&0xff) | uint64(d.Major)<<8 | uint64(d.Minor&^0xff)<<12
}

// Flags are the flags of a device in an answer (DM_*_FLAG).
type Flags uint32

var flagNames = []struct {
	flag Flags
	name string
}{
	{unix.DM_READONLY_FLAG, "readonly"},
	{unix.DM_SUSPEND_FLAG, "suspended"},
	{unix.DM_ACTIVE_PRESENT_FLAG, "active"},
	{unix.DM_INACTIVE_PRESENT_FLAG, "inactive"},
	{unix.DM_BUFFER_FULL_FLAG, "buffer-full"},
	{unix.DM_UEVENT_GENERATED_FLAG, "uevent"},
	{unix.DM_DEFERRED_REMOVE, "deferred-remove"},
	{unix.DM_INTERNAL_SUSPEND_FLAG, "internal-suspend"},
}

// String names the flags that are set.
func (f Flags) String() string {
	var names []string
	for _, n := range flagNames {
		if f&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}

// Info is the state of a device at the moment of a command. UUID is "" for a
// device that was made without one.
type Info struct {
	Name, UUID string
	Dev        DevNo
	// OpenCount counts openings of the block device: by processes, by a mount,
	// and by tables of devices that lie on it. It may be out of date when
	// it is read.
	OpenCount int
	// EventNr counts what targets have reported, and changes of the table.
	EventNr     uint32
	TargetCount int // of the live table
	Flags       Flags
}

// Suspended reports whether I/O to the device waits until it is resumed. A thin
// device whose pool is suspended is not: the kernel stops it in a way of its
// own (DM_INTERNAL_SUSPEND_FLAG; drivers/md/dm-thin.c,
// pool_suspend_active_thins), and its I/O waits as well.
func (i Info) Suspended() bool { return i.Flags&unix.DM_SUSPEND_FLAG != 0 }

// Active reports whether the device has a live table. One without it was
// created, and its process was killed before the resume.
func (i Info) Active() bool { return i.Flags&unix.DM_ACTIVE_PRESENT_FLAG != 0 }

// hasInactive reports whether a table is loaded that the next resume makes
// live.
func (i Info) hasInactive() bool { return i.Flags&unix.DM_INACTIVE_PRESENT_FLAG != 0 }

// DeferredRemove reports whether the kernel removes the device at its last
// close.
func (i Info) DeferredRemove() bool { return i.Flags&unix.DM_DEFERRED_REMOVE != 0 }

func infoOf(h *header) Info {
	return Info{
		Name:        cString(h.Name[:]),
		UUID:        cString(h.Uuid[:]),
		Dev:         decodeDev(h.Dev),
		OpenCount:   int(h.Open_count),
		EventNr:     h.Event_nr,
		TargetCount: int(h.Target_count),
		Flags:       Flags(h.Flags),
	}
}

// Ref names a device for a command: by name, by uuid, or by number. Two that
// are equal name the same device.
type Ref struct {
	name, uuid string
	dev        DevNo
}

// ByName refers to a device by its name. Another program may rename it; the
// uuid stays.
func ByName(name string) Ref { return Ref{name: name} }

// ByUUID refers to a device by its uuid. It never changes, and no two devices
// have the same.
func ByUUID(uuid string) Ref { return Ref{uuid: uuid} }

// ByDev refers to a device by its number. The kernel gives the number of a
// removed device to the next one: this is for a device that the caller keeps
// open.
func ByDev(d DevNo) Ref { return Ref{dev: d} }

// String is the name, uuid or number that was given.
func (r Ref) String() string {
	switch {
	case r.name != "":
		return r.name
	case r.uuid != "":
		return r.uuid
	}
	return r.dev.String()
}

// put writes the reference into a header. The kernel takes exactly one of the
// three: a name and a uuid together are EINVAL in every command but create
// (drivers/md/dm-ioctl.c, __find_device_hash_cell).
func (r Ref) put(h *header) error {
	switch {
	case r.name != "":
		if err := checkName(r.name); err != nil {
			return err
		}
		copy(h.Name[:], r.name)
	case r.uuid != "":
		if err := checkUUID(r.uuid); err != nil {
			return err
		}
		copy(h.Uuid[:], r.uuid)
	case r.dev != DevNo{}:
		h.Dev = encodeDev(r.dev)
	default:
		return errors.New("no device named")
	}
	return nil
}

// The longest name and uuid, in bytes: one less than the kernel's buffers. The
// kernel cuts a longer name off without a word (drivers/md/dm-ioctl.c,
// validate_params).
const (
	maxName = 127
	maxUUID = 128
)

// ErrName is a name or uuid that the kernel would cut, or that udev and libdm
// would write differently from us: a name has 1 to 127 bytes, a uuid 1 to 128,
// of A-Z a-z 0-9 # + - . : = @ _.
var ErrName = errors.New("not a device-mapper name")

func checkName(s string) error { return checkWord("name", s, maxName) }
func checkUUID(s string) error { return checkWord("uuid", s, maxUUID) }

// checkWord allows what libdm leaves as it is (libdm-common.c, mangling).
func checkWord(what, s string, limit int) error {
	if s == "" || s == "." || s == ".." || len(s) > limit {
		return fmt.Errorf("%w: %s %q has %d bytes, 1 to %d are allowed",
			ErrName, what, s, len(s), limit)
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && !strings.ContainsRune("#+-.:=@_", rune(c)) {
			return fmt.Errorf("%w: %s %q has %q", ErrName, what, s, c)
		}
	}
	return nil
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// cString is what stands before the first NUL.
func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
