package thin

import (
	"context"
	"errors"
	"slices"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/filelock"
)

// CheckPool compares what the catalog says about a pool with the pool's
// metadata, the kernel, the disks, and all that is written down under RunDir,
// and returns what does not agree, or is left over. It changes nothing but that
// a volume which a killed snapshot has left suspended runs again, and leaves an
// inactive pool inactive. It keeps others from changing the pool only while it
// looks again at what it has found.
func (s *System) CheckPool(ctx context.Context, name string) (found []Finding, err error) {
	if err := catalog.CheckPoolName(name); err != nil {
		return nil, wrap(ErrUsage, err)
	}
	err = s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		cat, err := s.openCatalog(name)
		if err != nil {
			var is bool
			if found, is = misplacedFinding(err); is {
				return nil
			}
			return err
		}
		s.wakeVolumes(c, cat)
		lock := &lookLock{sys: s, pool: name}
		defer lock.close()
		found, err = s.lookTwice(ctx, c, cat, lock)
		return err
	})
	return found, err
}

// lookLock is the pool's lock as a check takes it: when it has found something.
// Its zero value, in a repair, has nothing to take.
type lookLock struct {
	sys  *System
	pool string
	done bool
	lock *filelock.Lock // nil where there is none to take
}

// take takes the lock, unless that was done.
func (l *lookLock) take(ctx context.Context) (err error) {
	if l.done || l.sys == nil {
		return nil
	}
	defer l.sys.waitingFor("another command on pool " + l.pool)()
	if l.lock, err = l.sys.refs().LookLock(ctx, l.pool); err != nil {
		return waitError("pool "+l.pool, err)
	}
	l.done = true
	return nil
}

func (l *lookLock) close() {
	if l.lock != nil {
		l.lock.Unlock()
	}
}

// settling is how long what is on its way is given to arrive: a device that
// goes at its last close, the next line of an unmount.
const settling = 300 * time.Millisecond

// lookTwice believes what two looks have in common: the kernel removes devices
// and umount(8) lines of utab, without anybody's lock. The first look is without
// the pool's lock, which very many volumes would have it keep for long; if all
// is well then, or nothing is to be seen for what others do, that is that.
func (s *System) lookTwice(ctx context.Context, c *dm.Control, cat *catalog.Catalog, lock *lookLock) ([]Finding, error) {
	anew := func() (*facts, error) {
		if err := lock.take(ctx); err != nil {
			return nil, err
		}
		if err := cat.Reload(); errors.Is(err, catalog.ErrNoPool) {
			return nil, noPool(lock.pool)
		} else if err != nil {
			return nil, err
		}
		return s.look(ctx, c, cat)
	}
	found, err := inCommon(func(again bool) (*facts, error) {
		if !again {
			f, err := s.look(ctx, c, cat)
			if err == nil || ctx.Err() != nil {
				return f, err
			}
			return anew()
		}
		select {
		case <-ctx.Done():
			return nil, waitError("pool "+cat.Pool().Name, ctx.Err())
		case <-time.After(settling):
		}
		return anew()
	})
	if errors.Is(err, errUnsteady) {
		err = &Error{Object: "pool " + cat.Pool().Name, Err: wrap(ErrPoolState, err), Hint: "dmesg tells whether a disk is failing"}
	}
	return found, err
}

// errUnsteady is of a pool that no two looks can read the same of.
var errUnsteady = errors.New("some of what is read to check it can be read at times and cannot at others")

// mostLooks is how many looks are taken to find two that could read the same.
const mostLooks = 4

// inCommon is what two looks in a row have found, which could read the same: what
// one of them was blind for it would seem to say is sound.
func inCommon(look func(again bool) (*facts, error)) ([]Finding, error) {
	before, err := look(false)
	if err != nil {
		return nil, err
	}
	first := before.findings()
	if len(first) == 0 {
		return nil, nil
	}
	for range mostLooks - 1 {
		now, err := look(true)
		if err != nil {
			return nil, err
		}
		found := now.findings()
		if slices.Equal(before.unread(), now.unread()) {
			return slices.DeleteFunc(found, func(d Finding) bool { return !contains(first, d) }), nil
		}
		before, first = now, found
	}
	return nil, errUnsteady
}

// contains tells whether a finding is among others, as it is to be repaired.
func contains(all []Finding, d Finding) bool {
	return slices.ContainsFunc(all, func(o Finding) bool { return o.plan() == d.plan() })
}

// RepairPool does what the findings of CheckPool say, as far as they are still
// found: whatever has come up since is left alone. It returns the findings that
// were agreed to, those that are repaired marked so, and what was found besides
// when it had done. On error nothing is half repaired; the rest is to be found
// again. Repairs that need the pool make it active.
func (s *System) RepairPool(ctx context.Context, name string, agreed []Finding) (left []Finding, err error) {
	if slices.ContainsFunc(agreed, func(d Finding) bool { return d.Repair == repairCheck }) {
		if err := s.checkMetadata(ctx, name); err != nil { // without it the pool can do nothing else
			return nil, err
		}
	}
	err = s.use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := s.openPool(ctx, c, name, exclusive)
		if errors.Is(err, ErrNotFound) && slices.ContainsFunc(agreed, func(d Finding) bool { return d.Kind == KindInterrupted }) {
			return nil // it was half made, and is cleared away now
		}
		if err != nil {
			return err
		}
		defer p.close()
		facts, err := s.look(ctx, c, p.cat)
		if err != nil {
			return err
		}
		now := slices.DeleteFunc(facts.findings(), func(d Finding) bool { return d.Repair == "" || !contains(agreed, d) })
		repairErr := p.repair(ctx, now)
		if err := p.cat.Reload(); err != nil {
			return errors.Join(repairErr, err)
		}
		left, err = s.lookTwice(ctx, c, p.cat, new(lookLock))
		return errors.Join(repairErr, err)
	})
	if err == nil && slices.ContainsFunc(left, func(d Finding) bool { return d.Repair == repairHead && contains(agreed, d) }) {
		if err = s.reserveHead(ctx, name); err == nil {
			left, err = s.CheckPool(ctx, name)
		}
	}
	if err != nil {
		return nil, err
	}
	return marked(agreed, left), nil
}

// marked puts the findings that are left behind those that were agreed to, of
// which those that are not left are done.
func marked(agreed, left []Finding) []Finding {
	all := slices.Clone(agreed)
	for i := range all {
		all[i].Done = all[i].Repair != "" && !contains(left, all[i])
	}
	for _, d := range left {
		if !contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}
