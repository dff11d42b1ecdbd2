package dm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Device is an entry of List.
type Device struct {
	Name    string
	UUID    string // "" for a device that was created without one
	Dev     DevNo
	EventNr uint32 // counts the events of the device; 0 before Linux 4.13
}

// List returns the devices whose uuid begins with prefix; "" is all of them.
// Linux tells uuids in its list since 5.13 (drivers/md/dm-ioctl.c,
// list_devices). An older kernel is asked for each device by itself; a device
// that is removed meanwhile is left out. A newer one would filter by a prefix
// in the header (filter_device); that an older one ignores it cannot be seen in
// an answer, so that the list is filtered here.
//
// The list shows one moment: devices come and go while a caller reads it, so
// that each later command may be ErrNotExist.
func (c *Control) List(prefix string) ([]Device, error) {
	if all, ok := c.recallList(); ok {
		return slices.DeleteFunc(all,
			func(d Device) bool { return !strings.HasPrefix(d.UUID, prefix) }), nil
	}
	wantUUID := func(h *header) { h.Flags |= unix.DM_UUID_FLAG }
	req, err := c.do(cmdList, Ref{}, nil, largeBuffer, wantUUID)
	if err != nil {
		return nil, err
	}
	data, err := req.answer()
	if err != nil {
		return nil, commandError(cmdList, Ref{}, err)
	}
	all, err := decodeList(data)
	if err != nil {
		return nil, commandError(cmdList, Ref{}, err)
	}
	found, whole := []Device(nil), make([]Device, 0, len(all))
	for _, d := range all {
		if d.unknown {
			info, err := c.Info(ByName(d.Name))
			if errors.Is(err, ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			d.UUID = info.UUID
		}
		whole = append(whole, d.Device)
		if strings.HasPrefix(d.UUID, prefix) {
			found = append(found, d.Device)
		}
	}
	c.keepList(whole)
	return found, nil
}

// listed is a Device as the kernel lists it: unknown says that it has not told
// whether there is a uuid.
type listed struct {
	Device
	unknown bool
}

// Bits of nameListMore.Flags (include/uapi/linux/dm-ioctl.h,
// DM_NAME_LIST_FLAG_*).
const (
	listHasUUID = 1
	listNoUUID  = 2
)

// decodeList reads the answer of list: one nameList after the other. Where
// there is no device, the kernel answers one record with the number 0. Every
// length is checked, because a wrong one would lead out of the buffer.
func decodeList(data []byte) ([]listed, error) {
	var all []listed
	for at := 0; ; {
		b := data[at:]
		n, ok := get[nameList](b, nameListSize)
		if !ok {
			if at == 0 {
				return nil, nil
			}
			return nil, fmt.Errorf("%w: record at byte %d of %d", errMalformed, at, len(data))
		}
		if n.Dev == 0 {
			return all, nil
		}
		next := int(n.Next)
		if next != 0 && (next < nameListSize || next > len(b)) {
			return nil, fmt.Errorf("%w: record at byte %d: next is %d further",
				errMalformed, at, next)
		}
		if next != 0 {
			b = b[:next]
		}
		d := listed{Device: Device{Dev: decodeDev(n.Dev), Name: cString(b[nameListSize:])}}
		d.more(b, align(nameListSize+len(d.Name)+1))
		all = append(all, d)
		if next == 0 {
			return all, nil
		}
		at += next
	}
}

// more reads the nameListMore at a byte of the record, which may end before it.
// Linux 4.13 to 5.12 writes the event number there and leaves the rest
// (list_devices).
func (d *listed) more(b []byte, at int) {
	d.unknown = true
	if at > len(b) {
		return
	}
	m, ok := get[nameListMore](b[at:], nameListMoreSize)
	if !ok {
		return
	}
	d.EventNr = m.EventNr
	switch {
	case m.Flags&listHasUUID != 0:
		d.UUID, d.unknown = cString(b[at+nameListMoreSize:]), false
	case m.Flags&listNoUUID != 0:
		d.unknown = false
	}
}

// targetVersions lists the target types whose modules are loaded.
func (c *Control) targetVersions() ([]TargetVersion, error) {
	return c.versions(cmdListVersions, Ref{}, nil)
}

// TargetVersion asks for one target type; the kernel loads its module first. A
// type that it does not have is ErrNoTarget. The command came with version 4.41
// of the interface. An older kernel is asked for its list instead, and loads no
// module. The module is searched by the name dm-TYPE (drivers/md/dm-target.c,
// load_module): a container without the modules of the kernel that runs has
// none.
func (c *Control) TargetVersion(name string) (TargetVersion, error) {
	if len(name) >= unix.DM_MAX_TYPE_NAME || name == "" {
		return TargetVersion{}, commandError(cmdGetTargetVersion, Ref{}, ErrNoTarget)
	}
	all, err := c.versions(cmdGetTargetVersion, Ref{}, func(h *header) { copy(h.Name[:], name) })
	if errors.Is(err, unix.ENOTTY) {
		all, err = c.targetVersions()
	}
	var e *Error
	if errors.As(err, &e) {
		e.Name = name
	}
	for _, v := range all {
		if v.Name == name {
			return v, nil
		}
	}
	if err == nil {
		err = &Error{Op: opNames[cmdGetTargetVersion], Name: name, Err: ErrNoTarget}
	}
	return TargetVersion{}, err
}

// versions sends one of the two commands, whose answers have the same form.
func (c *Control) versions(cmd uint, r Ref, fill func(*header)) ([]TargetVersion, error) {
	req, err := c.do(cmd, r, nil, largeBuffer, fill)
	if err != nil {
		return nil, err
	}
	data, err := req.answer()
	if err != nil {
		return nil, commandError(cmd, r, err)
	}
	all, err := decodeVersions(data)
	return all, commandError(cmd, r, err)
}

// decodeVersions reads one targetVersions after the other. Unlike the list of
// devices, it is never empty: device-mapper registers linear, striped and error
// itself.
func decodeVersions(data []byte) ([]TargetVersion, error) {
	var all []TargetVersion
	for at := 0; ; {
		b := data[at:]
		v, ok := get[targetVersions](b, targetVersionsSize)
		if !ok {
			return nil, fmt.Errorf("%w: version at byte %d of %d", errMalformed, at, len(data))
		}
		// The name ends with NUL before the next record.
		next := int(v.Next)
		if next != 0 && (next < targetVersionsSize || next > len(b)) {
			return nil, fmt.Errorf("%w: version at byte %d: next is %d further",
				errMalformed, at, next)
		}
		version := Version{v.Version[0], v.Version[1], v.Version[2]}
		all = append(all, TargetVersion{Name: cString(b[targetVersionsSize:]), Version: version})
		if next == 0 {
			return all, nil
		}
		at += next
	}
}
