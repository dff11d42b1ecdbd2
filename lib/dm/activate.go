package dm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ActivateOptions are the choices of Activate.
type ActivateOptions struct {
	ReadOnly bool
	Cookie   CookieFlags // what udev is to do with the device; PrimarySource is implied
}

// ForeignError says that a name is taken by a device with another uuid. It is
// ErrExist.
type ForeignError struct{ Name, UUID string }

// Error implements error.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("device %s: a device of that name has the uuid %q", e.Name, e.UUID)
}

// Is makes it ErrExist.
func (e *ForeignError) Is(target error) bool { return target == ErrExist }

// Activate makes a device with a table. When it returns, the device may be used
// by /dev/mapper/NAME; on error nothing of it is left. A device of that uuid
// that has no table, as a killed Activate leaves it, is taken over; one that has
// is ErrExist.
func (c *Control) Activate(ctx context.Context, name, uuid string, t []Target, o ActivateOptions) (Info, error) {
	if err := c.createOrAdopt(name, uuid); err != nil {
		return Info{}, err
	}
	info, err := c.start(ctx, ByName(name), t, o)
	if err != nil {
		_, undo := c.Remove(ByName(name), false, o.Cookie.cookie())
		if errors.Is(undo, ErrNotExist) {
			undo = nil
		}
		return Info{}, errors.Join(err, undo, c.dropNode(name))
	}
	return info, nil
}

// createOrAdopt creates the device or finds it as a killed Activate left it.
func (c *Control) createOrAdopt(name, uuid string) error {
	_, err := c.Create(name, uuid)
	if !errors.Is(err, ErrExist) {
		return err
	}
	info, e := c.Info(ByName(name))
	switch {
	case e == nil && info.UUID != uuid:
		return &ForeignError{Name: name, UUID: info.UUID}
	case e == nil && !info.Active():
		return nil
	}
	return err
}

// start loads the table, makes it live, and sees to the node. Udev is told by
// the cookie of the resume; where it is late, or stopped, we make the node.
func (c *Control) start(ctx context.Context, r Ref, t []Target, o ActivateOptions) (info Info, err error) {
	if err = c.Load(r, t, o.ReadOnly); err != nil {
		return info, err
	}
	resume := func(cookie uint32) (bool, error) {
		info, err = c.resume(r, cookie)
		return info.Flags&unix.DM_UEVENT_GENERATED_FLAG != 0, err
	}
	if !c.nodes.udev {
		if _, err = resume(o.Cookie.cookie()); err == nil {
			err = c.nodes.make(info.Name, info.Dev)
		}
		return info, err
	}
	err = notified(ctx, o.Cookie, resume, func() bool { return nodeIs(c.NodePath(info.Name), info.Dev) })
	if errors.Is(err, errUdev) { // it will find its link made, when it comes to that
		err = c.nodes.make(info.Name, info.Dev)
	}
	return info, err
}

// Deactivate removes a device and its node, waiting as long as ctx for whoever
// has it open (udev's probing does, for moments); then the error is ErrBusy.
// A device that is not there is no error.
func (c *Control) Deactivate(ctx context.Context, r Ref) error {
	info, err := c.Info(r)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
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
		return nil // the device is gone; WaitGone looks after the name
	}
	return err
}

// RemoveDeferred has the kernel remove the device at its last close, or at once
// if nobody has it open. A device that is not there is no error.
func (c *Control) RemoveDeferred(r Ref) error {
	_, err := c.Remove(r, true, PrimarySource.cookie())
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	return err
}

// WaitGone waits until a device that is being removed, by whomever, is gone,
// and then until its node is: the kernel's own removal leaves that to udev, or
// to us. When ctx ends, the error is ErrBusy.
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
			if err != nil { // gone, and udev asleep: nobody else will remove its name
				return c.nodes.remove(name)
			}
			return &Error{Op: "remove", Name: name, Err: fmt.Errorf("%w: opened %d times", dual{ErrBusy, unix.EBUSY}, info.OpenCount)}
		case <-time.After(pause):
		}
	}
}

// nodeGone removes the node where that is ours to do, and tells whether it is
// gone.
func (c *Control) nodeGone(name string) bool {
	return c.dropNode(name) == nil && !lies(c.NodePath(name))
}

// dropNode removes the node of a device that is gone, where udev does not.
func (c *Control) dropNode(name string) error {
	if c.nodes.udev {
		return nil
	}
	return c.nodes.remove(name)
}
