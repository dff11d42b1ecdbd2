package thin

import (
	"context"
	"errors"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/mount"
)

// unmountAll unmounts a pool's volumes wherever this mount namespace has them,
// last first, and takes back what Activate has made.
func (s *System) unmountAll(ctx context.Context, c *dm.Control, name string) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range slices.Backward(table) {
		if pool, _, ok := isOurs(m); ok && pool == name {
			errs = append(errs, s.Unmount(ctx, UnmountRequest{Dir: m.Mountpoint, All: true}))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.deactivateHeld(ctx, c, name)
}

func (s *System) deactivateHeld(ctx context.Context, c *dm.Control, name string) error {
	cat, err := s.openCatalog(name)
	if err != nil {
		return err
	}
	records, _ := s.refs().List() // one that cannot be read holds nothing
	var errs []error
	for _, r := range records {
		if r.Held && r.PoolUUID == cat.Pool().UUID {
			_, volume, err := catalog.ParseSpec(r.Volume)
			if err != nil {
				continue
			}
			errs = append(errs, s.Deactivate(ctx, name, volume))
		}
	}
	return errors.Join(errs...)
}
