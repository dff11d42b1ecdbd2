package mounting

import (
	"errors"

	"thinmount/lib/catalog"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
)

// remount changes the options of a mounted volume. It counts no reference. The
// caller holds the volume's lock.
func (m *mounting) remount(rec refcount.Record, v catalog.Volume) error {
	object := v.Spec().String()
	if rec.References == 0 || rec.MountedOn != m.dir {
		return &fault.Error{Object: object,
			Err:    fault.Errorf(fault.ErrNotFound, "not mounted on %s", m.dir),
			Remedy: fault.Mount{Volume: v.Spec(), Path: m.dir}}
	}
	if !m.options.ReadOnly {
		if err := m.checkPoolStateForRemount(v); err != nil {
			return err
		}
	}
	switch err := mount.Remount(m.dir, rec.MountID, m.options); {
	case errors.Is(err, mount.ErrMoved):
		return &fault.Error{Object: object, Err: fault.Wrap(fault.ErrBusy, err),
			Remedy: fault.Hint("findmnt shows what is mounted there by now")}
	case err != nil:
		return &fault.Error{Object: object, Err: err}
	}
	m.warnOfDiscard(object, rec)
	return nil
}

// checkPoolStateForRemount refuses to make a mount writable if the pool is
// read-only, or if writes to it would wait for room.
func (m *mounting) checkPoolStateForRemount(v catalog.Volume) error {
	p := &engine.Pool{Sys: m.System, DM: m.c, Catalog: m.cat}
	st, err := health.PoolStatus(m.c, v.PoolUUID)
	if err != nil {
		return p.Wrap(fault.Wrap(fault.ErrPoolState, err))
	}
	if st.Writable() != nil || st.Queues() {
		return p.InState(st)
	}
	return nil
}

// warnOfDiscard warns if a remount did not change whether the filesystem
// discards. xfs accepts the option and ignores it (fs/xfs/xfs_super.c,
// xfs_fs_reconfigure).
func (m *mounting) warnOfDiscard(object string, rec refcount.Record) {
	table, err := m.mounts.Now()
	if err != nil {
		return
	}
	if at := table.ByID(rec.MountID); at != nil && m.options.DiscardDiffers(at) {
		m.Warnf("%s: %s changes discard at a mount only: unmount it, and mount it with the option",
			object, at.FSType)
	}
}
