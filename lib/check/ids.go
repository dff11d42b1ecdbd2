package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
)

// compareIDs sets the names of the catalog beside the thin ids of the pool.
func (f *Facts) compareIDs() []Finding {
	if f.Meta == nil {
		return nil
	}
	claims := map[uint32][]catalog.Volume{}
	explained := f.explained()
	dropped := map[string]bool{}
	var found []Finding
	for _, v := range f.Volumes {
		d, there := f.Meta.Devices[thinpool.ID(v.ID)]
		switch {
		case explained[v.ID] && f.inOperation(v.Name):
		case !there:
			found = append(found, f.missing(v))
		case d.TransactionID != v.TransactionID:
			found = append(found, f.other(v, d))
		default:
			claims[v.ID] = append(claims[v.ID], v)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(claims)) {
		found = append(found, f.twins(claims[id])...)
	}
	for _, d := range found {
		dropped[d.Volume] = d.Repair != ""
	}
	for _, id := range slices.Sorted(maps.Keys(claims)) {
		for _, v := range claims[id] {
			if !dropped[v.Name] {
				found = append(found, f.compareSize(v)...)
			}
		}
	}
	return append(found, f.orphans(claims, explained, dropped)...)
}

// explained are the ids that recovery sees to. In a copy of the catalog that
// is not the pool's newest there are none: what was being done when the copy
// was made has long been done, and the id may be anybody's.
func (f *Facts) explained() map[uint32]bool {
	ids := map[uint32]bool{}
	if !f.mismatch() {
		for _, op := range f.Config.Intents {
			ids[op.ID] = true
		}
	}
	return ids
}

func (f *Facts) object(volume string) string { return f.Config.Name + "/" + volume }

// describe is what somebody needs who is to let a record go.
func describe(v catalog.Volume) string {
	s := fmt.Sprintf("of %s, made %s", fault.ExactSize(v.Size), v.Created.Format("2006-01-02 15:04:05 MST"))
	if v.Origin != "" {
		s += ", a snapshot of " + v.Origin
	}
	return s
}

// unlessUsed takes the repair back where the volume is in use: the volume of
// that id, not what else may be active under the name.
func (f *Facts) unlessUsed(d Finding) Finding {
	dev := f.device(d.ID)
	if f.Busy[d.Volume] || dev != nil && dev.Volume == d.Volume && dev.OpenCount > 0 {
		d.Repair, d.Remedy = "", fault.Hint("it is in use: unmount it, and check again")
	}
	return d
}

func (f *Facts) missing(v catalog.Volume) Finding {
	return f.unlessUsed(Finding{Kind: KindMissing, Object: f.object(v.Name), Volume: v.Name, ID: v.ID,
		What:   fmt.Sprintf("the pool has no thin id %d (record %s)", v.ID, describe(v)),
		Repair: "remove the record"})
}

func (f *Facts) other(v catalog.Volume, d thinpool.Device) Finding {
	return f.unlessUsed(Finding{Kind: KindReused, Object: f.object(v.Name), Volume: v.Name, ID: v.ID,
		What: fmt.Sprintf("thin id %d was made at transaction id %d, the record is of %d: what it described is gone (record %s)",
			v.ID, d.TransactionID, v.TransactionID, describe(v)),
		Repair: "remove the record, so that the id can be named as what it is"})
}

// twins lets one of several names keep their id: the one that is active, or
// the first.
func (f *Facts) twins(claims []catalog.Volume) []Finding {
	keep := claims[0]
	if d := f.device(keep.ID); d != nil {
		for _, v := range claims {
			if v.Name == d.Volume {
				keep = v
			}
		}
	}
	var found []Finding
	for _, v := range claims {
		if v.Name != keep.Name {
			found = append(found, f.unlessUsed(Finding{Kind: KindDuplicate, Object: f.object(v.Name), Volume: v.Name, ID: v.ID,
				What:   fmt.Sprintf("has thin id %d, which is %s's, too", v.ID, f.object(keep.Name)),
				Repair: "remove this one of the two records"}))
		}
	}
	return found
}

// blockSize is the pool's, in bytes.
func (f *Facts) blockSize() int64 { return int64(f.Config.BlockSize) * dm.SectorSize }

// compareSize sees to it that no end of a volume is cut off. A last block may
// be larger than what is left of the volume.
func (f *Facts) compareSize(v catalog.Volume) []Finding {
	if end := int64(f.Meta.Devices[thinpool.ID(v.ID)].End); end > 0 && (end-1)*f.blockSize() >= v.Size {
		size := end * f.blockSize()
		return []Finding{f.unlessUsed(Finding{Kind: KindSize, Object: f.object(v.Name), Volume: v.Name, ID: v.ID, Size: size,
			What:   fmt.Sprintf("has data up to byte %d, the record says it has %s", size, fault.ExactSize(v.Size)),
			Repair: fmt.Sprintf("set the record's size to %s", fault.ExactSize(size))})}
	}
	if d := f.device(v.ID); d != nil && d.Active() && d.Size != v.Size {
		return []Finding{{Kind: KindSize, Object: f.object(v.Name), Volume: v.Name, ID: v.ID,
			What:   fmt.Sprintf("its device %s has %s, the record says %s", d.Name, fault.ExactSize(d.Size), fault.ExactSize(v.Size)),
			Remedy: fault.Hint("unmount it: its next device is as the record says")}}
	}
	return nil
}

// orphans are ids that neither a record nor an operation has.
func (f *Facts) orphans(claims map[uint32][]catalog.Volume, explained map[uint32]bool, dropped map[string]bool) []Finding {
	taken := func(name string) bool { return f.known(name) && !dropped[name] || f.inOperation(name) && !f.mismatch() }
	named := map[string]bool{}
	var found []Finding
	for _, id := range slices.Sorted(maps.Keys(f.Meta.Devices)) {
		if f.isHead(id) || explained[uint32(id)] || len(claims[uint32(id)]) > 0 {
			continue
		}
		found = append(found, f.orphan(id, func(name string) bool { return taken(name) || named[name] }))
		named[found[len(found)-1].Volume] = true
	}
	return found
}

// orphan gets the name that its device has, or one that tells what it is. Its
// size is not known to the pool: that of its device, or as large as the
// largest volume, so that a filesystem in it fits.
func (f *Facts) orphan(id thinpool.ID, taken func(string) bool) Finding {
	d := f.Meta.Devices[id]
	o := Finding{Kind: KindOrphan, Object: fmt.Sprintf("%s: thin id %d", f.Config.Name, id), ID: uint32(id), Transaction: d.TransactionID,
		What: fmt.Sprintf("has no name; %s of it are mapped, it was made at transaction id %d", fault.ExactSize(int64(d.Mapped)*f.blockSize()), d.TransactionID)}
	o.Size = max(int64(d.End), 1) * f.blockSize()
	for _, v := range f.Volumes {
		o.Size = max(o.Size, v.Size)
	}
	o.Volume = f.freeName(id, taken)
	if dev := f.device(uint32(id)); dev != nil {
		o.What += fmt.Sprintf("; it is active as %s", dev.Name)
		if catalog.CheckVolumeName(dev.Volume) != nil || taken(dev.Volume) {
			o.Remedy = fault.Hint("unmount or remove that device, and check again")
			return o
		}
		o.Volume, o.Size = dev.Volume, cmp.Or(dev.Size, o.Size)
	}
	if len(f.Damaged) > 0 {
		o.Remedy = fault.Hint("it may belong to a record that cannot be read: see to those first")
		return o
	}
	o.Repair = fmt.Sprintf("name it %s, of %s", f.object(o.Volume), fault.ExactSize(o.Size))
	return o
}

func (f *Facts) freeName(id thinpool.ID, taken func(string) bool) string {
	name := fmt.Sprintf("orphan-%d", id)
	for n := 2; taken(name); n++ {
		name = fmt.Sprintf("orphan-%d-%d", id, n)
	}
	return name
}
