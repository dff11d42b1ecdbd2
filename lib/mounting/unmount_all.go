package mounting

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/volumes"
)

// UnmountAll unmounts a pool's volumes wherever this mount namespace has them,
// upper mounts first. Then it deactivates the pool's volumes that Activate has
// activated. It reads the mount table again before each unmount: where mounts
// propagate, one unmount may remove several.
func UnmountAll(ctx context.Context, s *host.System, c *dm.Control, name string) error {
	table, err := mount.Table()
	if err != nil {
		return err
	}
	var errs []error
	var ours []*mountinfo.Info
	for _, m := range table.OnDevices() {
		if volume, ok := isOurs(m); ok && volume.Pool == name {
			ours = append(ours, m)
		}
	}
	for _, m := range mount.UpperFirst(table, ours) {
		errs = append(errs, unmountOne(ctx, s, m.ID, name))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return deactivatePinned(ctx, s, c, name)
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

// uncovered finds a mount of the pool by its ID. It returns nil if the mount is
// gone. If another mount lies on it, the error is ErrBusy: an unmount would
// remove that one instead.
func uncovered(table mountinfo.Table, id int, pool string) (*mountinfo.Info, error) {
	m := table.ByID(id)
	if m == nil {
		return nil, nil
	}
	volume, ok := isOurs(m)
	if !ok || volume.Pool != pool {
		return nil, nil // by now another mount has that id
	}
	top := mount.Top(table, m.Mountpoint)
	if top != nil && top.ID == id {
		return m, nil
	}
	return nil, &fault.Error{Object: m.Mountpoint,
		Err: fault.Errorf(fault.ErrBusy, "%s lies on %s", covering(top), volume),
		Remedy: fault.Hint("unmount that first; findmnt " + fault.ShellPath(m.Mountpoint) +
			" shows it")}
}

// covering names the mount that hides another. top is the mount that one sees
// on the directory, or nil if the hiding mount is on a folder above.
func covering(top *mountinfo.Info) string {
	if top == nil {
		return "a mount on a folder above"
	}
	return mounted(top)
}

// isOurs says which volume a mount shows; ok is false if it shows none. It goes
// by the mount's source, because the mount table shows a device number for
// btrfs that is not the device's.
func isOurs(m *mountinfo.Info) (volume spec.Volume, ok bool) {
	name, found := dmname.OfNode(m.Source)
	if !found || !mount.NamesDevice(m) {
		return spec.Volume{}, false
	}
	return dmname.ParseVolume(name)
}

// mounted names the volume of a mount, or else the mount's source. It quotes
// the source, which may hold any bytes.
func mounted(m *mountinfo.Info) string {
	if volume, ok := isOurs(m); ok {
		return volume.String()
	}
	return fmt.Sprintf("%q (%s)", m.Source, m.FSType)
}

func deactivatePinned(ctx context.Context, s *host.System, c *dm.Control, name string) error {
	cat, err := registry.OpenCatalog(s, name)
	if err != nil {
		return err
	}
	records, _ := s.Refs().List() // an unreadable record keeps no volume active
	var errs []error
	for _, r := range records {
		if r.Pinned && r.PoolUUID == cat.Pool().UUID && r.Volume.Check() == nil {
			volume := spec.Volume{Pool: name, Name: r.Volume.Name}
			errs = append(errs, volumes.Deactivate(ctx, s, volume))
		}
	}
	return errors.Join(errs...)
}
