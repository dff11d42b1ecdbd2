package dm

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// Version is the version of a target type.
type Version struct{ Major, Minor, Patch uint32 }

// info sends a command that answers with the device's state.
func (c *Control) info(cmd uint, r Ref, data []byte, fill func(*header)) (Info, error) {
	req, err := c.do(cmd, r, data, smallBuffer, fill)
	if err != nil {
		return Info{}, err
	}
	return infoOf(req.header()), nil
}

// Create makes a device without a table. A name or uuid that is taken is
// ErrExist.
func (c *Control) Create(name, uuid string) (Info, error) {
	r := ByName(name)
	if uuid != "" {
		if err := checkUUID(uuid); err != nil {
			return Info{}, commandError(cmdCreate, r, err)
		}
	}
	return c.info(cmdCreate, r, nil, func(h *header) { copy(h.Uuid[:], uuid) })
}

// Info asks for the state of a device. One that is not there is ErrNotExist.
func (c *Control) Info(r Ref) (Info, error) {
	return c.info(cmdStatus, r, nil, func(h *header) { h.Flags |= unix.DM_NOFLUSH_FLAG })
}

// Remove removes a device that nobody has open; one that is open is ErrBusy.
// Deferred, an open device is marked instead, and the kernel removes it at its
// last close; the result says so. The cookie goes to udev.
func (c *Control) Remove(r Ref, deferred bool, cookie uint32) (Info, error) {
	return c.info(cmdRemove, r, nil, func(h *header) {
		h.Event_nr = cookie
		if deferred {
			h.Flags |= unix.DM_DEFERRED_REMOVE
		}
	})
}

// CancelDeferredRemove takes a deferred removal back. A device that is being
// removed already is ErrBusy or ErrNotExist.
func (c *Control) CancelDeferredRemove(r Ref) error {
	_, err := c.Message(r, 0, "@cancel_deferred_remove")
	return err
}

// Suspend freezes the filesystem on the device, waits for its I/O, and holds
// back what comes until Resume. A process that suspends a device must resume
// it; see package freeze.
func (c *Control) Suspend(r Ref) error {
	_, err := c.info(cmdSuspend, r, nil, func(h *header) { h.Flags |= unix.DM_SUSPEND_FLAG })
	return err
}

// Resume makes a loaded table live, if there is one, and lets I/O go on. A
// device that is not suspended is left as it is. f are the flags for udev that
// the device was made with: with those of an ordinary change, udev would probe
// it and give it links under /dev/disk. A device that runs and has a table
// loaded is suspended, gets its table and is resumed in this one call, which a
// signal either undoes or does not stop. One whose new table the kernel refuses
// at the last moment stays suspended. It is no error that another process
// resumes the device in the same moment.
func (c *Control) Resume(r Ref, f CookieFlags) (Info, error) {
	info, err := c.resume(r, f.cookie())
	if !errors.Is(err, unix.EINVAL) {
		return info, err
	}
	// Of two that resume at once, the second is told EINVAL, as is one whose
	// table is refused (drivers/md/dm.c, dm_resume).
	now, e := c.Info(r)
	if e == nil && now.Active() && !now.Suspended() && !now.hasInactive() {
		return now, nil
	}
	return info, err
}

func (c *Control) resume(r Ref, cookie uint32) (Info, error) {
	return c.info(cmdSuspend, r, nil, func(h *header) { h.Event_nr = cookie })
}

// Message sends a message to the target at a sector of the device, and returns
// what the target answers, usually nothing.
func (c *Control) Message(r Ref, sector Sectors, msg string) (string, error) {
	if strings.ContainsRune(msg, 0) {
		return "", commandError(cmdMessage, r, unix.EINVAL)
	}
	req, err := c.do(cmdMessage, r, encodeMessage(sector, msg), largeBuffer, nil)
	if err != nil || req.header().Flags&unix.DM_DATA_OUT_FLAG == 0 {
		return "", err
	}
	data, err := req.answer()
	if err != nil {
		return "", commandError(cmdMessage, r, err)
	}
	return cString(data), nil
}
