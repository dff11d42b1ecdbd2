package thin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fsprobe"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
)

// lookBackings reads the labels of the pool's disks or files, and which device
// the active pool lies on.
func (s *System) lookBackings(c *dm.Control, f *facts) error {
	for part, from := range map[string]catalog.Backing{partData: f.cfg.Data, partMeta: f.cfg.Metadata} {
		b := backing{Backing: from, part: part}
		b.read()
		if d := f.part(part); d != nil && d.Active() {
			table, _, err := c.Table(dm.ByUUID(d.UUID))
			if err == nil && len(table) > 0 {
				b.lower, _, _ = strings.Cut(table[0].Params, " ")
			}
		}
		f.backings = append(f.backings, b)
	}
	return nil
}

// read fills in what there is at the path.
func (b *backing) read() {
	file, err := os.OpenFile(b.Path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0) // a FIFO in its place would keep us
	if err != nil {
		b.err = err
		return
	}
	defer file.Close()
	if b.label, b.err = label.Read(file); b.err != nil {
		b.carries = carried(file)
	}
	if st, err := file.Stat(); err == nil {
		b.size = st.Size()
	}
	if b.Kind == catalog.KindFile {
		b.loops, _ = loop.Find(b.Path)
		return
	}
	if size, err := loop.Size(file); err == nil {
		b.size = size
	}
}

// carried names what a disk or file carries that has no label, as LVM's or
// somebody's filesystem: "" if nothing is known.
func carried(file *os.File) string {
	size, err := loop.Size(file)
	if err != nil {
		st, err := file.Stat()
		if err != nil {
			return ""
		}
		size = st.Size()
	}
	found, err := fsprobe.Signatures(file, size)
	if err != nil || len(found) == 0 {
		return ""
	}
	return "carries " + found[0].Type
}

// lookUses reads who is at work on which volume, and how the others are used. It
// asks about those alone that have a file of ours or a device: a pool may have
// very many volumes, and idle ones have neither.
func (s *System) lookUses(ctx context.Context, c *dm.Control, f *facts) error {
	f.busy, f.uses = map[string]bool{}, map[string]use{}
	files, active := map[string]bool{}, map[uint32]bool{}
	for _, e := range f.entries {
		files[e.Volume] = true
	}
	for _, d := range f.devices {
		active[d.id] = active[d.id] || d.part == ""
	}
	for volume := range f.named() {
		if err := ctx.Err(); err != nil {
			return waitError("pool "+f.cfg.Name, err)
		}
		if !files[volume] {
			continue
		}
		free, err := s.refs().IsFree(f.cfg.Name, volume)
		if err != nil {
			return err
		}
		if !free {
			f.busy[volume] = true
		}
	}
	for _, v := range f.volumes {
		if f.busy[v.Name] || f.copied != nil { // what is active is not this one
			continue
		}
		if err := ctx.Err(); err != nil {
			return waitError("pool "+f.cfg.Name, err)
		}
		u, err := s.lookUse(c, v, files[v.Name], active[v.ID])
		if err != nil {
			return err
		}
		f.uses[v.Name] = u
	}
	return nil
}

// unlined tells whether a mount of several references lacks its lines in utab.
func (s *System) unlined(c *dm.Control, v catalog.Volume, rec refcount.Record, seen refcount.Observed) (bool, error) {
	if rec.References < 2 || rec.Elsewhere {
		return false, nil
	}
	for _, at := range seen.Mounts {
		if at.ID == rec.MountID {
			lacks, err := s.utab().Lacks(mount.Entry{Source: c.NodePath(volumeName(v.Pool, v.Name)), Target: at.Path, Root: at.Root, Spec: rec.Volume})
			if err != nil {
				err = fmt.Errorf("utab: %w", err)
			}
			return lacks, err
		}
	}
	return false, nil
}

// lookUse reads how one volume is used.
func (s *System) lookUse(c *dm.Control, v catalog.Volume, hasFile, isActive bool) (u use, err error) {
	u.seen = refcount.Observed{PoolUUID: v.PoolUUID, ThinID: v.ID}
	if hasFile {
		u.record, err = s.refs().Read(v.Pool, v.Name)
		var damage *refcount.CorruptError
		switch {
		case errors.As(err, &damage):
			u.damage = damage
		case err != nil && !errors.Is(err, refcount.ErrNoRecord):
			return u, err
		}
		u.written = err == nil
	}
	if isActive {
		if u.seen, _, err = observed(c, v, u.record); err != nil {
			return u, &Error{Object: v.Pool + "/" + v.Name, Err: err}
		}
		if u.unlined, err = s.unlined(c, v, u.record.Reconcile(u.seen), u.seen); err != nil {
			return u, err
		}
	}
	u.held = u.written && u.record.Held && u.record.PoolUUID == v.PoolUUID
	return u, nil
}

// named is every volume that anything is named after.
func (f *facts) named() map[string]bool {
	names := map[string]bool{}
	for _, v := range f.volumes {
		names[v.Name] = true
	}
	for volume := range f.damaged {
		names[volume] = true
	}
	for _, op := range f.cfg.Operations {
		names[op.Volume] = true
	}
	for _, d := range f.devices {
		names[d.volume] = true
	}
	for _, e := range f.entries {
		names[e.Volume] = true
	}
	for _, volume := range f.aliases {
		names[volume] = true
	}
	for _, l := range f.utab {
		names[l.volume] = true
	}
	for _, node := range f.nodes {
		_, volume, _ := splitVolumeName(node)
		names[volume] = true
	}
	delete(names, "")
	return names
}

// staleUtab lists the lines of a pool's volumes whose mount is gone.
func (s *System) staleUtab(c *dm.Control, pool string) ([]utabLine, error) {
	all, err := s.utab().Stale(s.lookUtab(c))
	if err != nil {
		return nil, fmt.Errorf("utab: %w", err)
	}
	var mine []utabLine
	for _, l := range all {
		if named, volume, ok := s.namedBy(l.Source); ok && named == pool {
			mine = append(mine, utabLine{l, volume})
		}
	}
	return mine, nil
}
