package dm

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resuming is a kernel that refuses to resume its one device, which has these
// flags afterwards. cookie is what came with the command.
func resuming(flags Flags, cookie *uint32) *Control {
	return NewControl(func(cmd uint, buf []byte) error {
		h := (*header)(unsafe.Pointer(&buf[0]))
		if cmd == cmdSuspend {
			*cookie = h.Event_nr
			return unix.EINVAL
		}
		h.Flags = uint32(flags)
		return nil
	})
}

// TestResumeOfTwo lets another process resume the device in the same moment:
// Resume succeeds. It fails where the kernel refuses the table.
func TestResumeOfTwo(t *testing.T) {
	for _, row := range []struct {
		name  string
		flags Flags
		fails bool
	}{
		{"runs", unix.DM_ACTIVE_PRESENT_FLAG, false},
		{"is suspended", unix.DM_ACTIVE_PRESENT_FLAG | unix.DM_SUSPEND_FLAG, true},
		{"has a table waiting", unix.DM_ACTIVE_PRESENT_FLAG | unix.DM_INACTIVE_PRESENT_FLAG, true},
		{"has no table", 0, true},
	} {
		var cookie uint32
		_, err := resuming(row.flags, &cookie).Resume(ByName("n"), DisableDiskRules)
		if errors.Is(err, unix.EINVAL) != row.fails {
			t.Errorf("%s: %v", row.name, err)
		}
		if want := uint32(DisableDiskRules|PrimarySource) << 16; cookie != want {
			t.Errorf("%s: cookie %#x, want %#x", row.name, cookie, want)
		}
	}
}
