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
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/kmsg"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/thinpool"
)

// flushing is what the last unmount does so that no write is lost without a
// word: it writes out what is dirty while the volume can still be kept, and asks
// for errors that were met before. umount2(2) itself returns no error of a write.
type flushing struct {
	*unmounting
	v      catalog.Volume
	top    *mountinfo.Info
	device string    // the kernel's name for the volume's device, as dm-3
	since  time.Time // when the volume was mounted, or before; zero if that is not known
	done   bool
}

func (u *unmounting) flushing(v catalog.Volume, top *mountinfo.Info, since time.Time) *flushing {
	minor := uint32(top.Minor) // on btrfs, the mount table has another number
	if info, err := u.c.Info(dmname.VolumeRef(v.PoolUUID, v.ID)); err == nil {
		minor = info.Dev.Minor
	}
	return &flushing{unmounting: u, v: v, top: top, since: since, device: fmt.Sprintf("dm-%d", minor)}
}

// before is called before each attempt to unmount. EBUSY says that the mount is
// in use: to write out what somebody keeps writing may take for ever.
func (f *flushing) before(ctx context.Context) error {
	if f.done {
		return nil
	}
	if !f.request.Lazy && !f.request.Force {
		if err := mount.Unmount(f.dir, mount.UnmountOptions{NoFollow: true, Look: true}); errors.Is(err, unix.EBUSY) {
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

// flush is before without the looking for who is there.
func (f *flushing) flush(ctx context.Context) error {
	if f.mayWait != "" && (f.request.Force || f.request.Lazy && f.status().Queues()) {
		f.Stepf("%s: what is dirty is not written out first: it might wait for room in pool %s", f.object(), f.mayWait)
		return nil
	}
	root, err := mount.OpenRoot(f.dir, f.top.ID)
	if err != nil {
		f.Warnf("%s: what is dirty is written out by the unmount itself, which tells no errors: %v", f.object(), err)
		return nil
	}
	what := fault.Sayf("what is dirty in %s to be written", f.dir)
	if f.mayWait != "" {
		what = lastWrites(f.mayWait)
	}
	defer f.WaitingFor(what)()
	lost, err := health.SyncApart(ctx, root, func() error { return f.looksFull() })
	root.Close() // it would keep the mount busy
	if ctx.Err() != nil {
		return f.unfinished(ctx)
	}
	if err != nil {
		f.Warnf("%s: what is dirty is written out by the unmount itself, which tells no errors: %v", f.object(), err)
		return nil
	}
	return f.judge(lost)
}

// lastWrites are what an unmount waits for in a pool that may have to grow first.
func lastWrites(pool string) fault.Message {
	return fault.Sayf("the last writes, for which pool %s needs room: %v", pool, fault.ShowPool{Pool: pool})
}

// looksFull ends the wait of a lazy unmount, which is to wait for nothing.
func (f *flushing) looksFull() error {
	if f.request.Lazy && f.status().Queues() {
		return fmt.Errorf("pool %s is out of data space", f.v.Pool)
	}
	return nil
}

// unfinished is the error of a flush that somebody is tired of waiting for.
func (f *flushing) unfinished(ctx context.Context) error {
	kind := fault.ErrPoolState
	if errors.Is(ctx.Err(), context.Canceled) {
		kind = fault.ErrInterrupt
	}
	if f.status().Queues() {
		return &fault.Error{Object: f.object(), Err: fault.Errorf(kind, "stays mounted: its last writes wait for room in pool %s, which is full", f.v.Pool),
			Remedy: fault.Sayf("%v; umount -l %s detaches it now", health.RoomRemedy(f.v.Pool), fault.ShellPath(f.dir))}
	}
	return &fault.Error{Object: f.object(), Err: fault.Errorf(kind, "stays mounted: its last writes are still under way"), Remedy: fault.ShowPool{Pool: f.v.Pool}}
}

// judge decides by the error of the flush, and by what the kernel has logged since
// the volume was mounted, whether writes were lost. That matters where the pool is
// full now: an error that somebody was told before, by fsync(2) or a first
// attempt to unmount, is not told to us again. A forced or lazy unmount, which
// ends in any case, asks the log whatever the pool's state is now, and so does that
// of a filesystem that has given up: it may have given its blocks back.
func (f *flushing) judge(lost error) error {
	st, forced := f.status(), f.request.Lazy || f.request.Force
	if lost == nil && !forced && !st.OutOfData() && !gaveUp(f.top) {
		return nil
	}
	logged, known := health.LostSince(f.device, f.since)
	if lost == nil && len(logged) == 0 {
		if !known && st.OutOfData() {
			f.Warnf("%s: pool %s is out of data space: what was written last may be lost", f.object(), f.v.Pool)
		}
		return nil
	}
	why, remedy := health.WhyLost(f.v.Pool, st, lost)
	if forced {
		return &fault.Error{Object: f.object(), Err: fault.Errorf(fault.ErrPoolState, "writes were lost: %s", why)}
	}
	return &fault.Error{Object: f.object(), Err: fault.Errorf(fault.ErrPoolState, "writes were lost: %s; it stays mounted on %s", why, f.dir),
		Remedy: fault.Sayf("%v; umount -f %s unmounts it as it is; then mount it again, and write again what is missing", remedy, fault.ShellPath(f.dir))}
}

// gaveUp tells whether a filesystem has turned itself read-only, as after an
// error: the superblock is, and the mount is not (fs/btrfs/messages.c,
// fs/ext4/super.c).
func gaveUp(m *mountinfo.Info) bool {
	return hasOption(m.VFSOptions, "ro") && hasOption(m.Options, "rw")
}

func hasOption(list, option string) bool {
	return slices.Contains(strings.Split(list, ","), option)
}

// watched unmounts by do. Late is of writes that failed only then: of what the
// filesystem itself writes last.
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
	return &fault.Error{Object: f.object(), Err: fault.Errorf(fault.ErrPoolState, "is unmounted, and its last writes were lost: %s (kernel: %s)", why, lost[0]), Remedy: remedy}, nil
}

func (f *flushing) object() string { return f.v.Pool + "/" + f.v.Name }

// status is the pool's, or the zero one where it cannot be asked.
func (f *flushing) status() thinpool.Status {
	st, err := health.PoolStatus(f.c, f.v.PoolUUID)
	if err != nil {
		return thinpool.Status{Mode: thinpool.ModeRW}
	}
	return st
}
