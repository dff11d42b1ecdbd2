package pools

import (
	"context"

	"thinmount/lib/backing"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/mounting"
	"thinmount/lib/registry"
)

// ActivatePool makes the pool's devices. Mounting a volume of the pool does the
// same without being asked. ActivatePool does not change a pool that is active
// already.
func ActivatePool(ctx context.Context, s *host.System, name string) error {
	return engine.Alone(ctx, s, name, engine.OpenActive,
		func(context.Context, *engine.Pool) error { return nil })
}

// DeactivateOptions changes what DeactivatePool does.
type DeactivateOptions struct {
	Unmount bool // unmount the volumes first, with all their references
}

// DeactivatePool removes the pool's devices, and its loop devices if the pool
// lies in files. The error is ErrBusy if a volume of the pool is active.
func DeactivatePool(ctx context.Context, s *host.System, name string, o DeactivateOptions) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		if cat, err := registry.OpenCatalog(s, name); err == nil {
			if other := backing.ActiveCopy(c, cat.Pool()); !other.Disposable() {
				return other.Inactive(s, name)
			}
		}
		if o.Unmount {
			if err := mounting.UnmountAll(ctx, s, c, name); err != nil {
				return err
			}
		}
		p, err := engine.OpenPool(ctx, s, c, name, engine.Exclusive)
		if err != nil {
			return err
		}
		defer p.Close()
		return p.Deactivate(ctx)
	})
}
