package dm

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// Version is the version of a target type: by its minor number a target tells
// what it has learnt.
type Version struct{ Major, Minor, Patch uint32 }

// TargetVersion is a target type that the kernel has.
type TargetVersion struct {
	Name string // "thin-pool", …
	Version
}

// info sends a command whose answer is the device's state.
func (c *Control) info(cmd uint, r Ref, data []byte, fill func(*header)) (Info, error) {
	req, err := c.do(cmd, r, data, smallBuffer, fill)
	if err != nil {
		return Info{}, err
	}
	return infoOf(req.header()), nil
}

// Create makes a device without a table: I/O to it fails until Load and Resume.
// uuid may be "". A name or uuid that is taken is ErrExist, one that is not
// possible is ErrName. The kernel never gives a device another uuid
// (drivers/md/dm-ioctl.c, dm_hash_insert), and has no two devices of one uuid.
// The device gets its number here, the lowest that is free (drivers/md/dm.c,
// next_free_minor), and /dev/dm-N with its first table.
func (c *Control) Create(name, uuid string) (Info, error) {
	r := ByName(name)
	if uuid != "" {
		if err := checkUUID(uuid); err != nil {
			return Info{}, commandError(cmdCreate, r, err)
		}
	}
	return c.info(cmdCreate, r, nil, func(h *header) { copy(h.Uuid[:], uuid) })
}

// Info asks for the state of a device. Without such a device the error is
// ErrNotExist.
func (c *Control) Info(r Ref) (Info, error) {
	if k, ok, gone := c.recall(r); ok {
		return k.info, nil
	} else if gone {
		return Info{}, commandError(cmdStatus, r, unix.ENXIO)
	}
	info, err := c.info(cmdStatus, r, nil, func(h *header) { h.Flags |= unix.DM_NOFLUSH_FLAG })
	if err == nil {
		c.keep(info, nil, nil)
	}
	return info, err
}

// Remove removes a device. One that is open is ErrBusy, unless deferred is set:
// then the kernel marks it (Info.DeferredRemove) and removes it at its last
// close. Until then others can still open it (drivers/md/dm.c, dm_blk_open).
// cookie goes to udev with the event: CookieFlags in its upper half, the key of
// a semaphore in its lower. 0 tells udev nothing.
//
// A removal takes long: the kernel waits until nobody uses the table
// (drivers/md/dm.c, __dm_destroy), and a thin target waits for an RCU grace
// period (drivers/md/dm-thin.c, thin_dtr). Together that is tens of
// milliseconds, which removals side by side share.
func (c *Control) Remove(r Ref, deferred bool, cookie uint32) (Info, error) {
	return c.info(cmdRemove, r, nil, func(h *header) {
		h.Event_nr = cookie
		if deferred {
			h.Flags |= unix.DM_DEFERRED_REMOVE
		}
	})
}

// CancelDeferredRemove takes a deferred removal back. A device that is being
// removed at this moment is ErrBusy, and ErrNotExist a moment later. A message
// that begins with @ is device-mapper's own, and reaches no target
// (drivers/md/dm-ioctl.c, message_for_md).
func (c *Control) CancelDeferredRemove(r Ref) error {
	_, err := c.Message(r, 0, "@cancel_deferred_remove")
	return err
}

// Suspend freezes the filesystem on the device, waits for the I/O that is under
// way, and holds back all further I/O until Resume (drivers/md/dm.c,
// dm_suspend). The process that suspends a device must resume it, whatever
// happens: package freeze does that. A filesystem that is frozen already is
// ErrBusy.
//
// A thin device in a pool that is out of data and queues writes has such writes
// under way, and the suspend waits for them. It does not hand them back, as a
// suspend with DM_NOFLUSH_FLAG would (drivers/md/dm-thin.c, thin_presuspend).
func (c *Control) Suspend(r Ref) error {
	_, err := c.info(cmdSuspend, r, nil, func(h *header) { h.Flags |= unix.DM_SUSPEND_FLAG })
	return err
}

// Resume makes a loaded table live, if there is one, and lets I/O go on. A
// device that runs and has no table loaded is left as it is. f are the flags
// for udev that the device was made with: without them udev would probe it, and
// link it under /dev/disk.
//
// A device that runs and has a table loaded is suspended, gets its table and is
// resumed in this one call (drivers/md/dm-ioctl.c, do_resume). A signal either
// undoes all of it or does not stop it. If the kernel refuses the table at the
// last moment, the device stays suspended. If another process resumes the
// device at the same moment, both succeed.
func (c *Control) Resume(r Ref, f CookieFlags) (Info, error) {
	return c.resumed(r, func() (Info, error) { return c.resume(r, f.cookie()) })
}

// Swap makes a loaded table live, as Resume does, in a device whose filesystem
// need not stand still for it: the kernel waits for the I/O that is under way,
// and does not make the filesystem write out what is dirty.
func (c *Control) Swap(r Ref, f CookieFlags) (Info, error) {
	return c.resumed(r, func() (Info, error) {
		return c.info(cmdSuspend, r, nil, func(h *header) {
			h.Event_nr, h.Flags = f.cookie(), h.Flags|unix.DM_SKIP_LOCKFS_FLAG
		})
	})
}

// resumed calls send, which resumes a device, and passes over an error that
// another process has caused, which has resumed the device.
func (c *Control) resumed(r Ref, send func() (Info, error)) (Info, error) {
	info, err := send()
	if !errors.Is(err, unix.EINVAL) {
		return info, err
	}
	// Two reasons give EINVAL (drivers/md/dm.c, dm_resume): another process has
	// resumed the device meanwhile, or the table was refused. The device's
	// state tells them apart.
	now, e := c.Info(r)
	if e == nil && now.Active() && !now.Suspended() && !now.hasInactive() {
		return now, nil
	}
	return info, err
}

// resume sends the command of Resume once. The cookie counts only if the device
// was suspended or has a table loaded: else there is no event
// (drivers/md/dm-ioctl.c, do_resume).
func (c *Control) resume(r Ref, cookie uint32) (Info, error) {
	return c.info(cmdSuspend, r, nil, func(h *header) { h.Event_nr = cookie })
}

// Message sends a message to the target at a sector of the device, and returns
// what the target answers, usually "". The errors are the target's, so that
// EEXIST and EBUSY keep their meaning for it: errors.Is finds the errno. A
// target that runs no messages gives EINVAL.
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
