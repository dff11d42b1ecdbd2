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

// ActivatePool makes the pool's devices, as mounting one of its volumes does by
// itself. An active pool is left as it is.
func ActivatePool(ctx context.Context, s *host.System, name string) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		p, err := engine.OpenActive(ctx, s, c, name, engine.Exclusive)
		if err != nil {
			return err
		}
		p.Close()
		return nil
	})
}

// DeactivateOptions are the choices of DeactivatePool.
type DeactivateOptions struct {
	Unmount bool // unmount the volumes first, with all their references
}

// DeactivatePool removes the pool's devices and lets go of its disks or files.
// A pool with active volumes is ErrBusy.
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
