package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// contentOf returns where the content of a part of the pool is read: at byte
// at of path. That is the active pool's own device, or else behind the label of
// the disk or file. ok is false if the disk or file is not the pool's: another
// finding is about the label.
func contentOf(c *dm.Control, f *check.Facts, part string) (path string, at int64, ok bool) {
	if d := f.Part(part); d != nil && d.Active() && !d.Suspended() {
		return c.NodePath(d.Name), 0, true
	}
	b := f.Backing(part)
	if backing.LabelFlaw(
		f.Config, part, b.Backing, b.Label, b.Err, b.Carries, b.Size,
	) != nil {
		return "", 0, false
	}
	return backing.BackingOf(f.Config, part).Path, label.Reserved, true
}

// lookHead reads the headers of the pool's head, past the page cache.
func lookHead(c *dm.Control, f *check.Facts) error {
	path, at, ok := contentOf(c, f, dmname.Data)
	if !ok {
		return nil
	}
	file, err := host.OpenDirect(path)
	if err == nil {
		f.HeadID, err = engine.ReadHead(file, at, f.Config)
		file.Close()
	}
	f.HeadLooked, f.HeadErr = true, err
	return nil
}

// look gathers all facts about a pool and changes nothing. Without the pool's
// lock, other commands may change the pool while it looks; then the facts may
// contradict each other.
func look(
	ctx context.Context, s *host.System, c *dm.Control, cat *catalog.Catalog,
) (*check.Facts, error) {
	f := &check.Facts{Config: cat.Pool(), Dir: cat.Dir(), Room: health.RoomBelow(cat.Pool())}
	if _, halfMade := f.Config.Incomplete(); halfMade {
		return f, nil
	}
	if f.Copied = backing.ActiveCopy(c, f.Config); f.Copied != nil && f.Copied.Renamed {
		f.Copied = nil // the pool's own devices, under another name
	}
	// To read a suspended device would hang.
	if names := health.Suspended(c, f.Config.UUID); len(names) > 0 && f.Copied == nil {
		return nil, &fault.Error{
			Object: "pool " + f.Config.Name,
			Err:    fault.Errorf(fault.ErrPoolState, "%s", health.SuspendedText(names)),
			Remedy: health.ResumeRemedy(f.Config.Name),
		}
	}
	if f.Copied == nil &&
		health.LostTable(c, dm.ByUUID(dmname.PartUUID(f.Config.UUID, dmname.Pool))) {
		return nil, health.BeyondHelp(f.Config.Name)
	}
	findPlaces(f, c)
	var err error
	f.Volumes, err = cat.VolumesAnyState()
	f.Damaged = check.RecordErrors(err)
	if err != nil && len(f.Damaged) == 0 {
		return nil, err
	}
	for _, look := range []func() error{
		func() error { return lookDevices(s, c, f) },
		func() error { return lookBackings(s, c, f) },
		func() error { return lookMetadata(ctx, c, f) },
		func() error { return lookHead(c, f) },
		func() error { return lookRun(s, c, f) },
		func() error { return lookUses(ctx, s, c, f) },
	} {
		if err := ctx.Err(); err != nil {
			return nil, fault.WaitError("pool "+f.Config.Name, err)
		}
		if err := look(); err != nil {
			return nil, err
		}
	}
	f.Temps, err = cat.Temps()
	return f, err
}

// findPlaces looks for the disks of an inactive pool under other names, as
// activating the pool does. It corrects the paths in f.Config, and notes in
// f.Places which disk has another name now.
func findPlaces(f *check.Facts, c *dm.Control) {
	if _, err := c.Info(
		dm.ByUUID(dmname.PartUUID(f.Config.UUID, dmname.Pool)),
	); f.Config.Data.Kind != catalog.KindDevice || !errors.Is(err, dm.ErrNotExist) {
		return
	}
	paths, err := backing.FindBackings(f.Config)
	if err != nil {
		f.Places = err
		return
	}
	for _, part := range []string{dmname.Data, dmname.Meta} {
		if at := paths[part]; at.Moved {
			f.Places = errors.Join(f.Places, &fault.Error{
				Err: fault.Errorf(fault.ErrPoolState, "its %s is on %s now, not on %s",
					backing.LabelRole(part), at.Path, backing.BackingOf(f.Config, part).Path),
				Remedy: fault.Sayf("%v writes that down", fault.ActivatePool{Pool: f.Config.Name}),
			})
		}
	}
	f.Config.Data.Path, f.Config.Metadata.Path = paths[dmname.Data].Path, paths[dmname.Meta].Path
}

// lookDevices lists the devices that have the pool's UUID, and those that have
// the pool's names and another UUID. It asks the pool's device for its status.
func lookDevices(s *host.System, c *dm.Control, f *check.Facts) error {
	all, err := c.List("")
	if err != nil {
		return err
	}
	for _, d := range all {
		volume, isVolume := dmname.ParseVolume(d.Name)
		ours := isVolume && volume.Pool == f.Config.Name
		for _, part := range []string{dmname.Pool, dmname.Data, dmname.Meta, dmname.Head} {
			ours = ours || d.Name == dmname.Part(f.Config.Name, part)
		}
		uuid, id, hasID := dmname.ParseVolumeUUID(d.UUID)
		part := partOf(f, d.UUID)
		switch mine := hasID && uuid == f.Config.UUID || part != ""; {
		case mine && f.Copied != nil: // another finding is about the copy
		case mine:
			name := volume.Name
			if !isVolume || volume.Pool != f.Config.Name || spec.CheckVolumeName(name) != nil {
				name = ""
			}
			if err := addDevice(f, c, check.Device{
				Info: dm.Info{Name: d.Name, UUID: d.UUID}, Volume: name, ID: id, Part: part,
			}); err != nil {
				return err
			}
		case ours:
			f.Foreign = append(f.Foreign, d)
		}
	}
	if p := f.Part(dmname.Pool); p != nil && p.Active() {
		st, err := thinpool.New(c, p.UUID).Status()
		if err != nil && !errors.Is(err, dm.ErrNotExist) {
			return err
		}
		if err == nil {
			f.Live = &st
		}
	}
	return nil
}

// partOf returns which part of the pool has this device UUID, or "".
func partOf(f *check.Facts, uuid string) string {
	for _, part := range []string{dmname.Pool, dmname.Data, dmname.Meta, dmname.Head} {
		if uuid == dmname.PartUUID(f.Config.UUID, part) {
			return part
		}
	}
	return ""
}

// addDevice asks for the state of a device and adds it to f. It skips a device
// that was removed since it was listed.
func addDevice(f *check.Facts, c *dm.Control, d check.Device) error {
	table, info, err := c.Table(dm.ByUUID(d.UUID))
	if errors.Is(err, dm.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &fault.Error{Object: d.Name, Err: err}
	}
	for _, t := range table {
		d.Size += t.Length.Bytes()
	}
	d.Info = info
	f.Devices = append(f.Devices, d)
	return nil
}

// lookMetadata reads the thin ids in the pool's metadata, past the page cache.
// If it cannot read them, it sets f.MetaErr. It returns an error only if ctx
// has ended.
func lookMetadata(ctx context.Context, c *dm.Control, f *check.Facts) error {
	path, at, ok := contentOf(c, f, dmname.Meta)
	if !ok {
		return nil
	}
	var m thinpool.Metadata
	file, err := host.OpenDirect(path)
	if err == nil {
		m, err = thinpool.ReadMetadata(ctx, file, at)
		file.Close()
	}
	if ctxErr := ctx.Err(); err != nil && ctxErr != nil {
		return fault.WaitError("pool "+f.Config.Name, ctxErr)
	}
	if err != nil {
		f.MetaErr = err
		return nil
	}
	f.Meta = &m
	return nil
}

// lookRun lists the pool's files under RunDir, its nodes and aliases without a
// device, its lines in utab, and its lines in fstab that another line wins
// over.
func lookRun(s *host.System, c *dm.Control, f *check.Facts) error {
	entries, err := s.Refs().Entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Volume.Pool == f.Config.Name {
			f.Entries = append(f.Entries, e)
		}
	}
	stale, err := c.StaleNodes(dmname.Volume(f.Volume("")))
	if err != nil {
		return err
	}
	for _, name := range stale {
		if volume, ok := dmname.ParseVolume(name); ok && spec.CheckVolumeName(volume.Name) == nil {
			f.Nodes = append(f.Nodes, name)
		}
	}
	links, err := os.ReadDir(filepath.Join(registry.AliasDir(s), f.Config.Name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, l := range links {
		if _, err := c.Info(
			dm.ByName(dmname.Volume(f.Volume(l.Name()))),
		); errors.Is(err, dm.ErrNotExist) && spec.CheckVolumeName(l.Name()) == nil {
			f.Aliases = append(f.Aliases, l.Name())
		}
	}
	f.Losers = registry.Losers(s, f.Config.Name)
	f.Utab, err = staleUtab(s, c, f.Config.Name)
	return err
}
