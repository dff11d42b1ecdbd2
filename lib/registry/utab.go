package registry

import (
	"context"
	"errors"
	"slices"
	"sync"

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
)

// LookUtab tells of a line of utab whether its mount is there: in the own mount
// table, or, since utab may be everybody's, where a record says that it is.
func LookUtab(s *host.System, c *dm.Control) mount.Look {
	return func() mount.Live {
		table, err := mount.Table()
		here, tables := mount.LiveIn(table), sync.OnceValue(ReadProcTables)
		return func(source, target string) bool {
			return err != nil || here(source, target) || recorded(s, c, source, target, tables)
		}
	}
}

// recorded tells whether a volume's counted mount is at target, in a mount
// namespace or below a root that is not ours. A line that is of no volume by its
// name is let alone.
func recorded(s *host.System, c *dm.Control, source, target string, tables func() []ProcTable) bool {
	name, ours := dmname.OfNode(source)
	if !ours {
		return true
	}
	info, err := c.Info(dm.ByName(name))
	if err != nil {
		return !errors.Is(err, dm.ErrNotExist)
	}
	pool, volume, _ := dmname.ParseVolume(name)
	rec, err := s.Refs().Read(pool, volume)
	if err != nil || rec.MountedOn != target || rec.Dev != info.Dev.String() {
		return false
	}
	return IsMountedSomewhere(slices.Values(tables()), ShowsAll("/proc"), rec, mount.Namespace(), source)
}

// MendUtab sees to it that umount(8) finds us for the counted mount of a volume: a
// mount that was made by hand or with -n has no lines in utab, and others get
// lost. spare is how many lines umount(8) is going to take away.
func MendUtab(ctx context.Context, s *host.System, c *dm.Control, e mount.Entry, spare int) {
	if err := s.Utab().Mend(ctx, e, spare, LookUtab(s, c)); err != nil {
		s.Warnf("%s: utab: %v; unmount it with: %v", e.Spec, err, fault.UnmountByHelper{Path: e.Target})
	}
}

// Counted finds the mount that a record counts in the own mount table, or nil.
func Counted(table []*mountinfo.Info, rec refcount.Record) *mountinfo.Info {
	for _, m := range table {
		if m.ID == rec.MountID && m.Mountpoint == rec.MountedOn {
			return m
		}
	}
	return nil
}

// UtabEntry is what utab has to say of a mount.
func UtabEntry(m *mountinfo.Info, spec string) mount.Entry {
	return mount.Entry{Source: m.Source, Target: m.Mountpoint, Root: m.Root, Spec: spec}
}
