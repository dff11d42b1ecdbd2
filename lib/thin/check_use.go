package thin

import (
	"fmt"
	"maps"
	"slices"

	"thinmount/lib/refcount"
)

// compareDevices finds devices that nobody uses, or that make their users wait.
// A volume that somebody is at work on is in good hands.
func (f *facts) compareDevices() []Finding {
	var found []Finding
	for _, d := range f.devices {
		if d.part == "" && f.busy[d.volume] {
			continue
		}
		o := Finding{Kind: KindDevice, Object: d.Name, volume: d.volume, id: d.id}
		name := f.nameOf(d)
		switch {
		case d.part == "" && name != "" && d.volume != name:
			o.What, o.Hint = "is the device of "+f.object(name)+" under another name", "dmsetup rename "+d.Name+" "+volumeName(f.cfg.Name, name)
		case d.Active() && d.Suspended():
			o.Kind, o.What, o.Repair = KindSuspended, "is suspended: whoever uses it waits", "resume it"
		case d.part == partPool && d.Active(), d.OpenCount > 0:
			continue
		case d.part != "":
			o.What, o.Repair = "is left over: the pool is not active", "remove it"
		case f.uses[d.volume].held:
			continue
		case d.volume == "":
			o.What, o.Hint = fmt.Sprintf("is left over of thin id %d, under a name that is not ours", d.id), "dmsetup remove "+d.Name
		default:
			o.What, o.Repair = "is left over: nobody has it open", "remove it"
		}
		found = append(found, o)
	}
	return found
}

// nameOf is the volume that a device is of, by the records. Of two with its
// id, the one whose name it has.
func (f *facts) nameOf(d device) (name string) {
	for _, v := range f.volumes {
		if v.ID == d.id && (name == "" || v.Name == d.volume) {
			name = v.Name
		}
	}
	return name
}

func (f *facts) compareNodes() []Finding {
	var found []Finding
	for _, name := range f.nodes {
		if _, volume, _ := splitVolumeName(name); !f.busy[volume] {
			found = append(found, Finding{Kind: KindNode, Object: "/dev/mapper/" + name, volume: volume,
				What: "leads to a device that is gone", Repair: "remove it"})
		}
	}
	for _, volume := range f.aliases {
		if !f.busy[volume] {
			found = append(found, Finding{Kind: KindAlias, Object: f.object(volume), volume: volume,
				What: "has a link to a device that is gone", Repair: "remove the link"})
		}
	}
	return found
}

// compareUses sets the references that are written down beside the kernel.
func (f *facts) compareUses() []Finding {
	var found []Finding
	for _, volume := range slices.Sorted(maps.Keys(f.uses)) {
		if what := f.uses[volume].flaw(); what != "" {
			found = append(found, Finding{Kind: KindRecord, Object: f.object(volume), volume: volume, What: what,
				Repair: "make its record of references say what is mounted"})
		}
	}
	return found
}

// flaw says where a record and the kernel differ, in what matters to users.
func (u use) flaw() string {
	now := u.record.Reconcile(u.seen)
	switch {
	case u.damage != nil:
		return u.damage.Error()
	case !u.written && whole(u.seen.Mounts) && now.References > 0:
		return fmt.Sprintf("is mounted on %s, and has no record of that: it counts as one reference", now.MountedOn)
	case !u.written:
		return ""
	case now.Empty() && !u.record.Empty():
		return fmt.Sprintf("the record says %s, but it is not", claim(u.record))
	case now.MountedOn != u.record.MountedOn || now.References != u.record.References || now.Held != u.record.Held:
		return fmt.Sprintf("the record says %s, but it is %s", claim(u.record), claim(now))
	}
	return ""
}

// claim puts a record into words.
func claim(r refcount.Record) string {
	switch {
	case r.References > 0:
		return fmt.Sprintf("mounted on %s with %s", r.MountedOn, Count(r.References, "reference"))
	case r.Held:
		return "active"
	}
	return "not mounted"
}

// compareFiles finds files of volumes that are not there, and of writes that
// were interrupted.
func (f *facts) compareFiles() []Finding {
	var found []Finding
	seen := map[string]bool{}
	for _, e := range f.entries {
		strange := e.Volume != "" && !f.known(e.Volume) && !f.inOperation(e.Volume) && !f.hasDevice(e.Volume)
		o := Finding{Object: e.Path, volume: e.Volume, entry: e}
		switch {
		case f.busy[e.Volume] && e.Volume != "":
			continue
		case e.Kind == refcount.KindTemp:
			o.Kind, o.What, o.Repair = KindTemp, "is what an interrupted write has left", "remove it"
		case strange && e.Kind == refcount.KindRecord:
			o.Kind, o.What, o.Repair = KindRecord, "is the record of a volume that is not there", "remove it"
		case strange && e.Kind == refcount.KindLock && !seen[e.Volume]:
			seen[e.Volume] = true // a lock file and its turnstile go together
			o.Kind, o.What, o.Repair = KindLock, "is the lock file of a volume that is not there", "remove it"
		default:
			continue
		}
		found = append(found, o)
	}
	for _, t := range f.temps {
		if t.Volume == "" || !f.busy[t.Volume] {
			found = append(found, Finding{Kind: KindTemp, Object: t.Path, volume: t.Volume, temp: t,
				What: "is what an interrupted write has left", Repair: "remove it"})
		}
	}
	return found
}

func (f *facts) hasDevice(volume string) bool {
	return slices.ContainsFunc(f.devices, func(d device) bool { return d.part == "" && d.volume == volume })
}

// compareUtab finds lines without a mount, and mounts whose references the first
// umount(8) would end, since it does not find its helper.
func (f *facts) compareUtab() []Finding {
	var found []Finding
	seen := map[string]bool{}
	for _, l := range f.utab {
		if !seen[l.Target] && !f.busy[l.volume] {
			seen[l.Target] = true
			found = append(found, Finding{Kind: KindUtab, Object: l.Target, volume: l.volume, What: "is in libmount's utab, but not mounted", Repair: "remove its lines"})
		}
	}
	for _, volume := range slices.Sorted(maps.Keys(f.uses)) {
		if u := f.uses[volume]; u.unlined {
			now := u.record.Reconcile(u.seen)
			found = append(found, Finding{Kind: KindUtab, Object: now.MountedOn, volume: volume, lines: true, Repair: "write its lines",
				What: fmt.Sprintf("is not in libmount's utab: the first umount takes all %s", Count(now.References, "reference"))})
		}
	}
	return found
}

// compareFstab finds lines of fstab that will never be mounted.
func (f *facts) compareFstab() []Finding {
	var found []Finding
	for _, l := range f.losers {
		found = append(found, Finding{Kind: KindFstab, Object: l.volume, Hint: twoLinesHint(l.volume),
			What: fmt.Sprintf("line %d of fstab says %s, but the first line wins: line %d, %s", l.line.Line, l.line.Dir, l.wins.Line, l.wins.Dir)})
	}
	return found
}

// whole tells whether a mount shows the filesystem's root. What mount(8) shows
// a folder of only (X-mount.subdir=) has no record on purpose.
func whole(mounts []refcount.MountPoint) bool {
	return slices.ContainsFunc(mounts, func(m refcount.MountPoint) bool { return m.Root == "/" })
}
