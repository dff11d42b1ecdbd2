package inspect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// lookBackings reads the labels of the pool's disks or files, and asks the
// kernel which device each part of the active pool lies on.
func lookBackings(s *host.System, c *dm.Control, f *check.Facts) error {
	for part, from := range map[string]catalog.Backing{
		dmname.Data: f.Config.Data, dmname.Meta: f.Config.Metadata,
	} {
		b := check.Backing{Backing: from, Part: part}
		read(&b)
		if d := f.Part(part); d != nil && d.Active() {
			table, _, err := c.Table(dm.ByUUID(d.UUID))
			if err == nil && len(table) > 0 {
				b.Lower, _, _ = strings.Cut(table[0].Params, " ")
			}
		}
		f.Backings = append(f.Backings, b)
	}
	return nil
}

// read fills in the label, the size and the loop devices of the disk or file at
// b.Path.
func read(b *check.Backing) {
	// With O_NONBLOCK the open does not wait if a FIFO has the path.
	file, err := os.OpenFile(b.Path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		b.Err = err
		return
	}
	defer file.Close()
	if b.Label, b.Err = label.Read(file); b.Err != nil {
		b.Carries = backing.Carried(file)
	}
	if st, err := file.Stat(); err == nil {
		b.Size = st.Size()
	}
	if b.Kind == catalog.KindFile {
		b.Loops, _ = loop.Find(b.Path)
		return
	}
	if size, err := loop.Size(file); err == nil {
		b.Size = size
	}
}

// lookUses finds the volumes that other commands work on (f.Busy), and how all
// others are used (f.Uses). It asks the kernel and the locks only about volumes
// that have a device or a file under RunDir. A pool may have very many volumes,
// and idle ones have neither.
func lookUses(ctx context.Context, s *host.System, c *dm.Control, f *check.Facts) error {
	f.Busy, f.Uses = map[string]bool{}, map[string]check.Use{}
	files, active := map[string]bool{}, map[spec.ID]bool{}
	for _, e := range f.Entries {
		files[e.Volume.Name] = true
	}
	for _, d := range f.Devices {
		active[d.ID] = active[d.ID] || d.Part == ""
	}
	for volume := range named(f) {
		if err := ctx.Err(); err != nil {
			return fault.WaitError("pool "+f.Config.Name, err)
		}
		if !files[volume] {
			continue
		}
		free, err := s.Refs().IsFree(f.Volume(volume))
		if err != nil {
			return err
		}
		if !free {
			f.Busy[volume] = true
		}
	}
	for _, v := range f.Volumes {
		if f.Busy[v.Name] || f.Copied != nil { // the active devices are those of a copy
			continue
		}
		if err := ctx.Err(); err != nil {
			return fault.WaitError("pool "+f.Config.Name, err)
		}
		u, err := lookUse(s, c, v, files[v.Name], active[v.ID])
		if err != nil {
			return err
		}
		f.Uses[v.Name] = u
	}
	return nil
}

// unlined reports whether a mount with several references lacks its lines in
// utab.
func unlined(
	s *host.System, c *dm.Control, v catalog.Volume, rec refcount.Record, seen refcount.Observed,
) (bool, error) {
	if rec.References < 2 || rec.Elsewhere {
		return false, nil
	}
	for _, at := range seen.Mounts {
		if at.ID == rec.MountID {
			lacks, err := s.Utab().Lacks(mount.Entry{
				Source: c.NodePath(dmname.Volume(v.Spec())), Target: at.Path, Root: at.Root,
				Spec: rec.Volume.String(),
			})
			if err != nil {
				err = fmt.Errorf("utab: %w", err)
			}
			return lacks, err
		}
	}
	return false, nil
}

// lookUse reads how one volume is used. hasFile says that the volume has a file
// under RunDir, isActive that it has a device.
func lookUse(
	s *host.System, c *dm.Control, v catalog.Volume, hasFile, isActive bool,
) (u check.Use, err error) {
	u.Seen = refcount.Observed{PoolUUID: v.PoolUUID, ThinID: v.ID}
	if hasFile {
		u.Record, err = s.Refs().Read(v.Spec())
		var damage *refcount.CorruptError
		switch {
		case errors.As(err, &damage):
			u.Damage = damage
		case err != nil && !errors.Is(err, refcount.ErrNoRecord):
			return u, err
		}
		u.Written = err == nil
	}
	if isActive {
		if u.Seen, _, err = registry.QueryKernel(c, v, u.Record); err != nil {
			return u, &fault.Error{Object: v.Spec().String(), Err: err}
		}
		if u.Unlined, err = unlined(s, c, v, u.Record.Reconcile(u.Seen), u.Seen); err != nil {
			return u, err
		}
	}
	u.Pinned = u.Written && u.Record.Pinned && u.Record.PoolUUID == v.PoolUUID
	return u, nil
}

// named returns the names of all volumes that a record, an intent, a device, or
// a file is named after.
func named(f *check.Facts) map[string]bool {
	names := map[string]bool{}
	for _, v := range f.Volumes {
		names[v.Name] = true
	}
	for volume := range f.Damaged {
		names[volume] = true
	}
	for _, op := range f.Config.Intents {
		names[op.Volume] = true
	}
	for _, d := range f.Devices {
		names[d.Volume] = true
	}
	for _, e := range f.Entries {
		names[e.Volume.Name] = true
	}
	for _, volume := range f.Aliases {
		names[volume] = true
	}
	for _, l := range f.Utab {
		names[l.Volume] = true
	}
	for _, node := range f.Nodes {
		volume, _ := dmname.ParseVolume(node)
		names[volume.Name] = true
	}
	delete(names, "")
	return names
}

// staleUtab lists the lines in utab of the pool's volumes whose mount is gone.
func staleUtab(s *host.System, c *dm.Control, pool string) ([]check.UtabLine, error) {
	all, err := s.Utab().Stale(registry.LookUtab(s, c))
	if err != nil {
		return nil, fmt.Errorf("utab: %w", err)
	}
	var mine []check.UtabLine
	for _, l := range all {
		if volume, ok := registry.NamedBy(s, l.Source); ok && volume.Pool == pool {
			mine = append(mine, check.UtabLine{StaleLine: l, Volume: volume.Name})
		}
	}
	return mine, nil
}
