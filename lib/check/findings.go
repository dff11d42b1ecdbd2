package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/thinpool"
)

// Findings returns all that is wrong, in the order in which it is repaired. If
// the pool was only half made or half deleted, that is the only finding.
func (f *Facts) Findings() []Finding {
	if op, halfMade := f.Config.Incomplete(); halfMade {
		return []Finding{f.interrupted(op)}
	}
	var found []Finding
	for _, compare := range []func() []Finding{
		f.compareLabels, f.compareMode, f.compareMetadata, f.compareHead, f.compareForeign,
		f.compareLoops, f.compareDamaged, f.compareTransaction, f.compareIDs, f.compareIntents,
		f.compareDevices, f.compareNodes, f.compareUses, f.compareFiles, f.compareUtab,
		f.compareFstab,
	} {
		found = append(found, compare()...)
	}
	return found
}

// compareTransaction reports that the catalog and the pool have different
// transaction ids, and names both. Other findings say how their ids and names
// differ.
func (f *Facts) compareTransaction() []Finding {
	id, ok := f.transaction()
	if !ok || !f.mismatch() {
		return nil
	}
	why := "the journal is an older copy, or others have changed the pool"
	if id < f.Config.TransactionID {
		why = "the pool's metadata is an older copy"
	}
	return []Finding{{Kind: KindTransaction, Object: f.Config.Name,
		What: fmt.Sprintf("the pool is at transaction id %d, the journal at %d: %s", id,
			f.Config.TransactionID, why),
		Repair: TakeOver{id, append([]catalog.Intent(nil), f.Config.Intents...)},
		Remedy: fault.Hint("restore the newest copy of " + f.Dir)}}
}

// compareIntents reports the intents of commands that are dead.
func (f *Facts) compareIntents() []Finding {
	if f.mismatch() {
		return nil
	}
	var found []Finding
	for _, op := range f.Config.Intents {
		if op.TransactionID != 0 || !f.Busy[op.Volume] {
			found = append(found, f.interrupted(op))
		}
	}
	return found
}

// interrupted returns the finding for one intent: that its command was
// interrupted, and whether the repair finishes, undoes or forgets it.
func (f *Facts) interrupted(op catalog.Intent) Finding {
	d := Finding{Kind: KindInterrupted, Object: f.Config.Name}
	if op.Volume != "" {
		d.Object = f.object(op.Volume)
	}
	if owner := f.nameOf(Device{ID: op.ID, Volume: op.Volume}); op.Volume != "" && owner != "" &&
		owner != op.Volume {
		d.What = fmt.Sprintf("its %s was interrupted, and would take thin id %d, which is %s's",
			op.Op, op.ID, f.object(owner))
		id, _ := f.transaction()
		d.Repair = ForgetIntent{op.Volume, id}
		return d
	}
	switch op.Op {
	case catalog.OpDelete, catalog.OpDeletePool:
		d.What, d.Repair = "its deletion was interrupted", FinishDelete{op.Volume, op.ID}
	default:
		d.What = "its making was interrupted (" + op.Op + ")"
		d.Repair = UndoCreate{op.Volume, op.ID}
	}
	return d
}

// compareMode reports a pool that refuses changes.
func (f *Facts) compareMode() []Finding {
	needsCheck := f.Meta != nil && f.Meta.NeedsCheck
	if f.Live != nil {
		needsCheck = needsCheck || f.Live.NeedsCheck
	}
	if needsCheck {
		d := Finding{Kind: KindMode, Object: f.Config.Name,
			What: "its metadata needs a check: a write of it failed", Repair: RunThinCheck{}}
		if full := f.Room.Full(f.Config, thinpool.Status{}); full != "" {
			d.What += "; " + full
		}
		if users := f.activeVolumes(); users != "" {
			d.Repair, d.Remedy = nil,
				fault.Hint("the pool has to be inactive for that: unmount "+
					users+", and check again")
		}
		return []Finding{d}
	}
	if f.Live == nil {
		return nil
	}
	if f.Live.Writable() != nil || f.Live.Mode == thinpool.ModeOutOfData {
		state, remedy := health.Trouble(f.Config, *f.Live, f.Room)
		return []Finding{{Kind: KindMode, Object: f.Config.Name, What: state, Remedy: remedy}}
	}
	return nil
}

// activeVolumes returns the volumes of a pool that keep it from being
// deactivated, separated by commas, or "".
func (f *Facts) activeVolumes() string {
	var names []string
	for _, d := range f.Devices {
		if d.Part == "" && (d.OpenCount > 0 || f.Uses[d.Volume].Pinned) {
			names = append(names, f.object(d.Volume))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// compareMetadata reports metadata that cannot be read, and a snapshot of the
// metadata that was not released.
func (f *Facts) compareMetadata() []Finding {
	if f.MetaErr != nil {
		return []Finding{{Kind: KindMetadata, Object: f.Config.Name,
			What: "its metadata cannot be read, so names and ids were not compared: " +
				f.MetaErr.Error(),
			Remedy: health.DamageRemedy(f.Config)}}
	}
	reserved := f.Meta != nil && f.Meta.HeldRoot != 0
	if f.Live != nil {
		reserved = f.Live.HeldRoot != 0
	}
	if !reserved {
		return nil
	}
	return []Finding{{Kind: KindMetaSnapshot, Object: f.Config.Name,
		What:   "a snapshot of its metadata was not released, and keeps room in the metadata",
		Repair: ReleaseSnapshot{}}}
}

// compareDamaged reports records of volumes that cannot be read.
func (f *Facts) compareDamaged() []Finding {
	var found []Finding
	for _, volume := range slices.Sorted(maps.Keys(f.Damaged)) {
		d := Finding{Kind: KindDamaged, Object: f.object(volume),
			What: f.Damaged[volume].Error()}
		d.Remedy = fault.Hint(
			"restore the file from a backup, or remove it: then its thin id can be named anew")
		found = append(found, d)
	}
	return found
}

// RecordErrors returns the errors of damaged records, by volume. err is the
// error of reading all records.
func RecordErrors(err error) map[string]error {
	damaged := map[string]error{}
	var each func(error)
	each = func(err error) {
		var c *catalog.CorruptError
		if several, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range several.Unwrap() {
				each(e)
			}
		} else if errors.As(err, &c) {
			damaged[volumeOfRecord(c.Path)] = err
		}
	}
	each(err)
	return damaged
}

// volumeOfRecord returns the volume whose record is the file at path.
func volumeOfRecord(path string) string {
	return strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".json")
}
