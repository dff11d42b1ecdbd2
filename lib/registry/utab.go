package registry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
)

// LookUtab returns a mount.Look that tells whether the mount of a utab line
// exists. The mount may be in our own mount table. Since several mount
// namespaces may share one utab, it may also be a mount that a record counts in
// another namespace. If our mount table cannot be read, each mount counts as
// existing, so that no line is removed.
func LookUtab(s *host.System, c *dm.Control) mount.Look {
	return LookUtabIn(mount.Table, s, c)
}

// LookUtabIn is LookUtab for a caller that looks at our own mount table several
// times: it gets the table as it is now from table.
func LookUtabIn(table MountTable, s *host.System, c *dm.Control) mount.Look {
	return func() mount.Live {
		table, err := table()
		here, tables := mount.LiveIn(table), sync.OnceValue(ReadProcTables)
		return func(source, target string) bool {
			return err != nil || here(source, target) || recorded(s, c, source, target, tables)
		}
	}
}

// utabEvery is how often mounts and unmounts look at the lines of others.
const utabEvery = 10 * time.Second

// OneMount returns a function for a command that changes the lines of one
// mount. The function narrows a Look: a line of another volume and mount point
// counts as live, unless no command has looked at all lines for utabEvery.
// Otherwise, where many unmount side by side, each of them would look for the
// mounts of all others whose lines are still there.
func OneMount(s *host.System, source, target string) func(mount.Look) mount.Look {
	if s.Utab().Due(utabEvery) {
		return func(look mount.Look) mount.Look { return look }
	}
	return func(look mount.Look) mount.Look {
		return func() mount.Live {
			live := look()
			return func(of, at string) bool {
				return of != source && at != target || live(of, at)
			}
		}
	}
}

// recorded tells whether a volume's counted mount is at target, in a mount
// namespace or below a root directory that is not ours. source is the source in
// the line. If it is not the node of a volume, the line is not ours, and
// recorded returns true, so that the line stays.
func recorded(s *host.System, c *dm.Control, source, target string,
	tables func() []ProcTable) bool {
	name, ours := dmname.OfNode(source)
	if !ours {
		return true
	}
	info, err := c.Info(dm.ByName(name))
	if err != nil {
		return !errors.Is(err, dm.ErrNotExist)
	}
	volume, _ := dmname.ParseVolume(name)
	rec, err := s.Refs().Read(volume)
	if err != nil || rec.MountedOn != target || rec.Dev != info.Dev.String() {
		return false
	}
	return IsMountedSomewhere(slices.Values(tables()), ShowsAll("/proc"), rec,
		mount.Namespace(), source)
}

// MendUtab writes the lines of utab that a volume's counted mount lacks, so
// that umount(8) calls umount.thin for it. A mount that was made by hand or
// with -n has no lines, and lines of other mounts get lost. spare is the number
// of lines that umount(8) is going to remove. MendUtab gets our own mount table
// as it is now from table. It warns of an error.
func MendUtab(ctx context.Context, table MountTable, s *host.System, c *dm.Control, e mount.Entry,
	spare int) {
	look := OneMount(s, e.Source, e.Target)(LookUtabIn(table, s, c))
	if err := s.Utab().Mend(ctx, e, spare, look); err != nil {
		s.Warnf("%s: utab: %v; unmount it with: %v", e.Spec, err,
			fault.UnmountByHelper{Path: e.Target})
	}
}

// Counted returns the mount in our own mount table that the record counts, or
// nil if the table does not have it.
func Counted(table mountinfo.Table, rec refcount.Record) *mountinfo.Info {
	m := table.ByID(rec.MountID)
	if m == nil || m.Mountpoint != rec.MountedOn {
		return nil
	}
	return m
}

// UtabEntry returns what utab has to say about a mount. source is the volume as
// mount(8) was given it.
func UtabEntry(m *mountinfo.Info, source string) mount.Entry {
	return mount.Entry{Source: m.Source, Target: m.Mountpoint, Root: m.Root, Spec: source}
}
