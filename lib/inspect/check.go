package inspect

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/filelock"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// CheckPool compares the catalog of a pool with the pool's metadata, the
// kernel, the disks, and the files under RunDir. It returns what does not agree
// and what killed commands have left over.
//
// CheckPool changes one thing only: it resumes a volume that a killed snapshot
// command has left suspended. It does not activate an inactive pool. If the
// first look finds nothing, it takes no lock. Otherwise it holds the pool's
// lock while it looks again.
func CheckPool(
	ctx context.Context, s *host.System, name string,
) (found []check.Finding, err error) {
	if err := spec.CheckPoolName(name); err != nil {
		return nil, fault.Wrap(fault.ErrUsage, err)
	}
	err = s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		cat, err := registry.ReadCatalog(s, name)
		if err != nil {
			var is bool
			if found, is = misplacedFinding(err); is {
				return nil
			}
			return err
		}
		registry.ResumeVolumes(s, c, cat)
		lock := &lookLock{sys: s, pool: name}
		defer lock.close()
		found, err = lookTwice(ctx, s, c, cat, lock)
		return err
	})
	return found, err
}

// lookLock takes the pool's lock for a check, once the check has found
// something. A repair uses the zero value, which takes nothing: the repair
// holds the pool's lock already.
type lookLock struct {
	sys  *host.System
	pool string
	done bool
	lock *filelock.Lock // nil if the pool has no lock file
}

// take takes the lock, unless it has it already. The error is that of
// fault.WaitError if ctx ends first.
func (l *lookLock) take(ctx context.Context) (err error) {
	if l.done || l.sys == nil {
		return nil
	}
	defer l.sys.WaitingFor("another command on pool " + l.pool)()
	if l.lock, err = l.sys.Refs().LookLock(ctx, l.pool); err != nil {
		return fault.WaitError("pool "+l.pool, err)
	}
	l.done = true
	return nil
}

// close releases the lock, if it was taken.
func (l *lookLock) close() {
	if l.lock != nil {
		l.lock.Unlock()
	}
}

// settling is the time between two looks. In this time, changes that are under
// way are completed: a device goes at its last close, and umount(8) writes the
// next line of utab.
const settling = 300 * time.Millisecond

// lookTwice returns the findings that two looks have in common. One look is not
// enough: the kernel removes devices and umount(8) removes lines of utab
// without taking a lock. The first look is without the pool's lock, because a
// look at very many volumes takes long. If it finds nothing wrong, there is no
// second look. If it fails, it is repeated with the lock.
func lookTwice(
	ctx context.Context, s *host.System, c *dm.Control, cat *catalog.Catalog, lock *lookLock,
) ([]check.Finding, error) {
	anew := func() (*check.Facts, error) {
		if err := lock.take(ctx); err != nil {
			return nil, err
		}
		if err := cat.Reload(); errors.Is(err, catalog.ErrNoPool) {
			return nil, registry.NoPool(lock.pool)
		} else if err != nil {
			return nil, err
		}
		return look(ctx, s, c, cat)
	}
	found, err := check.InCommon(func(again bool) (*check.Facts, error) {
		if !again {
			f, err := look(ctx, s, c, cat)
			if err == nil || ctx.Err() != nil {
				return f, err
			}
			return anew()
		}
		select {
		case <-ctx.Done():
			return nil, fault.WaitError("pool "+cat.Pool().Name, ctx.Err())
		case <-time.After(settling):
		}
		return anew()
	})
	if errors.Is(err, check.ErrUnsteady) {
		err = &fault.Error{
			Object: "pool " + cat.Pool().Name,
			Err:    fault.Wrap(fault.ErrPoolState, err),
			Remedy: fault.Hint("dmesg tells whether a disk is failing"),
		}
	}
	return found, err
}

// RepairPool repairs the findings of CheckPool that the caller agreed to. It
// looks again first, and repairs only those that it finds again. It returns the
// agreed findings, marks the repaired ones as done, and adds what a last look
// has found besides. After an error every single repair is either done or not
// begun, and the next check finds those that are not done. RepairPool activates
// the pool if a repair needs it.
func RepairPool(
	ctx context.Context, s *host.System, name string, agreed []check.Finding,
) (left []check.Finding, err error) {
	r := &repairs{sys: s, name: name, begun: map[string]bool{}}
	if err := r.do(ctx, agreed, atMetadata); err != nil {
		return nil, err
	}
	err = s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := engine.OpenPool(ctx, s, c, name, engine.Exclusive)
		if errors.Is(err, fault.ErrNotFound) && slices.ContainsFunc(agreed,
			func(d check.Finding) bool { return d.Kind == check.KindInterrupted }) {
			return nil // the pool was half made, and OpenPool has removed it
		}
		if err != nil {
			return err
		}
		defer p.Close()
		facts, err := look(ctx, s, c, p.Catalog)
		if err != nil {
			return err
		}
		r.pool = p
		repairErr := r.repairPool(ctx, check.Shared(facts.Findings(), agreed))
		r.pool = nil
		if err := p.Catalog.Reload(); err != nil {
			return errors.Join(repairErr, err)
		}
		left, err = lookTwice(ctx, s, c, p.Catalog, new(lookLock))
		return errors.Join(repairErr, err)
	})
	late := check.Shared(left, agreed)
	if err == nil && slices.ContainsFunc(late,
		func(d check.Finding) bool { return r.task(d.Repair).step == atHead }) {
		if err = r.do(ctx, late, atHead); err == nil {
			left, err = CheckPool(ctx, s, name)
		}
	}
	if err != nil {
		return nil, err
	}
	return check.Marked(agreed, left), nil
}

// misplacedFinding turns the error about a pool's folder that was copied or
// moved into a finding. It returns false for other errors.
func misplacedFinding(err error) ([]check.Finding, bool) {
	var m *catalog.MisplacedError
	if !errors.As(err, &m) {
		return nil, false
	}
	return []check.Finding{{
		Kind: check.KindFolder, Object: m.Dir, What: m.Error(), Remedy: host.RemedyOf(err),
	}}, true
}
