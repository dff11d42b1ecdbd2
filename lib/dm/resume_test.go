package dm

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resuming is a kernel that refuses to resume its one device, which has these
// flags afterwards. cookie and sent are what came with the command.
func resuming(flags Flags, cookie, sent *uint32) *Control {
	return NewControl(func(cmd uint, buf []byte) error {
		h := (*header)(unsafe.Pointer(&buf[0]))
		if cmd == cmdSuspend {
			*cookie, *sent = h.Event_nr, h.Flags
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
		for skip, resume := range map[uint32]func(*Control, Ref, CookieFlags) (Info, error){
			0: (*Control).Resume, unix.DM_SKIP_LOCKFS_FLAG: (*Control).Swap,
		} {
			var cookie, sent uint32
			_, err := resume(resuming(row.flags, &cookie, &sent), ByName("n"), DisableDiskRules)
			if errors.Is(err, unix.EINVAL) != row.fails {
				t.Errorf("%s: %v", row.name, err)
			}
			if want := uint32(DisableDiskRules|PrimarySource) << 16; cookie != want {
				t.Errorf("%s: cookie %#x, want %#x", row.name, cookie, want)
			}
			if sent&unix.DM_SKIP_LOCKFS_FLAG != skip {
				t.Errorf("%s: flags %#x", row.name, sent)
			}
		}
	}
}
