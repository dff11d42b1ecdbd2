package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// compareIDs compares the names in the catalog with the thin ids in the pool.
func (f *Facts) compareIDs() []Finding {
	if f.Meta == nil {
		return nil
	}
	claims := map[spec.ID][]catalog.Volume{}
	explained := f.explained()
	dropped := map[string]bool{}
	var found []Finding
	for _, v := range f.Volumes {
		d, there := f.Meta.Devices[v.ID]
		switch {
		case explained[v.ID] && f.hasIntent(v.Name):
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
		if r, is := d.Repair.(RemoveRecord); is {
			dropped[r.Volume] = true
		}
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

// explained returns the thin ids that recovery deals with, because an intent
// names them. If the catalog and the pool do not belong together, it returns
// none. The intents may be those of an older copy. Their commands ended long
// ago, and the id may be another volume's now.
func (f *Facts) explained() map[spec.ID]bool {
	ids := map[spec.ID]bool{}
	if !f.mismatch() {
		for _, op := range f.Config.Intents {
			ids[op.ID] = true
		}
	}
	return ids
}

// Volume returns the full name of a volume of the pool.
func (f *Facts) Volume(name string) spec.Volume {
	return spec.Volume{Pool: f.Config.Name, Name: name}
}

// object returns POOL/VOLUME.
func (f *Facts) object(volume string) string { return f.Volume(volume).String() }

// describe says what a user needs to know before a record is removed.
func describe(v catalog.Volume) string {
	s := fmt.Sprintf("of %s, made %s", fault.ExactSize(v.Size),
		v.Created.Format("2006-01-02 15:04:05 MST"))
	if v.Origin != "" {
		s += ", a snapshot of " + v.Origin
	}
	return s
}

// unlessUsed takes the repair out of a finding about a volume if the volume is
// in use. It looks at the device of the volume's thin id. Another device that
// is active under the volume's name does not count.
func (f *Facts) unlessUsed(v catalog.Volume, d Finding) Finding {
	dev := f.device(v.ID)
	if f.Busy[v.Name] || dev != nil && dev.Volume == v.Name && dev.OpenCount > 0 {
		d.Repair, d.Remedy = nil, fault.Hint("it is in use: unmount it, and check again")
	}
	return d
}

// missing returns the finding for a record whose thin id does not exist.
func (f *Facts) missing(v catalog.Volume) Finding {
	return f.unlessUsed(v, Finding{Kind: KindMissing, Object: f.object(v.Name),
		What:   fmt.Sprintf("the pool has no thin id %d (record %s)", v.ID, describe(v)),
		Repair: RemoveRecord{v.Name, v.ID, KindMissing}})
}

// other returns the finding for a record whose thin id d was made anew by
// others.
func (f *Facts) other(v catalog.Volume, d thinpool.Device) Finding {
	return f.unlessUsed(v, Finding{Kind: KindReused, Object: f.object(v.Name),
		What: fmt.Sprintf(
			"thin id %d was made at transaction id %d, its record at %d: the volume of the record "+
				"is gone (record %s)",
			v.ID, d.TransactionID, v.TransactionID, describe(v)),
		Repair: RemoveRecord{v.Name, v.ID, KindReused}})
}

// twins returns the findings for several records with one thin id. One record
// keeps the id: the one whose device is active, or else the first.
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
			found = append(found,
				f.unlessUsed(v, Finding{Kind: KindDuplicate, Object: f.object(v.Name),
					What: fmt.Sprintf("has thin id %d, which is %s's, too", v.ID,
						f.object(keep.Name)),
					Repair: RemoveRecord{v.Name, v.ID, KindDuplicate}}))
		}
	}
	return found
}

// blockSize returns the size of the pool's blocks in bytes.
func (f *Facts) blockSize() int64 { return int64(f.Config.BlockSize) * dm.SectorSize }

// compareSize reports a volume whose data reaches beyond the size in its
// record, because a device of that size would cut off its end. The last block
// may reach beyond the end of the volume. compareSize also reports an active
// device of another size.
func (f *Facts) compareSize(v catalog.Volume) []Finding {
	if end := int64(f.Meta.Devices[v.ID].End); end > 0 &&
		(end-1)*f.blockSize() >= v.Size {
		size := end * f.blockSize()
		return []Finding{f.unlessUsed(v, Finding{Kind: KindSize, Object: f.object(v.Name),
			What: fmt.Sprintf("has data up to byte %d, the record says it has %s", size,
				fault.ExactSize(v.Size)),
			Repair: SetSize{v.Name, size}})}
	}
	if d := f.device(v.ID); d != nil && d.Active() && d.Size != v.Size {
		return []Finding{{Kind: KindSize, Object: f.object(v.Name),
			What: fmt.Sprintf("its device %s has %s, the record says %s", d.Name,
				fault.ExactSize(d.Size), fault.ExactSize(v.Size)),
			Remedy: fault.Hint("unmount it: its next device is as the record says")}}
	}
	return nil
}

// orphans returns the findings for the thin ids that neither a record nor an
// intent names. claims are the records by thin id, explained are the ids that
// recovery deals with, and dropped says which records are to be removed.
func (f *Facts) orphans(claims map[spec.ID][]catalog.Volume, explained map[spec.ID]bool,
	dropped map[string]bool) []Finding {
	taken := func(name string) bool {
		return f.known(name) && !dropped[name] || f.hasIntent(name) && !f.mismatch()
	}
	named := map[string]bool{}
	var found []Finding
	for _, id := range slices.Sorted(maps.Keys(f.Meta.Devices)) {
		if f.isHead(id) || explained[id] || len(claims[id]) > 0 {
			continue
		}
		d := f.orphan(id, func(name string) bool { return taken(name) || named[name] })
		if r, is := d.Repair.(NameID); is {
			named[r.Volume.Name] = true
		}
		found = append(found, d)
	}
	return found
}

// orphan returns the finding for a thin id without a name. The repair gives it
// the name of its active device, or else one made from the id. The pool does
// not know the size of the volume. The repair takes the size of the device.
// Without a device it takes the size of the largest volume, so that a
// filesystem in the orphan fits, or more if the orphan's data needs it. taken
// tells whether a name is in use.
func (f *Facts) orphan(id spec.ID, taken func(string) bool) Finding {
	d := f.Meta.Devices[id]
	o := Finding{Kind: KindOrphan, Object: fmt.Sprintf("%s: thin id %d", f.Config.Name, id),
		What: fmt.Sprintf("has no name; %s of it are mapped, it was made at transaction id %d",
			fault.ExactSize(int64(d.Mapped)*f.blockSize()), d.TransactionID)}
	r := NameID{Volume: f.Volume(f.freeName(id, taken)), ID: id,
		Size: max(int64(d.End), 1) * f.blockSize(), TransactionID: d.TransactionID}
	for _, v := range f.Volumes {
		r.Size = max(r.Size, v.Size)
	}
	if dev := f.device(id); dev != nil {
		o.What += fmt.Sprintf("; it is active as %s", dev.Name)
		if spec.CheckVolumeName(dev.Volume) != nil || taken(dev.Volume) {
			o.Remedy = fault.Hint("unmount or remove that device, and check again")
			return o
		}
		r.Volume.Name, r.Size = dev.Volume, cmp.Or(dev.Size, r.Size)
	}
	if len(f.Damaged) > 0 {
		o.Remedy = fault.Hint("it may belong to a record that cannot be read: see to those first")
		return o
	}
	o.Repair = r
	return o
}

// freeName returns orphan-ID, or orphan-ID-N if that name is taken.
func (f *Facts) freeName(id spec.ID, taken func(string) bool) string {
	name := fmt.Sprintf("orphan-%d", id)
	for n := 2; taken(name); n++ {
		name = fmt.Sprintf("orphan-%d-%d", id, n)
	}
	return name
}
