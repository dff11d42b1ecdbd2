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
)

// CheckPool compares what the catalog says about a pool with the pool's
// metadata, the kernel, the disks, and all that is written down under RunDir,
// and returns what does not agree, or is left over. It changes nothing but that
// a volume which a killed snapshot has left suspended runs again, and leaves an
// inactive pool inactive. It keeps others from changing the pool only while it
// looks again at what it has found.
func CheckPool(ctx context.Context, s *host.System, name string) (found []check.Finding, err error) {
	if err := catalog.CheckPoolName(name); err != nil {
		return nil, fault.Wrap(fault.ErrUsage, err)
	}
	err = s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		cat, err := registry.OpenCatalog(s, name)
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

// lookLock is the pool's lock as a check takes it: when it has found something.
// Its zero value, in a repair, has nothing to take.
type lookLock struct {
	sys  *host.System
	pool string
	done bool
	lock *filelock.Lock // nil where there is none to take
}

// take takes the lock, unless that was done.
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
func lookTwice(ctx context.Context, s *host.System, c *dm.Control, cat *catalog.Catalog, lock *lookLock) ([]check.Finding, error) {
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
		err = &fault.Error{Object: "pool " + cat.Pool().Name, Err: fault.Wrap(fault.ErrPoolState, err), Remedy: fault.Hint("dmesg tells whether a disk is failing")}
	}
	return found, err
}

// RepairPool does what the findings of CheckPool say, as far as they are still
// found: whatever has come up since is left alone. It returns the findings that
// were agreed to, those that are repaired marked so, and what was found besides
// when it had done. On error nothing is half repaired; the rest is to be found
// again. Repairs that need the pool make it active.
func RepairPool(ctx context.Context, s *host.System, name string, agreed []check.Finding) (left []check.Finding, err error) {
	if slices.ContainsFunc(agreed, func(d check.Finding) bool { return d.Repair == check.RepairCheck }) {
		if err := checkMetadata(ctx, s, name); err != nil { // without it the pool can do nothing else
			return nil, err
		}
	}
	err = s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := engine.OpenPool(ctx, s, c, name, engine.Exclusive)
		if errors.Is(err, fault.ErrNotFound) && slices.ContainsFunc(agreed, func(d check.Finding) bool { return d.Kind == check.KindInterrupted }) {
			return nil // it was half made, and is cleared away now
		}
		if err != nil {
			return err
		}
		defer p.Close()
		facts, err := look(ctx, s, c, p.Catalog)
		if err != nil {
			return err
		}
		now := slices.DeleteFunc(facts.Findings(), func(d check.Finding) bool { return d.Repair == "" || !check.Contains(agreed, d) })
		repairErr := repair(ctx, p, now)
		if err := p.Catalog.Reload(); err != nil {
			return errors.Join(repairErr, err)
		}
		left, err = lookTwice(ctx, s, c, p.Catalog, new(lookLock))
		return errors.Join(repairErr, err)
	})
	if err == nil && slices.ContainsFunc(left, func(d check.Finding) bool { return d.Repair == engine.RepairHead && check.Contains(agreed, d) }) {
		if err = reserveHead(ctx, s, name); err == nil {
			left, err = CheckPool(ctx, s, name)
		}
	}
	if err != nil {
		return nil, err
	}
	return check.Marked(agreed, left), nil
}

// misplacedFinding is what pool check says of such a folder.
func misplacedFinding(err error) ([]check.Finding, bool) {
	var m *catalog.MisplacedError
	if !errors.As(err, &m) {
		return nil, false
	}
	return []check.Finding{{Kind: check.KindFolder, Object: m.Dir, What: m.Error(), Remedy: host.RemedyOf(err)}}, true
}
