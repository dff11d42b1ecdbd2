package check

import (
	"fmt"
	"maps"
	"slices"

	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
)

// compareDevices reports devices that nobody uses, and suspended devices, whose
// users wait. It leaves out the volumes whose lock a command holds: that
// command deals with the device.
func (f *Facts) compareDevices() []Finding {
	var found []Finding
	for _, d := range f.Devices {
		if d.Part == "" && f.Busy[d.Volume] {
			continue
		}
		o := Finding{Kind: KindDevice, Object: d.Name}
		name := f.nameOf(d)
		switch {
		case d.Part == "" && name != "" && d.Volume != name:
			o.What, o.Remedy = "is the device of "+f.object(name)+" under another name",
				fault.Hint("dmsetup rename "+d.Name+" "+dmname.Volume(f.Volume(name)))
		case d.Active() && d.Suspended():
			o.Kind, o.What, o.Repair = KindSuspended,
				"is suspended: every process that uses it waits", Resume{d.Name, d.Part}
		case d.Part == dmname.Pool && d.Active(), d.OpenCount > 0:
			continue
		case d.Part != "":
			o.What = "is left over: the pool is not active"
			o.Repair = RemoveDevice{d.Name, d.Part}
		case f.Uses[d.Volume].Pinned:
			continue
		case d.Volume == "":
			o.What, o.Remedy = fmt.Sprintf(
				"is left over of thin id %d, under a name that is not ours", d.ID),
				fault.Hint("dmsetup remove "+d.Name)
		default:
			o.What, o.Repair = "is left over: nobody has it open", RemoveDevice{Device: d.Name}
		}
		found = append(found, o)
	}
	return found
}

// nameOf returns the volume whose record has the thin id of the device, or "".
// If several records have the id, it prefers the one with the device's name.
func (f *Facts) nameOf(d Device) (name string) {
	for _, v := range f.Volumes {
		if v.ID == d.ID && (name == "" || v.Name == d.Volume) {
			name = v.Name
		}
	}
	return name
}

// compareNodes reports nodes below /dev/mapper and links below /run/thin/dev
// whose device is gone.
func (f *Facts) compareNodes() []Finding {
	var found []Finding
	for _, name := range f.Nodes {
		if volume, _ := dmname.ParseVolume(name); !f.Busy[volume.Name] {
			found = append(found,
				Finding{Kind: KindNode, Object: "/dev/mapper/" + name,
					What: "leads to a device that is gone", Repair: RemoveNode{name}})
		}
	}
	for _, volume := range f.Aliases {
		if !f.Busy[volume] {
			found = append(found, Finding{Kind: KindAlias, Object: f.object(volume),
				What: "has a link to a device that is gone", Repair: RemoveLink{volume}})
		}
	}
	return found
}

// compareUses reports records of references that differ from what the kernel
// says.
func (f *Facts) compareUses() []Finding {
	var found []Finding
	for _, volume := range slices.Sorted(maps.Keys(f.Uses)) {
		if what := f.Uses[volume].flaw(); what != "" {
			found = append(found,
				Finding{Kind: KindRecord, Object: f.object(volume), What: what,
					Repair: CorrectRecord{volume}})
		}
	}
	return found
}

// flaw says how the record and the kernel differ in what matters to users. ""
// means that they agree.
func (u Use) flaw() string {
	now := u.Record.Reconcile(u.Seen)
	switch {
	case u.Damage != nil:
		return u.Damage.Error()
	case !u.Written && whole(u.Seen.Mounts) && now.References > 0:
		return fmt.Sprintf(
			"is mounted on %s, and has no record of that: it counts as one reference",
			now.MountedOn)
	case !u.Written:
		return ""
	case now.Empty() && !u.Record.Empty():
		return fmt.Sprintf("the record says %s, but it is not", claim(u.Record))
	case now.MountedOn != u.Record.MountedOn || now.References != u.Record.References ||
		now.Pinned != u.Record.Pinned:
		return fmt.Sprintf("the record says %s, but it is %s", claim(u.Record), claim(now))
	}
	return ""
}

// claim says in words what a record claims.
func claim(r refcount.Record) string {
	switch {
	case r.References > 0:
		return fmt.Sprintf("mounted on %s with %s", r.MountedOn,
			fault.Count(r.References, "reference"))
	case r.Pinned:
		return "active"
	}
	return "not mounted"
}

// compareFiles reports files of volumes that do not exist, and files of
// interrupted writes.
func (f *Facts) compareFiles() []Finding {
	var found []Finding
	seen := map[string]bool{}
	for _, e := range f.Entries {
		volume := e.Volume.Name
		strange := volume != "" && !f.known(volume) && !f.hasIntent(volume) && !f.hasDevice(volume)
		o := Finding{Object: e.Path, Repair: RemoveEntry{e}}
		switch {
		case f.Busy[volume] && volume != "":
			continue
		case e.Kind == refcount.KindTemp:
			o.Kind, o.What = KindTemp, "is what an interrupted write has left"
		case strange && e.Kind == refcount.KindRecord:
			o.Kind, o.What = KindRecord, "is the record of a volume that is not there"
		case strange && e.Kind == refcount.KindLock && !seen[volume]:
			seen[volume] = true // a lock file and its turnstile go together
			o.Kind, o.What = KindLock, "is the lock file of a volume that is not there"
		default:
			continue
		}
		found = append(found, o)
	}
	for _, t := range f.Temps {
		if t.Volume == "" || !f.Busy[t.Volume] {
			found = append(found, Finding{Kind: KindTemp, Object: t.Path,
				What: "is what an interrupted write has left", Repair: RemoveTemp{t}})
		}
	}
	return found
}

// hasDevice tells whether a device has the name of the volume.
func (f *Facts) hasDevice(volume string) bool {
	return slices.ContainsFunc(f.Devices,
		func(d Device) bool { return d.Part == "" && d.Volume == volume })
}

// compareUtab reports lines without a mount, and mounts without lines. For a
// mount without lines, umount(8) does not find its helper, and the first umount
// would end all references.
func (f *Facts) compareUtab() []Finding {
	var found []Finding
	seen := map[string]bool{}
	for _, l := range f.Utab {
		if !seen[l.Target] && !f.Busy[l.Volume] {
			seen[l.Target] = true
			found = append(found,
				Finding{Kind: KindUtab, Object: l.Target, Repair: RemoveLines{l.Target},
					What: "is in libmount's utab, but not mounted"})
		}
	}
	for _, volume := range slices.Sorted(maps.Keys(f.Uses)) {
		if u := f.Uses[volume]; u.Unlined {
			now := u.Record.Reconcile(u.Seen)
			found = append(found,
				Finding{Kind: KindUtab, Object: now.MountedOn, Repair: WriteLines{volume},
					What: fmt.Sprintf("is not in libmount's utab: the first umount takes all %s",
						fault.Count(now.References, "reference"))})
		}
	}
	return found
}

// compareFstab reports lines of fstab that will never be mounted.
func (f *Facts) compareFstab() []Finding {
	var found []Finding
	for _, l := range f.Losers {
		found = append(found,
			Finding{Kind: KindFstab, Object: l.Volume.String(),
				Remedy: registry.TwoLinesRemedy(l.Volume),
				What: fmt.Sprintf("line %d of fstab says %s, but the first line wins: line %d, %s",
					l.Line.Line, l.Line.Dir, l.Wins.Line, l.Wins.Dir)})
	}
	return found
}

// whole tells whether one of the mounts shows the root of the filesystem. A
// mount of mount(8) that shows only a folder of it (X-mount.subdir=) has no
// record on purpose.
func whole(mounts []refcount.MountPoint) bool {
	return slices.ContainsFunc(mounts, func(m refcount.MountPoint) bool { return m.Root == "/" })
}
