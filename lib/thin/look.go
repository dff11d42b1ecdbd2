package thin

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// look takes down all that there is of a pool, and changes nothing. What it finds
// while others change the pool need not be so.
func (s *System) look(ctx context.Context, c *dm.Control, cat *catalog.Catalog) (*facts, error) {
	f := &facts{cfg: cat.Pool(), dir: cat.Dir(), room: roomBelow(cat.Pool())}
	if _, halfMade := f.cfg.Incomplete(); halfMade {
		return f, nil
	}
	if f.copied = activeCopy(c, f.cfg); f.copied != nil && f.copied.renamed {
		f.copied = nil // its own devices, if under another name
	}
	if names := suspended(c, f.cfg.UUID); len(names) > 0 && f.copied == nil { // to read them would hang
		return nil, &Error{Object: "pool " + f.cfg.Name, Err: reason(ErrPoolState, "%s", suspendedText(names)), Hint: resumeHint(f.cfg.Name)}
	}
	if f.copied == nil && foreign(c, dm.ByUUID(partUUID(f.cfg.UUID, partPool))) {
		return nil, beyondHelp(f.cfg.Name)
	}
	f.findPlaces(c)
	var err error
	f.volumes, err = cat.VolumesAnyState()
	f.damaged = recordErrors(err)
	if err != nil && len(f.damaged) == 0 {
		return nil, err
	}
	metadata := func(c *dm.Control, f *facts) error { return s.lookMetadata(ctx, c, f) }
	uses := func(c *dm.Control, f *facts) error { return s.lookUses(ctx, c, f) }
	for _, step := range []func(*dm.Control, *facts) error{s.lookDevices, s.lookBackings, metadata, s.lookHead, s.lookRun, uses} {
		if err := ctx.Err(); err != nil {
			return nil, waitError("pool "+f.cfg.Name, err)
		}
		if err := step(c, f); err != nil {
			return nil, err
		}
	}
	f.temps, err = cat.Temps()
	return f, err
}

// findPlaces looks for the disks of an inactive pool under other names, as its
// activation will.
func (f *facts) findPlaces(c *dm.Control) {
	if _, err := c.Info(dm.ByUUID(partUUID(f.cfg.UUID, partPool))); f.cfg.Data.Kind != catalog.KindDevice || !errors.Is(err, dm.ErrNotExist) {
		return
	}
	paths, err := findBackings(f.cfg)
	if err != nil {
		f.places = err
		return
	}
	for _, part := range []string{partData, partMeta} {
		if at := paths[part]; at.moved {
			f.places = errors.Join(f.places, &Error{Err: reason(ErrPoolState, "its %s is on %s now, not on %s", labelRole(part), at.path, backingOf(f.cfg, part).Path),
				Hint: "thin-snap pool activate " + f.cfg.Name + " writes that down"})
		}
	}
	f.cfg.Data.Path, f.cfg.Metadata.Path = paths[partData].path, paths[partMeta].path
}

// lookDevices lists the devices that are the pool's by their uuid, or look as
// if they were by their name, and asks the pool for its status.
func (s *System) lookDevices(c *dm.Control, f *facts) error {
	all, err := c.List("")
	if err != nil {
		return err
	}
	for _, d := range all {
		pool, volume, isVolume := splitVolumeName(d.Name)
		ours := isVolume && pool == f.cfg.Name
		for _, part := range []string{partPool, partData, partMeta, partHead} {
			ours = ours || d.Name == partName(f.cfg.Name, part)
		}
		uuid, id, hasID := splitVolumeUUID(d.UUID)
		part := f.partOf(d.UUID)
		switch mine := hasID && uuid == f.cfg.UUID || part != ""; {
		case mine && f.copied != nil: // said in a finding of its own
		case mine:
			if !isVolume || pool != f.cfg.Name || catalog.CheckVolumeName(volume) != nil {
				volume = ""
			}
			if err := f.addDevice(c, device{Info: dm.Info{Name: d.Name, UUID: d.UUID}, volume: volume, id: id, part: part}); err != nil {
				return err
			}
		case ours:
			f.foreign = append(f.foreign, d)
		}
	}
	if p := f.part(partPool); p != nil && p.Active() {
		st, err := thinpool.New(c, p.UUID).Status()
		if err != nil && !errors.Is(err, dm.ErrNotExist) {
			return err
		}
		if err == nil {
			f.live = &st
		}
	}
	return nil
}

func (f *facts) partOf(uuid string) string {
	for _, part := range []string{partPool, partData, partMeta, partHead} {
		if uuid == partUUID(f.cfg.UUID, part) {
			return part
		}
	}
	return ""
}

// addDevice asks for the device's state; one that is gone by now is not there.
func (f *facts) addDevice(c *dm.Control, d device) error {
	table, info, err := c.Table(dm.ByUUID(d.UUID))
	if errors.Is(err, dm.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &Error{Object: d.Name, Err: err}
	}
	for _, t := range table {
		d.size += t.Length.Bytes()
	}
	d.Info = info
	f.devices = append(f.devices, d)
	return nil
}

// lookMetadata reads the ids that the pool has: past the page cache from the
// active pool's own device, else behind the label of its disk or file.
func (s *System) lookMetadata(ctx context.Context, c *dm.Control, f *facts) error {
	path, at := f.cfg.Metadata.Path, int64(label.Reserved)
	if d := f.part(partMeta); d != nil && d.Active() && !d.Suspended() {
		path, at = c.NodePath(d.Name), 0
	} else if b := f.backing(partMeta); labelFlaw(f.cfg, partMeta, b.Backing, b.label, b.err, b.carries, b.size) != nil {
		return nil // not ours to read; that stands in a finding of its own
	}
	var m thinpool.Metadata
	file, err := openDirect(path)
	if err == nil {
		m, err = thinpool.ReadMetadata(ctx, file, at)
		file.Close()
	}
	if ctxErr := ctx.Err(); err != nil && ctxErr != nil {
		return waitError("pool "+f.cfg.Name, ctxErr)
	}
	if err != nil {
		f.metaErr = err
		return nil
	}
	f.meta = &m
	return nil
}

func (f *facts) backing(part string) backing {
	for _, b := range f.backings {
		if b.part == part {
			return b
		}
	}
	return backing{}
}

// lookRun lists the pool's files under /run/thin, its nodes and its lines in
// utab.
func (s *System) lookRun(c *dm.Control, f *facts) error {
	entries, err := s.refs().Entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Pool == f.cfg.Name {
			f.entries = append(f.entries, e)
		}
	}
	stale, err := c.StaleNodes(volumeName(f.cfg.Name, ""))
	if err != nil {
		return err
	}
	for _, name := range stale {
		if _, volume, ok := splitVolumeName(name); ok && catalog.CheckVolumeName(volume) == nil {
			f.nodes = append(f.nodes, name)
		}
	}
	links, err := os.ReadDir(filepath.Join(s.aliasDir(), f.cfg.Name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, l := range links {
		if _, err := c.Info(dm.ByName(volumeName(f.cfg.Name, l.Name()))); errors.Is(err, dm.ErrNotExist) && catalog.CheckVolumeName(l.Name()) == nil {
			f.aliases = append(f.aliases, l.Name())
		}
	}
	f.losers = s.losers(f.cfg.Name)
	f.utab, err = s.staleUtab(c, f.cfg.Name)
	return err
}
