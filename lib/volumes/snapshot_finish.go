package volumes

import (
	"context"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/mkfs"
	"thinmount/lib/mount"
)

// finishSnapshot does what is left to do with a snapshot that is new, and that
// an intent hides: it makes its filesystem larger, or replays its journal.
func finishSnapshot(
	ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume, opt SnapshotOptions,
) error {
	v.ReadOnly = false // not yet
	p, a, err := openForWrite(ctx, s, c, v)
	if err != nil {
		return err
	}
	return writeDevice(ctx, p, a, v, func() error {
		found, err := fsprobe.Probe(a, v.Size)
		if opt.GrowFS {
			return growNew(ctx, s, v, a, found, err)
		}
		if err == nil {
			replay(ctx, s, v, a, found)
		}
		return context.Cause(ctx) // replay only warns
	})
}

// growNew makes the filesystem of a new snapshot as large as its device. probed
// is the error of the probe.
func growNew(
	ctx context.Context, s *host.System, v catalog.Volume, a *engine.Activation,
	found fsprobe.Result, probed error,
) error {
	if probed == nil {
		probed = mkfs.CheckResize(found.Type, v.Size, false)
	}
	if missing, is := probed.(*mkfs.MissingError); is {
		return &fault.Error{Object: v.Spec().String(), Err: missing, Remedy: install(missing)}
	}
	if probed != nil {
		return &fault.Error{Object: v.Spec().String(),
			Err: fault.Errorf(fault.ErrUsage, "its filesystem cannot be grown: %w", probed)}
	}
	if err := conflict(s, v, a, found); err != nil {
		return err
	}
	s.Stepf("growing %s on %s", found.Type, v.Spec())
	return resizeMounted(ctx, s, a.Path, found.Type, 0)
}

// conflict returns ErrBusy if the kernel would take a btrfs for another one. It
// makes the kernel forget what had the device's number before.
func conflict(
	s *host.System, v catalog.Volume, a *engine.Activation, found fsprobe.Result,
) error {
	if found.Type != "btrfs" {
		return nil
	}
	if err := mount.BtrfsConflict(found.UUID, a.Path); err != nil {
		return &fault.Error{Object: v.Spec().String(), Err: fault.Wrap(fault.ErrBusy, err)}
	}
	if err := dm.ForgetBtrfs(a.Path); err != nil {
		s.Stepf("%v", err)
	}
	return nil
}

// journaled are filesystems that write to their device when they are mounted,
// even if read-only, after they were not unmounted.
var journaled = []string{"ext3", "ext4", "xfs", "btrfs", "f2fs"}

// replay lets the kernel replay the journal of a filesystem, as it does at a
// mount: that of a snapshot of a mounted xfs has something in it, and from a
// read-only device the kernel would not mount it.
func replay(
	ctx context.Context, s *host.System, v catalog.Volume, a *engine.Activation,
	found fsprobe.Result,
) {
	if !slices.Contains(journaled, found.Type) {
		return
	}
	err := conflict(s, v, a, found)
	if err == nil {
		err = withMount(ctx, s, a.Path, found.Type, func(string) error { return nil })
	}
	if err != nil {
		s.Warnf("%s: its journal could not be replayed, so it may have to be mounted without: %v",
			v.Spec(), err)
	}
}
