package dm

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// The meanings of device-mapper's errnos. They depend on the command: EBUSY is
// a taken name in create, and an open device in remove (drivers/md/dm-ioctl.c,
// dev_create and dev_remove). ErrNotExist, ErrExist and ErrPermission are also
// those of package io/fs.
var (
	ErrNotExist   error = &sentinel{"no such device", fs.ErrNotExist}
	ErrExist      error = &sentinel{"name or uuid is taken", fs.ErrExist}
	ErrBusy       error = &sentinel{"device is in use", nil}
	ErrPermission error = &sentinel{"only root can do that", fs.ErrPermission}
	ErrNoDriver   error = &sentinel{"kernel has no device-mapper", nil}
	ErrNoTarget   error = &sentinel{"kernel has no such target", nil}
)

// sentinel is an error that is also one of package fs. A caller may look for
// either.
type sentinel struct {
	text string
	is   error
}

func (s *sentinel) Error() string        { return s.text }
func (s *sentinel) Is(target error) bool { return s.is != nil && target == s.is }

// Error is the failure of one command on one device. errors.Is finds the errno
// and its meaning for that command, and errors.As the unix.Errno.
type Error struct {
	Op   string // "create", "table load", …
	Name string // or uuid or number, where the name is not known; "" for a command on no device
	Err  error
}

// Error is "device NAME: OP: REASON".
func (e *Error) Error() string {
	if e.Name == "" {
		return "device-mapper: " + e.Op + ": " + e.Err.Error()
	}
	return "device " + e.Name + ": " + e.Op + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// dual is an errno with its meaning. The text of a busy device is the errno's
// alone, which people know from mount(8); all others tell both.
type dual struct {
	meaning error
	errno   unix.Errno
}

func (d dual) Error() string {
	if d.meaning == ErrBusy {
		return d.errno.Error()
	}
	return d.meaning.Error() + " (" + d.errno.Error() + ")"
}

func (d dual) Unwrap() []error { return []error{d.meaning, d.errno} }

// failure is the error of a command. It names a device that was given by its
// uuid by its name: that is what a person finds below /dev/mapper. It asks the
// kernel once more for that. The command "info" is left out, since it would ask
// itself.
func (c *Control) failure(cmd uint, r Ref, err error) error {
	err = commandError(cmd, r, err)
	var e *Error
	if r.uuid == "" || cmd == cmdStatus || !errors.As(err, &e) || errors.Is(err, ErrNotExist) {
		return err
	}
	if info, infoErr := c.Info(r); infoErr == nil && info.Name != "" {
		e.Name = info.Name
	}
	return err
}

// commandError wraps an error of the kernel in an *Error, an errno with its
// meaning.
func commandError(cmd uint, r Ref, err error) error {
	if err == nil {
		return nil
	}
	var errno unix.Errno
	// Errors of this package, as ErrName or errMalformed, have no errno and
	// stay as they are.
	if errors.As(err, &errno) {
		if m := meaning(cmd, errno); m != nil {
			err = dual{m, errno}
		}
	}
	name := ""
	if r != (Ref{}) {
		name = r.String()
	}
	return &Error{Op: opNames[cmd], Name: name, Err: err}
}

// meaning is what an errno means for a command, or nil. All places named are in
// drivers/md/dm-ioctl.c.
func meaning(cmd uint, errno unix.Errno) error {
	switch errno {
	case unix.ENXIO: // find_device
		return ErrNotExist
	case unix.EACCES, unix.EPERM: // ctl_ioctl wants CAP_SYS_ADMIN in the first user namespace
		return ErrPermission
	case unix.ENOTTY: // lookup_ioctl knows no such command
		return ErrNoDriver
	// A message has its own meaning for it: the thin id is taken.
	case unix.EEXIST:
		if cmd == cmdCreate {
			return ErrExist
		}
	// dm_hash_insert has EBUSY for a name or uuid that is taken,
	// dm_lock_for_deletion for an open device.
	case unix.EBUSY:
		if cmd == cmdCreate {
			return ErrExist
		}
		return ErrBusy
	case unix.EINVAL:
		// Elsewhere EINVAL has many reasons, which the kernel tells in its
		// log alone.
		if cmd == cmdGetTargetVersion {
			return ErrNoTarget
		}
	}
	return nil
}

var opNames = map[uint]string{
	cmdList:             "list",
	cmdCreate:           "create",
	cmdRemove:           "remove",
	cmdSuspend:          "suspend",
	cmdStatus:           "info",
	cmdLoad:             "table load",
	cmdTableStatus:      "status",
	cmdListVersions:     "target versions",
	cmdMessage:          "message",
	cmdGetTargetVersion: "target version",
}
