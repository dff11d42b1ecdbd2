package check

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"thinmount/lib/catalog"
	"thinmount/lib/label"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// applied changes the facts as the repairs of records would change them.
func applied(f *Facts, found []Finding) *Facts {
	for _, d := range found {
		at := func(name string) int {
			return slices.IndexFunc(f.Volumes,
				func(v catalog.Volume) bool { return v.Name == name })
		}
		switch r := d.Repair.(type) {
		case RemoveRecord:
			f.Volumes = slices.Delete(f.Volumes, at(r.Volume), at(r.Volume)+1)
		case SetSize:
			f.Volumes[at(r.Volume)].Size = r.Size
		case NameID:
			f.Volumes = append(f.Volumes,
				catalog.Volume{Name: r.Volume.Name, ID: r.ID, Size: r.Size,
					TransactionID: r.TransactionID})
		case ReserveHead:
			f.Config.Head, f.HeadErr = new(spec.ID), nil
			f.Meta.Devices[0] = deviceAt(0, 16)
		case TakeOver:
			f.Config.TransactionID, f.Config.Intents = r.TransactionID, nil
		}
	}
	return f
}

// drawFacts draws a catalog and a pool that need not belong together. They use
// few names and ids, so that these collide.
func drawFacts(t *rapid.T) *Facts {
	f := soundFacts()
	f.Devices, f.Uses, f.Volumes, f.Live, f.Entries = nil, nil, nil, nil, nil
	id := rapid.Uint32Range(1, 6)
	transaction := rapid.Uint64Range(1, 3)
	f.Meta.Devices = map[spec.ID]thinpool.Device{}
	f.Config.Head, f.HeadErr = nil, label.ErrNone
	if rapid.Bool().Draw(t, "head") {
		f.Meta.Devices[0], f.HeadErr = deviceAt(0, 16), nil
		if rapid.Bool().Draw(t, "head in pool.json") {
			f.Config.Head = new(spec.ID)
		}
	}
	for range rapid.IntRange(0, 6).Draw(t, "ids") {
		f.Meta.Devices[spec.ID(id.Draw(t, "id"))] = deviceAt(transaction.Draw(t, "made"),
			rapid.Uint64Range(0, 9).Draw(t, "end"))
	}
	for _, name := range []string{"a", "b", "c", "orphan-1", "orphan-2"} {
		if rapid.Bool().Draw(t, name) {
			v := thintest.Volume(name, spec.ID(id.Draw(t, "id of "+name)))
			v.Size, v.TransactionID = rapid.Int64Range(1, 9).Draw(t, "size")*65536,
				transaction.Draw(t, "made")
			f.Volumes = append(f.Volumes, v)
		}
	}
	f.Config.TransactionID, f.Meta.TransactionID = transaction.Draw(t, "catalog"),
		transaction.Draw(t, "pool")
	if rapid.Bool().Draw(t, "operation") {
		f.Config.Intents = []catalog.Intent{{Op: catalog.OpCreate, Volume: "c",
			ID: spec.ID(id.Draw(t, "id")), TransactionID: f.Config.TransactionID + 1}}
	}
	return f
}

// TestRepairsOfRecordsMendAll repairs whatever the catalog and the pool say.
// Then no volume that exists has lost its name. Each id has one name, and the
// record's size holds all the data. A second look finds nothing that was
// repaired.
func TestRepairsOfRecordsMendAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		found := f.Findings()
		explained := f.explained()
		before := slices.Clone(f.Volumes)
		applied(f, found)
		names, ids := map[string]bool{}, map[spec.ID]int{}
		for _, v := range f.Volumes {
			if names[v.Name] {
				t.Fatalf("%s is there twice", v.Name)
			}
			names[v.Name] = true
			ids[v.ID]++
			if d := f.Meta.Devices[v.ID]; v.Size < int64(d.End)*f.blockSize() &&
				!explained[v.ID] {
				t.Fatalf("%s has %d bytes, less than its data", v.Name, v.Size)
			}
		}
		for id, d := range f.Meta.Devices {
			if f.isHead(id) {
				if ids[id] > 0 {
					t.Fatal("the head has a name")
				}
				continue
			}
			if n := ids[id]; n != 1 && !explained[id] {
				t.Fatalf("id %d has %d names", id, n)
			}
			same := func(v catalog.Volume) bool {
				return v.ID == id && v.TransactionID == d.TransactionID
			}
			if slices.ContainsFunc(before, same) &&
				!slices.ContainsFunc(before,
					func(v catalog.Volume) bool { return same(v) && names[v.Name] }) {
				t.Fatalf("id %d lost its name", id)
			}
		}
		for _, d := range f.Findings() {
			if d.Kind != KindInterrupted {
				t.Fatalf("found again: %s", fmt.Sprint(lines([]Finding{d})))
			}
		}
	})
}
