package mounting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/kmsg"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/thinpool"
)

// flushing makes sure that the last unmount reports every lost write. It writes
// out what is dirty while the volume can still stay mounted, and looks for
// errors that the kernel met earlier. umount2(2) itself reports no write error.
type flushing struct {
	*unmounting
	v      catalog.Volume
	object string // POOL/VOLUME
	top    *mountinfo.Info
	device string    // the kernel's name of the volume's device, for example dm-3
	since  time.Time // when the volume was mounted, or earlier; zero if not known
	done   bool
}

func (u *unmounting) flushing(
	v catalog.Volume, dev dm.DevNo, top *mountinfo.Info, since time.Time,
) *flushing {
	return &flushing{unmounting: u, v: v, object: v.Spec().String(), top: top, since: since,
		device: fmt.Sprintf("dm-%d", dev.Minor)}
}

// before flushes once, and is called before each attempt to unmount. If the
// mount is in use it returns EBUSY and does not flush: a process that keeps
// writing could make the flush last for ever. For a forced or lazy unmount a
// failure of the flush is a warning, unless ctx has ended.
func (f *flushing) before(ctx context.Context) error {
	if f.done {
		return nil
	}
	if !f.request.Lazy && !f.request.Force {
		if err := mount.Unmount(
			f.dir, mount.UnmountOptions{NoFollow: true, Look: true},
		); errors.Is(err, unix.EBUSY) {
			return err
		}
	}
	f.done = true
	err := f.flush(ctx)
	if err == nil || !f.request.Lazy && !f.request.Force {
		return err
	}
	if ctx.Err() != nil {
		return err
	}
	f.Warnf("%v", err)
	return nil
}

// flush writes out what is dirty, and returns an error if writes were lost. It
// does not look whether the mount is in use.
func (f *flushing) flush(ctx context.Context) error {
	if f.mayWait != "" && (f.request.Force || f.request.Lazy && f.status().Queues()) {
		f.Stepf("%s: what is dirty is not written out first: it might wait for room in pool %s",
			f.object, f.mayWait)
		return nil
	}
	root, err := mount.OpenRoot(f.dir, f.top.ID)
	if err != nil {
		f.Warnf("%s: what is dirty is written out by the unmount itself, which tells no errors: %v",
			f.object, err)
		return nil
	}
	what := fault.Sayf("what is dirty in %s to be written", f.dir)
	if f.mayWait != "" {
		what = lastWrites(f.mayWait)
	}
	defer f.WaitingFor(what)()
	lost, err := health.SyncApart(ctx, root, func() error { return f.looksFull() })
	root.Close() // an open folder keeps the mount busy
	if ctx.Err() != nil {
		return f.unfinished(ctx)
	}
	if err != nil {
		f.Warnf("%s: what is dirty is written out by the unmount itself, which tells no errors: %v",
			f.object, err)
		return nil
	}
	return f.judge(lost)
}

// lastWrites says what an unmount waits for in a pool that may have to grow
// first.
func lastWrites(pool string) fault.Message {
	return fault.Sayf("the last writes, for which pool %s needs room: %v", pool,
		fault.ShowPool{Pool: pool})
}

// looksFull returns an error if a lazy unmount would wait for room in the pool.
// A lazy unmount is to wait for nothing.
func (f *flushing) looksFull() error {
	if f.request.Lazy && f.status().Queues() {
		return fmt.Errorf("pool %s is out of data space", f.v.Pool)
	}
	return nil
}

// unfinished returns the error of a flush that was interrupted or that lasted
// past the deadline.
func (f *flushing) unfinished(ctx context.Context) error {
	kind := fault.ErrPoolState
	if errors.Is(ctx.Err(), context.Canceled) {
		kind = fault.ErrInterrupt
	}
	if f.status().Queues() {
		return &fault.Error{Object: f.object,
			Err: fault.Errorf(kind,
				"stays mounted: its last writes wait for room in pool %s, which is full", f.v.Pool),
			Remedy: fault.Sayf("%v; umount -l %s detaches it now", health.RoomRemedy(f.v.Pool),
				fault.ShellPath(f.dir))}
	}
	return &fault.Error{Object: f.object,
		Err:    fault.Errorf(kind, "stays mounted: its last writes are still under way"),
		Remedy: fault.ShowPool{Pool: f.v.Pool}}
}

// judge decides whether writes were lost. lost is the error of the flush. If it
// is nil, judge looks in the kernel's log for errors since the volume was
// mounted, in these cases:
//
//   - The pool is out of data space now. The kernel reports a write error once:
//     fsync(2) or an earlier attempt to unmount may have got it, and then the
//     flush does not.
//   - The unmount is forced or lazy: it goes on in any case.
//   - The filesystem has turned itself read-only: it may have given blocks
//     back, so that the pool is no longer full.
func (f *flushing) judge(lost error) error {
	st, forced := f.status(), f.request.Lazy || f.request.Force
	if lost == nil && !forced && !st.OutOfData() && !gaveUp(f.top) {
		return nil
	}
	logged, known := health.LostSince(f.device, f.since)
	if lost == nil && len(logged) == 0 {
		if !known && st.OutOfData() {
			f.Warnf("%s: pool %s is out of data space: what was written last may be lost",
				f.object, f.v.Pool)
		}
		return nil
	}
	why, remedy := health.WhyLost(f.v.Pool, st, lost)
	if forced {
		return &fault.Error{Object: f.object,
			Err: fault.Errorf(fault.ErrPoolState, "writes were lost: %s", why)}
	}
	return &fault.Error{Object: f.object,
		Err: fault.Errorf(fault.ErrPoolState, "writes were lost: %s; it stays mounted on %s", why,
			f.dir),
		Remedy: fault.Sayf(
			"%v; umount -f %s unmounts it as it is; then mount it again, and write again what is "+
				"missing",
			remedy, fault.ShellPath(f.dir))}
}

// gaveUp says whether a filesystem has turned itself read-only, as it does
// after an error: then the superblock is read-only and the mount is not
// (fs/btrfs/messages.c, fs/ext4/super.c).
func gaveUp(m *mountinfo.Info) bool {
	return hasOption(m.VFSOptions, "ro") && hasOption(m.Options, "rw")
}

func hasOption(list, option string) bool {
	return slices.Contains(strings.Split(list, ","), option)
}

// watched unmounts by calling do. late says that writes failed during the
// unmount: those that the filesystem itself makes at its end.
func (f *flushing) watched(do func() error) (late, err error) {
	log := kmsg.Begin()
	defer log.Close()
	if err := do(); err != nil {
		return nil, err
	}
	lost := health.LostWrites(log.Messages(f.device), f.device)
	if len(lost) == 0 {
		return nil, nil
	}
	why, remedy := health.WhyLost(f.v.Pool, f.status(), nil)
	return &fault.Error{Object: f.object,
		Err: fault.Errorf(fault.ErrPoolState,
			"is unmounted, and its last writes were lost: %s (kernel: %s)", why, lost[0]),
		Remedy: remedy}, nil
}

// status returns the pool's status. If the pool cannot be asked, the status is
// that of a writable pool.
func (f *flushing) status() thinpool.Status {
	st, err := health.PoolStatus(f.c, f.v.PoolUUID)
	if err != nil {
		return thinpool.Status{Mode: thinpool.ModeRW}
	}
	return st
}
