package check

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// TestInCommon lets some looks fail to read something. What is wrong is found
// in spite of that, or the check says that it could not look.
func TestInCommon(t *testing.T) {
	orphan := func() *Facts {
		f := soundFacts()
		f.Meta.Devices[77] = thinpool.Device{Details: thinpool.Details{TransactionID: 2}}
		return f
	}
	noMetadata := func() *Facts {
		f := orphan()
		f.Meta, f.MetaErr = nil, unix.EIO
		return f
	}
	noRecord := func() *Facts {
		f := orphan()
		f.Damaged = map[string]error{"one": catalog.ErrNoVolume}
		return f
	}
	noLabel := func() *Facts {
		f := orphan()
		f.Backings[0].Err, f.Meta = unix.EIO, nil
		return f
	}
	type looks []func() *Facts
	for _, row := range []struct {
		name  string
		looks looks
		want  []string
		err   error
	}{
		{"sound", looks{soundFacts}, nil, nil},
		{"wrong", looks{orphan, orphan}, []string{KindOrphan}, nil},
		{"mended in between", looks{orphan, soundFacts}, nil, nil},
		{"no metadata at first", looks{noMetadata, orphan, orphan}, []string{KindOrphan}, nil},
		{"no metadata the second time", looks{orphan, noMetadata, orphan, orphan},
			[]string{KindOrphan}, nil},
		{"never metadata", looks{noMetadata, noMetadata}, []string{KindMetadata}, nil},
		{"no record at first", looks{noRecord, orphan, orphan}, []string{KindOrphan}, nil},
		{"no label the second time", looks{orphan, noLabel, orphan, orphan},
			[]string{KindOrphan}, nil},
		{"at times", looks{orphan, noMetadata, orphan, noMetadata}, nil, ErrUnsteady},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := 0
			found, err := InCommon(func(again bool) (*Facts, error) {
				if again != (n > 0) {
					t.Errorf("look %d: again is %v", n, again)
				}
				n++
				return row.looks[n-1](), nil
			})
			var kinds []string
			for _, f := range found {
				kinds = append(kinds, f.Kind)
			}
			if !slices.Equal(kinds, row.want) || !errors.Is(err, row.err) || n != len(row.looks) {
				t.Errorf("found %v, %v in %d looks, want %v, %v in %d", kinds, err, n, row.want,
					row.err, len(row.looks))
			}
		})
	}
	if _, err := InCommon(func(bool) (*Facts, error) { return nil, unix.EIO }); err != unix.EIO {
		t.Errorf("a look that fails: %v", err)
	}
}

// soundFacts returns the facts of an active pool where nothing is wrong. It has
// the volumes base (thin id 1, mounted) and one (thin id 2).
func soundFacts() *Facts {
	cfg := catalog.Pool{
		Format: 1, Name: "demo", UUID: thintest.UUID, BlockSize: 128, OnFull: spec.OnFullError,
		TransactionID: 2, NextID: 3, Head: new(spec.ID),
		Data: catalog.Backing{Kind: catalog.KindFile, Path: "/srv/data", Size: 1 << 30},
		Metadata: catalog.Backing{Kind: catalog.KindDevice, Path: "/dev/sdb",
			Size: 64 * thintest.MiB},
	}
	active := func(name, uuid string, open int) dm.Info {
		return dm.Info{Name: name, UUID: uuid, OpenCount: open, Flags: unix.DM_ACTIVE_PRESENT_FLAG}
	}
	base := thintest.Volume("base", 1)
	rec := refcount.Record{Volume: thintest.Named("demo/base"),
		PoolUUID: thintest.UUID, ThinID: 1, Dev: "253:9",
		MountedOn: "/mnt", MountID: 40, References: 2}
	return &Facts{
		Config: cfg, Dir: "/var/lib/thin/demo",
		Volumes:    []catalog.Volume{base, thintest.Volume("one", 2)},
		Live:       &thinpool.Status{Mode: thinpool.ModeRW, TransactionID: 2},
		HeadLooked: true,
		Meta: &thinpool.Metadata{Superblock: thinpool.Superblock{TransactionID: 2},
			Devices: map[spec.ID]thinpool.Device{
				0: {Details: thinpool.Details{Mapped: 16}, End: 16},
				1: {Details: thinpool.Details{TransactionID: 1, Mapped: 10}, End: 4096},
				2: {Details: thinpool.Details{TransactionID: 2}},
			}},
		Backings: []Backing{
			{Backing: cfg.Data, Part: dmname.Data,
				Label: label.Label{UUID: thintest.UUID, Role: "data"}, Size: 2 << 30, Lower: "7:0",
				Loops: []loop.Info{{Path: "/dev/loop0", DevNo: dm.DevNo{Major: 7},
					Autoclear: true}}},
			{Backing: cfg.Metadata, Part: dmname.Meta,
				Label: label.Label{UUID: thintest.UUID, Role: "metadata"},
				Size:  65 * thintest.MiB, Lower: "8:16"},
		},
		Devices: []Device{
			{Info: active("thin-demo@@pool", dmname.PartUUID(thintest.UUID, dmname.Pool), 0),
				Part: dmname.Pool},
			{Info: active("thin-demo@@data", dmname.PartUUID(thintest.UUID, dmname.Data), 1),
				Part: dmname.Data},
			{Info: active("thin-demo@@meta", dmname.PartUUID(thintest.UUID, dmname.Meta), 1),
				Part: dmname.Meta},
			{Info: active("thin-demo@base", dmname.VolumeUUID(thintest.UUID, 1), 1), Volume: "base",
				ID: 1, Size: 256 * thintest.MiB},
		},
		Busy: map[string]bool{},
		Uses: map[string]Use{
			"base": {Record: rec, Written: true,
				Seen: refcount.Observed{Active: true, OpenCount: 1, Dev: "253:9",
					PoolUUID: thintest.UUID, ThinID: 1,
					Mounts: []refcount.MountPoint{{ID: 40, Path: "/mnt", Root: "/"}}}},
			"one": {Record: refcount.Record{Volume: thintest.Named("demo/one")},
				Seen: refcount.Observed{PoolUUID: thintest.UUID, ThinID: 2}},
		},
		Entries: []refcount.Entry{
			{Path: "locks/demo@", Kind: refcount.KindLock, Volume: spec.Volume{Pool: "demo"}},
			{Path: "locks/demo@base", Kind: refcount.KindLock, Volume: thintest.Named("demo/base")},
			{Path: "refs/demo@base.json", Kind: refcount.KindRecord,
				Volume: thintest.Named("demo/base")},
		},
	}
}

// lines returns the findings as "kind object: repair", or as "kind object: by
// hand: remedy" for those without a repair.
func lines(found []Finding) []string {
	var all []string
	for _, f := range found {
		s := f.Kind + " " + f.Object + ": by hand: " + thintest.Show(f.Remedy)
		if f.Repair != nil {
			s = f.Kind + " " + f.Object + ": " + f.Repair.String()
		}
		all = append(all, s)
	}
	return all
}

// unlike is a case of a test. change makes something wrong in the sound facts,
// and want has the beginnings of the lines that are to be found.
type unlike struct {
	name   string
	change func(*Facts)
	want   []string
}

func (u unlike) run(t *testing.T) {
	t.Run(u.name, func(t *testing.T) {
		f := soundFacts()
		u.change(f)
		got := lines(f.Findings())
		ok := slices.EqualFunc(got, u.want, strings.HasPrefix)
		if !ok {
			t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(u.want, "\n"))
		}
	})
}

func deviceAt(transaction, end uint64) thinpool.Device {
	return thinpool.Device{Details: thinpool.Details{TransactionID: transaction}, End: end}
}

func TestIDsWithoutNames(t *testing.T) {
	for _, u := range []unlike{
		{"sound", func(*Facts) {}, nil},
		{"orphan", func(f *Facts) { f.Meta.Devices[7] = deviceAt(9, 100) },
			[]string{"orphan-id demo: thin id 7: name it demo/orphan-7, of 256M"}},
		{"large orphan", func(f *Facts) { f.Meta.Devices[7] = deviceAt(9, 8192) },
			[]string{"orphan-id demo: thin id 7: name it demo/orphan-7, of 512M"}},
		{"orphan whose name is taken", func(f *Facts) {
			f.Meta.Devices[7] = deviceAt(9, 0)
			f.Volumes[1].Name = "orphan-7"
		}, []string{"orphan-id demo: thin id 7: name it demo/orphan-7-2"}},
		{"orphan that is active",
			func(f *Facts) { f.Volumes = f.Volumes[1:]; f.Meta.Devices[1] = deviceAt(1, 1) },
			[]string{"orphan-id demo: thin id 1: name it demo/base, of 256M"}},
		{"orphan that is active by a name that is taken",
			func(f *Facts) {
				f.Volumes[0].ID = 2
				f.Volumes[0].TransactionID = 2
				f.Volumes = f.Volumes[:1]
			},
			[]string{"orphan-id demo: thin id 1: by hand: unmount"}},
		{"orphan beside a damaged record", func(f *Facts) {
			f.Volumes = f.Volumes[:1]
			f.Damaged = map[string]error{"one": catalog.ErrNoVolume}
		},
			[]string{"damaged-record demo/one: by hand: restore",
				"orphan-id demo: thin id 2: by hand: it may belong"}},
		{"orphan by the name that another is to have", func(f *Facts) {
			f.Meta.Devices[6], f.Meta.Devices[7] = deviceAt(2, 0), deviceAt(2, 0)
			f.Devices = append(f.Devices,
				Device{Info: dm.Info{Name: "thin-demo@orphan-7", OpenCount: 1},
					Volume: "orphan-7", ID: 6})
		},
			[]string{"orphan-id demo: thin id 6: name it demo/orphan-7,",
				"orphan-id demo: thin id 7: name it demo/orphan-7-2,"}},
	} {
		u.run(t)
	}
}

func TestNamesAgainstIDs(t *testing.T) {
	for _, u := range []unlike{
		{"an operation's id", func(f *Facts) {
			f.Meta.Devices[7] = deviceAt(3, 0)
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpCreate, Volume: "new", ID: 7,
				TransactionID: 3}}
			f.Live.TransactionID = 3
		}, []string{"interrupted demo/new: undo it"}},
		{"an operation under way", func(f *Facts) {
			f.Meta.Devices[7] = deviceAt(2, 0)
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpFormat, Volume: "new", ID: 7}}
			f.Busy["new"] = true
		}, nil},
		{"delete that is to go on", func(f *Facts) {
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpDelete, Volume: "one", ID: 2}}
		}, []string{"interrupted demo/one: finish it"}},
		{"delete that the kernel has done, with its record", func(f *Facts) {
			delete(f.Meta.Devices, 2)
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpDelete, Volume: "one", ID: 2,
				TransactionID: 3}}
			f.Live.TransactionID = 3
		}, []string{"interrupted demo/one: finish it"}},
		{"deleted and made again under its name since the copy", func(f *Facts) {
			delete(f.Meta.Devices, 2)
			f.Meta.Devices[7] = deviceAt(2, 0)
			f.Devices = append(f.Devices,
				Device{Info: dm.Info{Name: "thin-demo@one", OpenCount: 1}, Volume: "one", ID: 7,
					Size: 512 * thintest.MiB})
		},
			[]string{"missing-id demo/one: remove the record",
				"orphan-id demo: thin id 7: name it demo/one, of 512M"}},
		{"operation that would take another's id", func(f *Facts) {
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpDelete, Volume: "x", ID: 2,
				TransactionID: 3}}
			f.Live.TransactionID = 3
		}, []string{"interrupted demo/x: forget it"}},
		{"missing", func(f *Facts) { delete(f.Meta.Devices, 2) },
			[]string{"missing-id demo/one: remove the record"}},
		{"missing, in use", func(f *Facts) { delete(f.Meta.Devices, 1) },
			[]string{"missing-id demo/base: by hand: it is in use"}},
		{"missing, somebody at work on it",
			func(f *Facts) { delete(f.Meta.Devices, 2); f.Busy["one"] = true },
			[]string{"missing-id demo/one: by hand: it is in use"}},
		{"made anew by others", func(f *Facts) { f.Meta.Devices[2] = deviceAt(9, 0) },
			[]string{"reused-id demo/one: remove the record",
				"orphan-id demo: thin id 2: name it demo/orphan-2"}},
		{"twins", func(f *Facts) { f.Volumes = append(f.Volumes, thintest.Volume("two", 2)) },
			[]string{"duplicate-id demo/two: remove this one"}},
		{"twins, one active",
			func(f *Facts) {
				f.Volumes = append([]catalog.Volume{thintest.Volume("a", 1)}, f.Volumes...)
			},
			[]string{"duplicate-id demo/a: remove this one"}},
		{"beyond the size", func(f *Facts) { f.Meta.Devices[2] = deviceAt(2, 4097) },
			[]string{"size demo/one: set the record's size to 262208K"}},
		{"last block larger than what is left",
			func(f *Facts) {
				f.Volumes[1].Size = 256*thintest.MiB - 512
				f.Meta.Devices[2] = deviceAt(2, 4096)
			}, nil},
		{"device of another size", func(f *Facts) { f.Devices[3].Size = thintest.MiB },
			[]string{"size demo/base: by hand: unmount"}},
		{"no metadata", func(f *Facts) { f.Meta, f.MetaErr = nil, thinpool.ErrMoving },
			[]string{"metadata demo: by hand: fault.SaveMetadata{Pool:\"demo\""}},
	} {
		u.run(t)
	}
}

func TestTransactionIDs(t *testing.T) {
	for _, u := range []unlike{
		{"older catalog", func(f *Facts) { f.Live.TransactionID = 9 },
			[]string{"transaction-id demo: take 9 over into the journal"}},
		{"older pool, inactive", func(f *Facts) { f.Live, f.Meta.TransactionID = nil, 1 },
			[]string{"transaction-id demo: take 1 over"}},
		// An intent that was open when the copy was made must not delete a
		// volume that exists now.
		{"older catalog with an operation", func(f *Facts) {
			f.Live.TransactionID = 9
			f.Meta.Devices[7] = deviceAt(8, 0)
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpCreate, Volume: "new", ID: 7,
				TransactionID: 3}, {Op: catalog.OpDelete, Volume: "one", ID: 2}}
		},
			[]string{
				"transaction-id demo: take 9 over into the journal; " +
					"forget the create of new that " +
					"was under way when the copy was made; forget the delete of one",
				"orphan-id demo: thin id 7: name it demo/orphan-7"}},
		{"failed pool tells nothing",
			func(f *Facts) { f.Live, f.Meta = &thinpool.Status{Mode: thinpool.ModeFail}, nil },
			[]string{"pool-mode demo: by hand"}},
		{"half made", func(f *Facts) {
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpCreatePool}}
			f.Live.TransactionID, f.Backings[0].Size = 9, 0
		},
			[]string{"interrupted demo: undo it"}},
	} {
		u.run(t)
	}
}

// TestTransactionIDsAreTold checks that the finding names both transaction ids,
// and says which side is the older.
func TestTransactionIDsAreTold(t *testing.T) {
	for id, want := range map[uint64]string{
		9: "the pool is at transaction id 9, the journal at 2: " +
			"the journal is an older copy, or others have changed the pool",
		1: "the pool is at transaction id 1, the journal at 2: " +
			"the pool's metadata is an older copy",
	} {
		f := soundFacts()
		f.Live.TransactionID = id
		if found := f.Findings(); len(found) != 1 || found[0].What != want {
			t.Errorf("%+v, want %s", found, want)
		}
	}
}

func TestMarked(t *testing.T) {
	a, b := Finding{Kind: KindOrphan, Object: "a", Repair: NameID{ID: 7}},
		Finding{Kind: KindMode, Object: "b"}
	c := Finding{Kind: KindNode, Object: "c", Repair: RemoveNode{"c"}}
	got := Marked([]Finding{a, b}, []Finding{b, c})
	if len(got) != 3 || !got[0].Done || got[1].Done || got[2].Done || got[2].Object != "c" {
		t.Errorf("%+v", got)
	}
	if got := Marked([]Finding{b}, nil); got[0].Done {
		t.Errorf("nobody repaired it: %+v", got)
	}
	if got := Marked([]Finding{a}, []Finding{a}); len(got) != 1 || got[0].Done {
		t.Errorf("%+v", got)
	}
}

// TestSharedComparesRepairs has a thin id that others delete and make anew
// between two looks. The words of the repair are the same, and the repair is
// another.
func TestSharedComparesRepairs(t *testing.T) {
	orphan := func(transaction uint64) []Finding {
		f := soundFacts()
		f.Meta.Devices[7] = deviceAt(transaction, 100)
		return f.Findings()
	}
	before, after := orphan(1), orphan(2)
	if len(before) != 1 || before[0].Repair.String() != after[0].Repair.String() {
		t.Fatalf("%+v, %+v", before, after)
	}
	if got := Shared(after, before); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	if got := Shared(after, orphan(2)); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	forget := func() []Finding {
		f := soundFacts()
		f.Live.TransactionID = 9
		f.Config.Intents = []catalog.Intent{{Op: catalog.OpDelete, Volume: "one", ID: 2}}
		return f.Findings()
	}
	if got := Shared(forget(), forget()); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}
