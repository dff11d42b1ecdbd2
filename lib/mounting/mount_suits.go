package mounting

import (
	"slices"
	"strings"

	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// A volume that is mounted already is not mounted again: a reference is counted.
// What the caller then believes to have at DIR must be so.

// mountedByLine is a mount that a line of fstab has made already. It counts
// nothing, and asks for nothing new: `mount -a` repeats all lines.
func (m *mounting) mountedByLine(rec refcount.Record) error {
	m.Stepf("%s is mounted on %s already, as line %d of %s wants", rec.Volume, m.dir, m.line, m.Fstab)
	if _, err := m.seen(rec); err != nil {
		m.Warnf("%v", err)
	}
	return nil
}

// checkOptions refuses a second mount that would be told a lie: where something else
// lies over the mount, or where it is of another type, or read-only and is not to
// be, or the reverse. Of other options that are not in force it warns.
func (m *mounting) checkOptions(rec refcount.Record) error {
	at, err := m.seen(rec)
	if err != nil {
		return err
	}
	if _, fstype, ok := strings.Cut(m.request.FSType, "."); ok && fstype != at.FSType {
		return &fault.Error{Object: rec.Volume, Err: fault.Errorf(fault.ErrBusy, "mounted on %s as %s, not as %s", m.dir, at.FSType, fstype),
			Remedy: fault.Sayf("leave the type out: %v", fault.Mount{Volume: rec.Volume, Path: m.dir})}
	}
	if err := m.checkReadOnly(rec, at); err != nil {
		return err
	}
	if differs := m.options.Unlike(at); len(differs) > 0 {
		m.Warnf("%s: the options of the mount on %s stay as they are, %s: change them with mount -o remount",
			rec.Volume, m.dir, strings.Join(differs, ", "))
	}
	return nil
}

// seen is the volume's mount at DIR, if that is what one sees there.
func (m *mounting) seen(rec refcount.Record) (*mountinfo.Info, error) {
	table, err := m.table()
	if err != nil {
		return nil, err
	}
	top := mount.Top(table, rec.MountedOn)
	i := slices.IndexFunc(table, func(o *mountinfo.Info) bool { return o.ID == rec.MountID })
	if i >= 0 && top != nil && (top == table[i] || sameView(top, table[i])) {
		return top, nil
	}
	return nil, &fault.Error{
		Object: rec.Volume,
		Err:    fault.Errorf(fault.ErrBusy, "mounted on %s already, but %s lies over it", rec.MountedOn, covering(top)),
		Remedy: fault.Hint("unmount that first; findmnt shows it"),
	}
}

// sameView tells whether two mounts show the same folder of one filesystem, as a
// bind mount of a folder onto itself does.
func sameView(a, b *mountinfo.Info) bool {
	return a.Major == b.Major && a.Minor == b.Minor && a.Root == b.Root && a.FSType == b.FSType
}

// checkReadOnly refuses a second mount that differs from the first in whether it
// may write, as the kernel refuses a second mount of a device. A pool that cannot
// be written to makes each mount read-only, which is said.
func (m *mounting) checkReadOnly(rec refcount.Record, at *mountinfo.Info) error {
	is := mount.ReadOnly(at)
	if is == m.options.ReadOnly {
		return nil
	}
	if is {
		st, err := thinpool.New(m.c, dmname.PartUUID(rec.PoolUUID, dmname.Pool)).Status()
		if err == nil && (st.Writable() != nil || st.Queues()) {
			m.Warnf("%s: mounted on %s read-only, since its pool is not to be written to", rec.Volume, m.dir)
			return nil
		}
	}
	how := map[bool]string{true: "read-only", false: "writable"}
	word := map[bool]string{true: "ro", false: "rw"}
	return &fault.Error{
		Object: rec.Volume,
		Err:    fault.Errorf(fault.ErrBusy, "mounted on %s already, and %s, not %s", m.dir, how[is], how[!is]),
		Remedy: fault.Hint("ask for the same: mount -o " + word[is] + "; or change the mount for all who use it: mount -o remount," + word[!is] + " " + fault.ShellPath(m.dir)),
	}
}
