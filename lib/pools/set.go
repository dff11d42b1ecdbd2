package pools

import (
	"context"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/spec"
)

// Settings are the properties of a pool that can be changed. A nil or empty
// field does not change its property.
type Settings struct {
	Margin *int // percent of data and of metadata that new volumes leave free
	OnFull *spec.OnFull

	// New paths of the pool's own disks.
	Data, Metadata string

	// How long a snapshot may keep its origin suspended, in whole seconds.
	FreezeLimit *time.Duration
}

// checkSettings returns an ErrUsage if a setting has a value that no pool can
// have. object is what the error is about.
func checkSettings(object string, set Settings) error {
	if m := set.Margin; m != nil && (*m < 0 || *m > catalog.MaxMargin) {
		return &fault.Error{
			Object: object,
			Err: fault.Errorf(fault.ErrUsage, "margin is 0%% to %d%%, not %d%%",
				catalog.MaxMargin, *m),
		}
	}
	if o := set.OnFull; o != nil && !o.Valid() {
		return &fault.Error{
			Object: object,
			Err:    fault.Errorf(fault.ErrUsage, "on-full is error or queue, not %q", *o),
		}
	}
	if l := set.FreezeLimit; l != nil &&
		(*l < time.Second || *l > catalog.MaxFreezeLimit || *l%time.Second != 0) {
		return &fault.Error{
			Object: object,
			Err: fault.Errorf(fault.ErrUsage, "freeze-limit is 1s to %ds in whole seconds, not %v",
				catalog.MaxFreezeLimit/time.Second, *l),
		}
	}
	return nil
}

// SetPool changes settings of a pool. If the pool is active, the kernel gets a
// new OnFull at once. If the process is killed between the write of the catalog
// and that, the next command on the pool finishes it.
func SetPool(ctx context.Context, s *host.System, name string, set Settings) error {
	if err := checkSettings("pool "+name, set); err != nil {
		return err
	}
	return engine.Alone(ctx, s, name, engine.OpenPool,
		func(_ context.Context, p *engine.Pool) error { return change(p, set) })
}

// change is SetPool for a pool that is open.
func change(p *engine.Pool, set Settings) error {
	if err := p.RefuseCopy(); err != nil {
		return err
	}
	at, err := placed(p, set)
	if err != nil {
		return err
	}
	err = p.Catalog.SetPool(func(c *catalog.Pool) {
		c.Data.Path, c.Metadata.Path = at.Data.Path, at.Metadata.Path
		if set.Margin != nil {
			c.Margin = set.Margin
		}
		if set.OnFull != nil {
			c.OnFull = *set.OnFull
		}
		if set.FreezeLimit != nil {
			c.FreezeSeconds = int(*set.FreezeLimit / time.Second)
		}
	})
	if err != nil || set.OnFull == nil || !p.IsActive() {
		return p.Wrap(err)
	}
	return p.ApplySizes()
}
