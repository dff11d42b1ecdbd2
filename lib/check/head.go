package check

import (
	"fmt"

	"thinmount/lib/fault"
	"thinmount/lib/spec"
)

// isHead tells whether a thin id is that of the head, the thin device that has
// the pool's first blocks. pool.json says so. If pool.json is an older copy
// that does not, the headers on the head itself say so. A thin id that a volume
// has is not the head's.
func (f *Facts) isHead(id spec.ID) bool {
	switch {
	case f.nameOf(Device{ID: id}) != "":
		return false
	case f.Config.Head != nil:
		return id == *f.Config.Head
	}
	return f.HeadLooked && f.HeadErr == nil && id == f.HeadID
}

// head returns the thin id of the head. ok is false if the metadata does not
// have it.
func (f *Facts) head() (id spec.ID, ok bool) {
	if f.Meta == nil {
		return 0, false
	}
	for id := range f.Meta.Devices {
		if f.isHead(id) {
			return id, true
		}
	}
	return 0, false
}

// compareHead reports a pool whose first blocks are not kept free of volumes.
func (f *Facts) compareHead() []Finding {
	if !f.HeadLooked || f.Meta == nil {
		return nil
	}
	id, there := f.head()
	d := Finding{Kind: KindHead, Object: f.Config.Name, Repair: ReserveHead{}}
	if users := f.activeVolumes(); users != "" {
		d.Repair, d.Remedy = nil,
			fault.Hint("no volume may be in use for the repair: unmount "+users+", and check again")
	}
	switch {
	case there && f.HeadErr == nil && f.Config.Head != nil:
		return nil
	case there && f.HeadErr == nil:
		d.What = fmt.Sprintf("pool.json does not say that thin id %d has its first blocks", id)
	case there:
		d.What = "its first blocks are not kept free of volumes: " + f.HeadErr.Error()
	default:
		d.What = "its first blocks may be a volume's, whose signatures then show on its devices " +
			"@@pool and @@data"
	}
	return []Finding{d}
}
