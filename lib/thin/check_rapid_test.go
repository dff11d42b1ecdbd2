package thin

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"thinmount/lib/catalog"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

// applied is what the facts are once the repairs of records are done.
func applied(f *facts, found []Finding) *facts {
	for _, d := range found {
		at := slices.IndexFunc(f.volumes, func(v catalog.Volume) bool { return v.Name == d.volume })
		switch {
		case d.Repair == "":
		case d.Kind == KindMissing, d.Kind == KindTwin, d.Kind == KindOther:
			f.volumes = slices.Delete(f.volumes, at, at+1)
		case d.Kind == KindSize:
			f.volumes[at].Size = d.size
		case d.Kind == KindOrphan:
			f.volumes = append(f.volumes, catalog.Volume{Name: d.volume, ID: d.id, Size: d.size, TransactionID: d.transaction})
		case d.Kind == KindHead:
			f.cfg.Head, f.headErr = new(uint32), nil
			f.meta.Devices[0] = deviceAt(0, 16)
		case d.Kind == KindTransaction:
			f.cfg.TransactionID, f.cfg.Operations = d.transaction, nil
		}
	}
	return f
}

// drawFacts is any catalog beside any pool, over few names and ids, so that they meet.
func drawFacts(t *rapid.T) *facts {
	f := soundFacts()
	f.devices, f.uses, f.volumes, f.live, f.entries = nil, nil, nil, nil, nil
	id := rapid.Uint32Range(1, 6)
	transaction := rapid.Uint64Range(1, 3)
	f.meta.Devices = map[thinpool.ID]thinpool.Device{}
	f.cfg.Head, f.headErr = nil, label.ErrNone
	if rapid.Bool().Draw(t, "head") {
		f.meta.Devices[0], f.headErr = deviceAt(0, 16), nil
		if rapid.Bool().Draw(t, "head in pool.json") {
			f.cfg.Head = new(uint32)
		}
	}
	for range rapid.IntRange(0, 6).Draw(t, "ids") {
		f.meta.Devices[thinpool.ID(id.Draw(t, "id"))] = deviceAt(transaction.Draw(t, "made"), rapid.Uint64Range(0, 9).Draw(t, "end"))
	}
	for _, name := range []string{"a", "b", "c", "orphan-1", "orphan-2"} {
		if rapid.Bool().Draw(t, name) {
			v := testVolume(name, id.Draw(t, "id of "+name))
			v.Size, v.TransactionID = rapid.Int64Range(1, 9).Draw(t, "size")*65536, transaction.Draw(t, "made")
			f.volumes = append(f.volumes, v)
		}
	}
	f.cfg.TransactionID, f.meta.TransactionID = transaction.Draw(t, "catalog"), transaction.Draw(t, "pool")
	if rapid.Bool().Draw(t, "operation") {
		f.cfg.Operations = []catalog.Operation{{Op: catalog.OpCreate, Volume: "c", ID: id.Draw(t, "id"), TransactionID: f.cfg.TransactionID + 1}}
	}
	return f
}

// Whatever the catalog and the pool say: no name of a volume that is there is
// lost, each id has one name in the end, of a size that holds all its data, and
// what is repaired is not found again.
func TestRepairsOfRecordsMendAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		found := f.findings()
		explained := f.explained()
		before := slices.Clone(f.volumes)
		applied(f, found)
		names, ids := map[string]bool{}, map[uint32]int{}
		for _, v := range f.volumes {
			if names[v.Name] {
				t.Fatalf("%s is there twice", v.Name)
			}
			names[v.Name] = true
			ids[v.ID]++
			if d := f.meta.Devices[thinpool.ID(v.ID)]; v.Size < int64(d.End)*f.blockSize() && !explained[v.ID] {
				t.Fatalf("%s has %d bytes, less than its data", v.Name, v.Size)
			}
		}
		for id, d := range f.meta.Devices {
			if f.isHead(id) {
				if ids[uint32(id)] > 0 {
					t.Fatal("the head has a name")
				}
				continue
			}
			if n := ids[uint32(id)]; n != 1 && !explained[uint32(id)] {
				t.Fatalf("id %d has %d names", id, n)
			}
			same := func(v catalog.Volume) bool { return v.ID == uint32(id) && v.TransactionID == d.TransactionID }
			if slices.ContainsFunc(before, same) && !slices.ContainsFunc(before, func(v catalog.Volume) bool { return same(v) && names[v.Name] }) {
				t.Fatalf("id %d lost its name", id)
			}
		}
		for _, d := range f.findings() {
			if d.Kind != KindInterrupted {
				t.Fatalf("found again: %s", fmt.Sprint(lines([]Finding{d})))
			}
		}
	})
}
