package dm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ActivateOptions say how Activate makes a device. The zero value makes an
// ordinary one, that udev probes and links under /dev/disk.
type ActivateOptions struct {
	ReadOnly bool
	Cookie   CookieFlags // what udev is to do with the device; Activate adds PrimarySource
}

// ForeignError says that a name is taken by a device with another uuid. It is
// ErrExist.
type ForeignError struct{ Name, UUID string }

// Error names the device, and the uuid that it has.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("device %s: a device of that name has the uuid %q", e.Name, e.UUID)
}

// Is makes it ErrExist.
func (e *ForeignError) Is(target error) bool { return target == ErrExist }

// Activate creates a device with a table. When it returns, /dev/mapper/NAME
// leads to the device; on error nothing of it is left. A killed Activate leaves
// a device without a table: one of the same name and uuid is taken over. One
// with a table is ErrExist. The end of ctx ends the wait for udev, not the
// activation: the node is made here then.
//
// The caller holds a lock against others who make or remove a device of that
// name: two calls at the same time could take over each other's device. A thin
// device costs an RCU grace period at its load, some milliseconds
// (drivers/md/dm-thin.c, thin_ctr). Calls for different devices share it if
// they run side by side.
func (c *Control) Activate(
	ctx context.Context, name, uuid string, t []Target, o ActivateOptions,
) (Info, error) {
	if err := c.createOrAdopt(name, uuid); err != nil {
		return Info{}, err
	}
	info, err := c.start(ctx, ByName(name), t, o)
	if err != nil {
		// Without this a device without a table would keep the name and the
		// uuid.
		_, undo := c.Remove(ByName(name), false, o.Cookie.cookie())
		// Another process may have removed it, as one does that cleans up after
		// killed commands.
		if errors.Is(undo, ErrNotExist) {
			undo = nil
		}
		return Info{}, errors.Join(err, undo, c.dropNode(name))
	}
	return info, nil
}

// createOrAdopt creates the device, or takes over what a killed Activate left.
// A table that it had loaded is no obstacle, since the next load drops it
// (drivers/md/dm-ioctl.c, table_load).
func (c *Control) createOrAdopt(name, uuid string) error {
	_, err := c.Create(name, uuid)
	if !errors.Is(err, ErrExist) {
		return err
	}
	info, e := c.Info(ByName(name))
	switch {
	case e == nil && info.UUID != uuid:
		return &ForeignError{Name: name, UUID: info.UUID}
	// It has no live table, so nothing can have been read or written through
	// it.
	case e == nil && !info.Active():
		return nil
	}
	return err
}

// start loads the table, makes it live, and sees to the node. udev gets the
// cookie with the event of the resume. Where udev is late or stopped, the node
// is made here.
//
// /dev/dm-N is there from the load on (drivers/md/dm.c, dm_setup_md_queue adds
// the disk), but has no sectors until the resume (__bind). The event of the
// disk has no cookie, and udev's rules wait for the one that has.
func (c *Control) start(
	ctx context.Context, r Ref, t []Target, o ActivateOptions,
) (info Info, err error) {
	if err = c.Load(r, t, o.ReadOnly); err != nil {
		return info, err
	}
	resume := func(cookie uint32) (bool, error) {
		info, err = c.resume(r, cookie)
		return info.Flags&unix.DM_UEVENT_GENERATED_FLAG != 0, err
	}
	// Without udev the event goes to nobody, and the node is made here in any
	// case.
	if !c.nodes.udev {
		if _, err = resume(o.Cookie.cookie()); err == nil {
			err = c.nodes.make(info.Name, info.Dev)
		}
		return info, err
	}
	settled := func() bool { return nodeIs(c.NodePath(info.Name), info.Dev) }
	err = notified(ctx, o.Cookie, resume, settled)
	if errors.Is(err, errUdev) { // udev finds its link made when it gets there
		err = c.nodes.make(info.Name, info.Dev)
	}
	return info, err
}

// Deactivate removes a device and its node. While the device is open it waits:
// udev opens each new device for milliseconds, to probe it. When ctx ends
// first, the error is ErrBusy. Without such a device it returns nil. The caller
// holds the same lock as for Activate, or a new device of that name would lose
// its node.
func (c *Control) Deactivate(ctx context.Context, r Ref) error {
	info, err := c.Info(r)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// The kernel has no call that waits for the last close of a device: it
	// answers EBUSY at once (drivers/md/dm.c, dm_lock_for_deletion).
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := c.removeOnce(ctx, r, info.Name)
		if errors.Is(err, ErrNotExist) {
			err = nil
		}
		if !errors.Is(err, ErrBusy) {
			return errors.Join(err, c.dropNode(info.Name))
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// removeOnce removes the device, and waits until udev has removed its name. A
// device that is open is ErrBusy at once.
func (c *Control) removeOnce(ctx context.Context, r Ref, name string) error {
	if !c.nodes.udev {
		_, err := c.Remove(r, false, PrimarySource.cookie())
		return err
	}
	err := notified(ctx, PrimarySource, func(cookie uint32) (bool, error) {
		info, err := c.Remove(r, false, cookie)
		return info.Flags&unix.DM_UEVENT_GENERATED_FLAG != 0, err
	}, func() bool { return !lies(c.NodePath(name)) })
	if errors.Is(err, errUdev) {
		return nil // the device is gone; its name is what WaitGone waits for
	}
	return err
}

// RemoveDeferred makes the kernel remove the device at its last close, or at
// once if it is not open. Without such a device it returns nil. The mark
// belongs to the device and not to a descriptor, so that it outlives this
// process (drivers/md/dm.c, DMF_DEFERRED_REMOVE). The kernel has it since 4.27
// of the interface (Linux 3.13).
func (c *Control) RemoveDeferred(r Ref) error {
	_, err := c.Remove(r, true, PrimarySource.cookie())
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	return err
}

// WaitGone waits until a device is gone, and then until its node is. A deferred
// removal happens in the kernel, in a work item of its own that begins after
// the last close (drivers/md/dm.c, do_deferred_remove): the device is still
// there when umount(2) has returned. The kernel leaves the node to udev; where
// no udev runs, the node is removed here. When ctx ends first, the error is
// ErrBusy.
func (c *Control) WaitGone(ctx context.Context, r Ref, name string) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		info, err := c.Info(r)
		if errors.Is(err, ErrNotExist) && c.nodeGone(name) {
			return nil
		}
		if err != nil && !errors.Is(err, ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			if err != nil { // the device is gone, and udev has not removed its name
				return c.nodes.remove(name)
			}
			busy := fmt.Errorf("%w: opened %d times", dual{ErrBusy, unix.EBUSY}, info.OpenCount)
			return &Error{Op: "remove", Name: name, Err: busy}
		case <-time.After(pause):
			c.Forget()
		}
	}
}

// WaitNodeGone is WaitGone for a caller that has just found that there is no
// such device.
func (c *Control) WaitNodeGone(ctx context.Context, r Ref, name string) error {
	if c.nodeGone(name) {
		return nil
	}
	return c.WaitGone(ctx, r, name)
}

// nodeGone removes the node where no udev does, and reports whether there is
// none any more.
func (c *Control) nodeGone(name string) bool {
	return c.dropNode(name) == nil && !lies(c.NodePath(name))
}

// dropNode removes the node of a device that is gone, where no udev does.
func (c *Control) dropNode(name string) error {
	if c.nodes.udev {
		return nil
	}
	return c.nodes.remove(name)
}
