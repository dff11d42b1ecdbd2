package thin

import (
	"context"
	"errors"
	"os"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// flushOrigin writes out what is dirty in the origin's filesystem, and in those of
// layers above it, so that the freeze itself has little to write. It returns where
// the origin is mounted, in another mount namespace by a path through /proc: "" is
// nowhere. It is best effort: the freeze writes what is
// left. But where that would wait for room in the pool, it is an error: whoever
// freezes then waits, too, with the lock that growing the pool wants.
func (s *System) flushOrigin(ctx context.Context, c *dm.Control, ref *refcount.Ref, o catalog.Volume) (dir string, err error) {
	rec, err := s.observeOwn(c, ref, o)
	if err != nil {
		return "", nil
	}
	dir = reach(c, rec, o)
	st, err := poolStatus(c, o.PoolUUID)
	if err != nil || st.Mode != thinpool.ModeRW || st.Queues() {
		return dir, nil // whoever opens the pool next says so
	}
	a := s.lookAbove(c, o)
	defer func() { a.close() }()
	if dir != "" {
		f, err := openFolder(dir)
		if err == nil {
			a.dirs = append(a.dirs, f)
		} else {
			s.step("%v", err)
		}
	}
	for _, f := range a.dirs {
		err := s.flush(ctx, c, f, o, st.OnFull == "queue")
		if err != nil && (errors.Is(err, ErrPoolState) || ctx.Err() != nil) {
			return dir, err
		}
		if err != nil {
			s.step("syncfs %s: %v", f.Name(), err)
		}
	}
	return dir, nil
}

// flush is syncfs(2), in a second process: this one has locks, and the call may
// sleep for as long as a disk likes, or, on a device that others suspend, for
// ever. The process is left behind when ctx ends, or when the writing would have
// to wait for room. That writes have failed, now or before, it is told once
// (syncApart), so that it must not be kept quiet.
func (s *System) flush(ctx context.Context, c *dm.Control, f *os.File, o catalog.Volume, mayWait bool) error {
	defer s.waitingFor("what is dirty in " + f.Name() + " to be written")()
	lost, err := syncApart(ctx, f, func() error {
		if !mayWait {
			return nil
		}
		if st, err := poolStatus(c, o.PoolUUID); err == nil && st.Queues() {
			return full(o.Pool, "out of data space: %s has more to write than there is room for, and a snapshot would wait with it", f.Name())
		}
		return nil
	})
	if ctx.Err() != nil {
		return waitError(o.Pool+"/"+o.Name, err)
	}
	if lost != nil {
		st, _ := poolStatus(c, o.PoolUUID)
		why, hint := whyLost(o.Pool, st, lost)
		return &Error{Object: f.Name(), Err: reason(ErrPoolState, "writes were lost: %s, and the snapshot would lack them", why),
			Hint: hint + "; then write again what is missing. A second attempt takes the origin as it is"}
	}
	return err
}
