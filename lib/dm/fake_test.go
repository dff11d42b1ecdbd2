package dm

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fakeDevice is a device of a fake kernel.
type fakeDevice struct {
	uuid             string
	inactive, active bool
	opened           bool
}

// fakeKernel keeps devices by name, as far as Activate needs them.
type fakeKernel struct {
	devices map[string]*fakeDevice
	fail    map[uint]error // by command
	calls   []string
}

func (k *fakeKernel) control(t *testing.T) *Control {
	c := NewControl(k.call)
	c.nodes.dir = t.TempDir()
	return c
}

func (k *fakeKernel) call(cmd uint, buf []byte) error {
	h := (*header)(unsafe.Pointer(&buf[0]))
	name, uuid := cString(h.Name[:]), cString(h.Uuid[:])
	k.calls = append(k.calls, opNames[cmd])
	if err := k.fail[cmd]; err != nil {
		return err
	}
	d := k.devices[name]
	switch {
	case cmd == cmdCreate && (d != nil || k.uuidTaken(uuid)):
		return unix.EBUSY
	case cmd == cmdCreate:
		k.devices[name] = &fakeDevice{uuid: uuid}
		return nil
	case d == nil:
		return unix.ENXIO
	case cmd == cmdLoad:
		d.inactive = true
	case cmd == cmdSuspend:
		d.active, d.inactive = d.active || d.inactive, false
	case cmd == cmdRemove && d.opened:
		return unix.EBUSY
	case cmd == cmdRemove:
		delete(k.devices, name)
	}
	copy(h.Uuid[:], d.uuid)
	h.Dev = encodeDev(DevNo{253, 7})
	h.Flags = 0
	if d.active {
		h.Flags |= unix.DM_ACTIVE_PRESENT_FLAG
	}
	return nil
}

func (k *fakeKernel) uuidTaken(uuid string) bool {
	for _, d := range k.devices {
		if d.uuid == uuid {
			return true
		}
	}
	return false
}

var zeroTable = []Target{{0, 8, "zero", ""}}

func TestActivateLeavesNothingOnError(t *testing.T) {
	for _, cmd := range []uint{cmdLoad, cmdSuspend} {
		k := &fakeKernel{devices: map[string]*fakeDevice{}, fail: map[uint]error{cmd: unix.EINVAL}}
		c := k.control(t)
		if _, err := c.Activate(context.Background(), "n", "u", zeroTable,
			ActivateOptions{}); !errors.Is(err, unix.EINVAL) {
			t.Errorf("%s: %v", opNames[cmd], err)
		}
		if len(k.devices) != 0 || lies(c.NodePath("n")) {
			t.Errorf("%s: left behind: %v", opNames[cmd], k.devices)
		}
	}
}

// A device without a table is what a killed Activate leaves: it is taken over.
// One with a table, or another's, is not.
func TestActivateAdopts(t *testing.T) {
	for _, row := range []struct {
		name   string
		before fakeDevice
		want   error
	}{
		{"left over", fakeDevice{uuid: "u"}, nil},
		{"left over with a table loaded", fakeDevice{uuid: "u", inactive: true}, nil},
		{"active", fakeDevice{uuid: "u", active: true}, ErrExist},
		{"of another uuid", fakeDevice{uuid: "x"}, ErrExist},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := &fakeKernel{devices: map[string]*fakeDevice{"n": &row.before}}
			err := k.control(t).createOrAdopt("n", "u")
			if !errors.Is(err, row.want) || row.want == nil && err != nil {
				t.Errorf("%v, want %v", err, row.want)
			}
			var foreign *ForeignError
			if errors.As(err, &foreign) != (row.before.uuid == "x") {
				t.Errorf("foreign: %v", err)
			}
		})
	}
}

func TestDeactivateWaitsAndGivesUp(t *testing.T) {
	k := &fakeKernel{devices: map[string]*fakeDevice{"n": {active: true, opened: true}}}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := k.control(t).Deactivate(ctx, ByName("n")); !errors.Is(err, ErrBusy) ||
		!errors.Is(err, unix.EBUSY) {
		t.Error(err)
	}
	k.devices["n"].opened = false
	if err := k.control(t).Deactivate(ctx, ByName("n")); err != nil || len(k.devices) != 0 {
		t.Error(err, k.devices)
	}
	if err := k.control(t).Deactivate(ctx, ByName("n")); err != nil {
		t.Errorf("gone already: %v", err)
	}
}

// The same errno means different things to different commands.
func TestErrors(t *testing.T) {
	for _, row := range []struct {
		cmd   uint
		errno unix.Errno
		is    []error
		isNot []error
	}{
		{cmdCreate, unix.EBUSY, []error{ErrExist, fs.ErrExist, unix.EBUSY}, []error{ErrBusy}},
		{cmdRemove, unix.EBUSY, []error{ErrBusy, unix.EBUSY}, []error{ErrExist, fs.ErrExist}},
		{cmdStatus, unix.ENXIO, []error{ErrNotExist, fs.ErrNotExist, unix.ENXIO}, nil},
		{cmdList, unix.EACCES, []error{ErrPermission, fs.ErrPermission}, nil},
		{cmdGetTargetVersion, unix.EINVAL, []error{ErrNoTarget}, nil},
		{cmdLoad, unix.EINVAL, []error{unix.EINVAL}, []error{ErrNoTarget}},
		{cmdMessage, unix.EEXIST, []error{unix.EEXIST}, []error{ErrExist}},
	} {
		err := commandError(row.cmd, ByName("n"), row.errno)
		for _, want := range row.is {
			if !errors.Is(err, want) {
				t.Errorf("%v is not %v", err, want)
			}
		}
		for _, not := range row.isNot {
			if errors.Is(err, not) {
				t.Errorf("%v is %v", err, not)
			}
		}
		if !strings.HasPrefix(err.Error(), "device n: "+opNames[row.cmd]+": ") {
			t.Errorf("%q", err)
		}
	}
}

func TestInterruptedIsSentAgain(t *testing.T) {
	n := 0
	c := NewControl(func(uint, []byte) error {
		if n++; n < 3 {
			return unix.EINTR
		}
		return nil
	})
	if _, err := c.Info(ByName("n")); err != nil || n != 3 {
		t.Errorf("%v after %d calls", err, n)
	}
}

// The kernel says that the buffer is full without failing; it is asked again
// with more room.
func TestBufferGrows(t *testing.T) {
	var sizes []int
	c := NewControl(func(_ uint, buf []byte) error {
		sizes = append(sizes, len(buf))
		if h := (*header)(unsafe.Pointer(&buf[0])); len(buf) < 60<<10 {
			h.Flags |= unix.DM_BUFFER_FULL_FLAG
		}
		return nil
	})
	if _, _, err := c.Table(ByName("n")); err != nil || len(sizes) != 3 || sizes[2] <= sizes[1] {
		t.Errorf("%v, %v", err, sizes)
	}
}

func TestVersionThatIsSent(t *testing.T) {
	c := NewControl(func(_ uint, buf []byte) error {
		if h := (*header)(unsafe.Pointer(&buf[0])); h.Version != [3]uint32{4, 0, 0} ||
			int(h.Data_size) != len(buf) {
			t.Errorf("version %v, size %d of %d", h.Version, h.Data_size, len(buf))
		}
		return nil
	})
	c.Info(ByName("n"))
}

// A device that a command knows by its uuid is told by its name, which a person
// finds below /dev/mapper.
func TestErrorNamesTheDevice(t *testing.T) {
	call := func(cmd uint, buf []byte) error {
		h := (*header)(unsafe.Pointer(&buf[0]))
		switch {
		case cString(h.Uuid[:]) == "THIN-gone-1":
			return unix.ENXIO
		case cmd == cmdStatus:
			copy(h.Name[:], "thin-demo@base")
			return nil
		}
		return unix.EBUSY
	}
	c := NewControl(call)
	for uuid, want := range map[string]string{
		"THIN-0-1":    "device thin-demo@base: remove: device or resource busy",
		"THIN-gone-1": "device THIN-gone-1: remove: no such device (no such device or address)",
	} {
		if _, err := c.Remove(ByUUID(uuid), false, 0); err == nil || err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
