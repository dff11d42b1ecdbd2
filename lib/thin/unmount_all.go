package thin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
)

// unmountAll unmounts a pool's volumes wherever this mount namespace has them,
// upper ones first, and takes back what Activate has made. The table is read again each
// time: one unmount may take several away, where mounts propagate.
func (s *System) unmountAll(ctx context.Context, c *dm.Control, name string) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range mount.UpperFirst(table) {
		if pool, _, ok := isOurs(m); ok && pool == name {
			errs = append(errs, s.unmountOne(ctx, m.ID, name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.deactivateHeld(ctx, c, name)
}

func (s *System) unmountOne(ctx context.Context, id int, pool string) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	m, err := uncovered(table, id, pool)
	if m == nil || err != nil {
		return err
	}
	return s.Unmount(ctx, UnmountRequest{Dir: m.Mountpoint, All: true})
}

// uncovered finds a mount of the pool by its id, if it is still there. One with
// another mount on it is refused: that one would be unmounted in its place.
func uncovered(table []*mountinfo.Info, id int, pool string) (*mountinfo.Info, error) {
	i := slices.IndexFunc(table, func(m *mountinfo.Info) bool { return m.ID == id })
	if i < 0 {
		return nil, nil
	}
	m := table[i]
	p, volume, ok := isOurs(m)
	if !ok || p != pool {
		return nil, nil // the id is another mount's by now
	}
	top := mount.Top(table, m.Mountpoint)
	if top == m {
		return m, nil
	}
	return nil, &Error{Object: m.Mountpoint, Err: reason(ErrBusy, "%s lies on %s/%s", covering(top), pool, volume),
		Hint: "unmount that first; findmnt " + shellPath(m.Mountpoint) + " shows it"}
}

// covering names the mount that hides another: that which is seen at the same
// directory, or, where none is, one on a folder above.
func covering(top *mountinfo.Info) string {
	if top == nil {
		return "a mount on a folder above"
	}
	return mounted(top)
}

// mounted names what a mount is of. The source of one of others may be anything.
func mounted(m *mountinfo.Info) string {
	if pool, volume, ok := isOurs(m); ok {
		return pool + "/" + volume
	}
	return fmt.Sprintf("%q (%s)", m.Source, m.FSType)
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
