package dm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Device is an entry of List.
type Device struct {
	Name, UUID string
	Dev        DevNo
	EventNr    uint32
}

// List returns the devices whose uuid begins with prefix; "" is all of them.
func (c *Control) List(prefix string) ([]Device, error) {
	req, err := c.do(cmdList, Ref{}, nil, largeBuffer, func(h *header) { h.Flags |= unix.DM_UUID_FLAG })
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
	var found []Device
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
		if strings.HasPrefix(d.UUID, prefix) {
			found = append(found, d.Device)
		}
	}
	return found, nil
}

// listed is a Device whose uuid the kernel has told, or not (before 4.43 of the
// interface).
type listed struct {
	Device
	unknown bool
}

// Bits of the word behind an event number (kernel: DM_NAME_LIST_FLAG_*).
const (
	listHasUUID = 1
	listNoUUID  = 2
)

// decodeList reads struct dm_name_list: number, distance to the next record,
// name; then, at a multiple of 8 bytes from the record, the event number and
// flags, and after those the uuid.
func decodeList(data []byte) ([]listed, error) {
	var all []listed
	for at := 0; ; {
		if at+12 > len(data) {
			if at == 0 {
				return nil, nil
			}
			return nil, fmt.Errorf("%w: record at byte %d of %d", errMalformed, at, len(data))
		}
		b, ne := data[at:], binary.NativeEndian
		dev, next := ne.Uint64(b), int(ne.Uint32(b[8:]))
		if dev == 0 {
			return all, nil
		}
		if next != 0 && (next < 12 || next > len(b)) {
			return nil, fmt.Errorf("%w: record at byte %d: next is %d further", errMalformed, at, next)
		}
		if next != 0 {
			b = b[:next]
		}
		d := listed{Device: Device{Dev: decodeDev(dev), Name: cString(b[12:])}}
		d.more(b, (12+len(d.Name)+1+7)&^7)
		all = append(all, d)
		if next == 0 {
			return all, nil
		}
		at += next
	}
}

// more reads what stands behind the name.
func (d *listed) more(b []byte, at int) {
	d.unknown = true
	if at+8 > len(b) {
		return
	}
	d.EventNr = binary.NativeEndian.Uint32(b[at:])
	switch flags := binary.NativeEndian.Uint32(b[at+4:]); {
	case flags&listHasUUID != 0:
		d.UUID, d.unknown = cString(b[at+8:]), false
	case flags&listNoUUID != 0:
		d.unknown = false
	}
}

// TargetVersion is the version of a target type.
type TargetVersion struct {
	Name string
	Version
}

// targetVersions lists the target types that the kernel has loaded.
func (c *Control) targetVersions() ([]TargetVersion, error) {
	return c.versions(cmdListVersions, Ref{}, nil)
}

// TargetVersion asks for one target type; the kernel loads its module first. A
// type that it does not have is ErrNoTarget.
func (c *Control) TargetVersion(name string) (TargetVersion, error) {
	if len(name) > 15 || name == "" {
		return TargetVersion{}, commandError(cmdGetTargetVersion, Ref{}, ErrNoTarget)
	}
	all, err := c.versions(cmdGetTargetVersion, Ref{}, func(h *header) { copy(h.Name[:], name) })
	if errors.Is(err, unix.ENOTTY) { // the command is of 4.41
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

// decodeVersions reads struct dm_target_versions: distance to the next, three
// numbers, name.
func decodeVersions(data []byte) ([]TargetVersion, error) {
	var all []TargetVersion
	for at := 0; ; {
		if at+16 > len(data) {
			return nil, fmt.Errorf("%w: version at byte %d of %d", errMalformed, at, len(data))
		}
		b, ne := data[at:], binary.NativeEndian
		next := int(ne.Uint32(b))
		if next != 0 && (next < 16 || next > len(b)) {
			return nil, fmt.Errorf("%w: version at byte %d: next is %d further", errMalformed, at, next)
		}
		all = append(all, TargetVersion{Name: cString(b[16:]), Version: Version{ne.Uint32(b[4:]), ne.Uint32(b[8:]), ne.Uint32(b[12:])}})
		if next == 0 {
			return all, nil
		}
		at += next
	}
}
