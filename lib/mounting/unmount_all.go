package mounting

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/registry"
	"thinmount/lib/volumes"
)

// UnmountAll unmounts a pool's volumes wherever this mount namespace has them,
// upper ones first, and takes back what Activate has made. The table is read again each
// time: one unmount may take several away, where mounts propagate.
func UnmountAll(ctx context.Context, s *host.System, c *dm.Control, name string) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range mount.UpperFirst(table) {
		if pool, _, ok := isOurs(m); ok && pool == name {
			errs = append(errs, unmountOne(ctx, s, m.ID, name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return deactivateHeld(ctx, s, c, name)
}

func unmountOne(ctx context.Context, s *host.System, id int, pool string) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	m, err := uncovered(table, id, pool)
	if m == nil || err != nil {
		return err
	}
	return Unmount(ctx, s, UnmountRequest{Dir: m.Mountpoint, All: true})
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
	return nil, &fault.Error{Object: m.Mountpoint, Err: fault.Errorf(fault.ErrBusy, "%s lies on %s/%s", covering(top), pool, volume),
		Remedy: fault.Hint("unmount that first; findmnt " + fault.ShellPath(m.Mountpoint) + " shows it")}
}

// covering names the mount that hides another: that which is seen at the same
// directory, or, where none is, one on a folder above.
func covering(top *mountinfo.Info) string {
	if top == nil {
		return "a mount on a folder above"
	}
	return mounted(top)
}

// isOurs says whether a mount is of a volume, by its source: btrfs shows no
// device number of ours in the mount table.
func isOurs(m *mountinfo.Info) (pool, volume string, ok bool) {
	name, found := dmname.OfNode(m.Source)
	if !found || !mount.NamesDevice(m) {
		return "", "", false
	}
	return dmname.ParseVolume(name)
}

// mounted names what a mount is of. The source of one of others may be anything.
func mounted(m *mountinfo.Info) string {
	if pool, volume, ok := isOurs(m); ok {
		return pool + "/" + volume
	}
	return fmt.Sprintf("%q (%s)", m.Source, m.FSType)
}

func deactivateHeld(ctx context.Context, s *host.System, c *dm.Control, name string) error {
	cat, err := registry.OpenCatalog(s, name)
	if err != nil {
		return err
	}
	records, _ := s.Refs().List() // one that cannot be read holds nothing
	var errs []error
	for _, r := range records {
		if r.Pinned && r.PoolUUID == cat.Pool().UUID {
			_, volume, err := catalog.ParseSpec(r.Volume)
			if err != nil {
				continue
			}
			errs = append(errs, volumes.Deactivate(ctx, s, name, volume))
		}
	}
	return errors.Join(errs...)
}
