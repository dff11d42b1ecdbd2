package mounting

import (
	"strings"

	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// A volume that is mounted already is not mounted again: addReference counts a
// reference. The functions of this file check that the mount on the caller's
// directory is what the caller asked for.

// mountedByLine answers a mount that a line of fstab asks for and that exists
// already. It counts no reference and compares no options, because `mount -a`
// repeats all lines. It warns if another mount hides the volume's mount.
func (m *mounting) mountedByLine(rec refcount.Record) error {
	m.Stepf("%s is mounted on %s already, as line %d of %s wants", rec.Volume, m.dir, m.line,
		m.Fstab)
	if _, err := m.seen(rec); err != nil {
		m.Warnf("%v", err)
	}
	return nil
}

// checkOptions returns ErrBusy if the existing mount is not what the caller
// asked for: another mount hides it, it has another filesystem type, or one of
// the two is read-only and the other is not. It warns of other options that
// differ.
func (m *mounting) checkOptions(rec refcount.Record) error {
	at, err := m.seen(rec)
	if err != nil {
		return err
	}
	if _, fstype, ok := strings.Cut(m.request.FSType, "."); ok && fstype != at.FSType {
		return &fault.Error{Object: rec.Volume.String(),
			Err: fault.Errorf(fault.ErrBusy, "mounted on %s as %s, not as %s", m.dir, at.FSType,
				fstype),
			Remedy: fault.Sayf("leave the type out: %v",
				fault.Mount{Volume: rec.Volume, Path: m.dir})}
	}
	if err := m.checkReadOnly(rec, at); err != nil {
		return err
	}
	if differs := m.options.Unlike(at); len(differs) > 0 {
		m.Warnf(
			"%s: the options of the mount on %s stay as they are, %s: change them with mount -o "+
				"remount",
			rec.Volume, m.dir, strings.Join(differs, ", "))
	}
	return nil
}

// seen returns the mount that one sees on the volume's mount path. It is the
// volume's mount, or one that shows the same folder. If something else lies
// over the volume's mount, the error is ErrBusy.
func (m *mounting) seen(rec refcount.Record) (*mountinfo.Info, error) {
	table, err := m.mounts.Now()
	if err != nil {
		return nil, err
	}
	top := mount.Top(table, rec.MountedOn)
	at := table.ByID(rec.MountID)
	if at != nil && top != nil && (top.ID == at.ID || sameView(top, at)) {
		return top, nil
	}
	return nil, &fault.Error{
		Object: rec.Volume.String(),
		Err: fault.Errorf(fault.ErrBusy, "mounted on %s already, but %s lies over it",
			rec.MountedOn, covering(top)),
		Remedy: fault.Hint("unmount that first; findmnt shows it"),
	}
}

// sameView says whether two mounts show the same folder of the same filesystem.
// A bind mount of a folder onto itself does.
func sameView(a, b *mountinfo.Info) bool {
	return a.Major == b.Major && a.Minor == b.Minor && a.Root == b.Root && a.FSType == b.FSType
}

// checkReadOnly returns ErrBusy if one of the existing mount and the new
// request is read-only and the other is not. The kernel refuses such a second
// mount of a device, too. If the mount is read-only because its pool cannot be
// written to, checkReadOnly only warns.
func (m *mounting) checkReadOnly(rec refcount.Record, at *mountinfo.Info) error {
	is := mount.ReadOnly(at)
	if is == m.options.ReadOnly {
		return nil
	}
	if is {
		st, err := thinpool.New(m.c, dmname.PartUUID(rec.PoolUUID, dmname.Pool)).Status()
		if err == nil && (st.Writable() != nil || st.Queues()) {
			m.Warnf("%s: mounted on %s read-only, since its pool is not to be written to",
				rec.Volume, m.dir)
			return nil
		}
	}
	how := map[bool]string{true: "read-only", false: "writable"}
	word := map[bool]string{true: "ro", false: "rw"}
	return &fault.Error{
		Object: rec.Volume.String(),
		Err: fault.Errorf(fault.ErrBusy, "mounted on %s already, and %s, not %s", m.dir, how[is],
			how[!is]),
		Remedy: fault.Hint("ask for the same: mount -o " + word[is] +
			"; or change the mount for all who use it: mount -o remount," + word[!is] + " " +
			fault.ShellPath(m.dir)),
	}
}
