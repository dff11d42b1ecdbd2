package thin

import (
	"context"
	"errors"
	"slices"
	"sync"

	"thinmount/lib/dm"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
)

// lookUtab tells of a line of utab whether its mount is there: in the own mount
// table, or, since utab may be everybody's, where a record says that it is.
func (s *System) lookUtab(c *dm.Control) mount.Look {
	return func() mount.Live {
		table, err := mount.Table()
		here, tables := mount.LiveIn(table), sync.OnceValue(readProcTables)
		return func(source, target string) bool {
			return err != nil || here(source, target) || s.recorded(c, source, target, tables)
		}
	}
}

// recorded tells whether a volume's counted mount is at target, in a mount
// namespace or below a root that is not ours. A line that is of no volume by its
// name is let alone.
func (s *System) recorded(c *dm.Control, source, target string, tables func() []procTable) bool {
	name, ours := nodeName(source)
	if !ours {
		return true
	}
	info, err := c.Info(dm.ByName(name))
	if err != nil {
		return !errors.Is(err, dm.ErrNotExist)
	}
	pool, volume, _ := splitVolumeName(name)
	rec, err := s.refs().Read(pool, volume)
	if err != nil || rec.MountedOn != target || rec.Dev != info.Dev.String() {
		return false
	}
	return lives(slices.Values(tables()), showsAll("/proc"), rec, mount.Namespace(), source)
}

// mend sees to it that umount(8) finds us for the counted mount of a volume: a
// mount that was made by hand or with -n has no lines in utab, and others get
// lost. spare is how many lines umount(8) is going to take away.
func (s *System) mend(ctx context.Context, c *dm.Control, e mount.Entry, spare int) {
	if err := s.utab().Mend(ctx, e, spare, s.lookUtab(c)); err != nil {
		s.warn("%s: utab: %v; unmount it with: umount.thin %s", e.Spec, err, shellPath(e.Target))
	}
}

// counted finds the mount that a record counts in the own mount table, or nil.
func counted(table []*mountinfo.Info, rec refcount.Record) *mountinfo.Info {
	for _, m := range table {
		if m.ID == rec.MountID && m.Mountpoint == rec.MountedOn {
			return m
		}
	}
	return nil
}

// utabEntry is what utab has to say of a mount.
func utabEntry(m *mountinfo.Info, spec string) mount.Entry {
	return mount.Entry{Source: m.Source, Target: m.Mountpoint, Root: m.Root, Spec: spec}
}
