package thin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

const (
	testUUID  = "0123456789abcdef0123456789abcdef"
	otherUUID = "fedcba9876543210fedcba9876543210"
	mib       = 1 << 20
)

func testVolume(name string, id uint32) catalog.Volume {
	return catalog.Volume{Name: name, Pool: "demo", PoolUUID: testUUID, ID: id, Size: 256 * mib, TransactionID: uint64(id),
		Created: time.Unix(1700000000, 0).UTC()}
}

// soundFacts are of an active pool with volumes base (1, mounted) and one (2).
func soundFacts() *facts {
	cfg := catalog.Pool{
		Format: 1, Name: "demo", UUID: testUUID, BlockSize: 128, OnFull: "error", TransactionID: 2, NextID: 3, Head: new(uint32),
		Data:     catalog.Backing{Kind: catalog.KindFile, Path: "/srv/data", Size: 1 << 30},
		Metadata: catalog.Backing{Kind: catalog.KindDevice, Path: "/dev/sdb", Size: 64 * mib},
	}
	active := func(name, uuid string, open int) dm.Info {
		return dm.Info{Name: name, UUID: uuid, OpenCount: open, Flags: unix.DM_ACTIVE_PRESENT_FLAG}
	}
	base := testVolume("base", 1)
	rec := refcount.Record{Volume: "demo/base", PoolUUID: testUUID, ThinID: 1, Dev: "253:9", MountedOn: "/mnt", MountID: 40, References: 2}
	return &facts{
		cfg: cfg, dir: "/var/lib/thin/demo", volumes: []catalog.Volume{base, testVolume("one", 2)},
		live:       &thinpool.Status{Mode: thinpool.ModeRW, TransactionID: 2},
		headLooked: true,
		meta: &thinpool.Metadata{Superblock: thinpool.Superblock{TransactionID: 2}, Devices: map[thinpool.ID]thinpool.Device{
			0: {Details: thinpool.Details{Mapped: 16}, End: 16},
			1: {Details: thinpool.Details{TransactionID: 1, Mapped: 10}, End: 4096},
			2: {Details: thinpool.Details{TransactionID: 2}},
		}},
		backings: []backing{
			{Backing: cfg.Data, part: partData, label: label.Label{UUID: testUUID, Role: "data"}, size: 2 << 30, lower: "7:0",
				loops: []loop.Info{{Path: "/dev/loop0", DevNo: dm.DevNo{Major: 7}, Autoclear: true}}},
			{Backing: cfg.Metadata, part: partMeta, label: label.Label{UUID: testUUID, Role: "metadata"}, size: 65 * mib, lower: "8:16"},
		},
		devices: []device{
			{Info: active("thin-demo@@pool", partUUID(testUUID, partPool), 0), part: partPool},
			{Info: active("thin-demo@@data", partUUID(testUUID, partData), 1), part: partData},
			{Info: active("thin-demo@@meta", partUUID(testUUID, partMeta), 1), part: partMeta},
			{Info: active("thin-demo@base", volumeUUID(testUUID, 1), 1), volume: "base", id: 1, size: 256 * mib},
		},
		busy: map[string]bool{},
		uses: map[string]use{
			"base": {record: rec, written: true, seen: refcount.Observed{Active: true, OpenCount: 1, Dev: "253:9", PoolUUID: testUUID, ThinID: 1,
				Mounts: []refcount.MountPoint{{ID: 40, Path: "/mnt", Root: "/"}}}},
			"one": {record: refcount.Record{Volume: "demo/one"}, seen: refcount.Observed{PoolUUID: testUUID, ThinID: 2}},
		},
		entries: []refcount.Entry{
			{Path: "locks/demo@", Kind: refcount.KindLock, Pool: "demo"},
			{Path: "locks/demo@base", Kind: refcount.KindLock, Pool: "demo", Volume: "base"},
			{Path: "refs/demo@base.json", Kind: refcount.KindRecord, Pool: "demo", Volume: "base"},
		},
	}
}

// lines are the findings as "kind object: repair", or the hint where there is
// no repair.
func lines(found []Finding) []string {
	var all []string
	for _, f := range found {
		s := f.Kind + " " + f.Object + ": " + f.Repair
		if f.Repair == "" {
			s = f.Kind + " " + f.Object + ": by hand: " + f.Hint
		}
		all = append(all, s)
	}
	return all
}

// unlike is sound facts with something else about them, and the findings to be
// had: each the beginning of a line.
type unlike struct {
	name   string
	change func(*facts)
	want   []string
}

func (u unlike) run(t *testing.T) {
	t.Run(u.name, func(t *testing.T) {
		f := soundFacts()
		u.change(f)
		got := lines(f.findings())
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
		{"sound", func(*facts) {}, nil},
		{"orphan", func(f *facts) { f.meta.Devices[7] = deviceAt(9, 100) },
			[]string{"orphan-id demo: thin id 7: name it demo/orphan-7, of 256M"}},
		{"large orphan", func(f *facts) { f.meta.Devices[7] = deviceAt(9, 8192) },
			[]string{"orphan-id demo: thin id 7: name it demo/orphan-7, of 512M"}},
		{"orphan whose name is taken", func(f *facts) {
			f.meta.Devices[7] = deviceAt(9, 0)
			f.volumes[1].Name = "orphan-7"
		}, []string{"orphan-id demo: thin id 7: name it demo/orphan-7-2"}},
		{"orphan that is active", func(f *facts) { f.volumes = f.volumes[1:]; f.meta.Devices[1] = deviceAt(1, 1) },
			[]string{"orphan-id demo: thin id 1: name it demo/base, of 256M"}},
		{"orphan that is active by a name that is taken", func(f *facts) { f.volumes[0].ID = 2; f.volumes[0].TransactionID = 2; f.volumes = f.volumes[:1] },
			[]string{"orphan-id demo: thin id 1: by hand: unmount"}},
		{"orphan beside a damaged record", func(f *facts) {
			f.volumes = f.volumes[:1]
			f.damaged = map[string]error{"one": catalog.ErrNoVolume}
		}, []string{"damaged-record demo/one: by hand: restore", "orphan-id demo: thin id 2: by hand: it may belong"}},
		{"orphan by the name that another is to have", func(f *facts) {
			f.meta.Devices[6], f.meta.Devices[7] = deviceAt(2, 0), deviceAt(2, 0)
			f.devices = append(f.devices, device{Info: dm.Info{Name: "thin-demo@orphan-7", OpenCount: 1}, volume: "orphan-7", id: 6})
		}, []string{"orphan-id demo: thin id 6: name it demo/orphan-7,", "orphan-id demo: thin id 7: name it demo/orphan-7-2,"}},
	} {
		u.run(t)
	}
}

func TestNamesAgainstIDs(t *testing.T) {
	for _, u := range []unlike{
		{"an operation's id", func(f *facts) {
			f.meta.Devices[7] = deviceAt(3, 0)
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpCreate, Volume: "new", ID: 7, TransactionID: 3}}
			f.live.TransactionID = 3
		}, []string{"interrupted demo/new: undo it"}},
		{"an operation under way", func(f *facts) {
			f.meta.Devices[7] = deviceAt(2, 0)
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpFormat, Volume: "new", ID: 7}}
			f.busy["new"] = true
		}, nil},
		{"delete that is to go on", func(f *facts) {
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpDelete, Volume: "one", ID: 2}}
		}, []string{"interrupted demo/one: finish it"}},
		{"delete that the kernel has done, with its record", func(f *facts) {
			delete(f.meta.Devices, 2)
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpDelete, Volume: "one", ID: 2, TransactionID: 3}}
			f.live.TransactionID = 3
		}, []string{"interrupted demo/one: finish it"}},
		{"deleted and made again under its name since the copy", func(f *facts) {
			delete(f.meta.Devices, 2)
			f.meta.Devices[7] = deviceAt(2, 0)
			f.devices = append(f.devices, device{Info: dm.Info{Name: "thin-demo@one", OpenCount: 1}, volume: "one", id: 7, size: 512 * mib})
		}, []string{"missing-id demo/one: remove the record", "orphan-id demo: thin id 7: name it demo/one, of 512M"}},
		{"operation that would take another's id", func(f *facts) {
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpDelete, Volume: "x", ID: 2, TransactionID: 3}}
			f.live.TransactionID = 3
		}, []string{"interrupted demo/x: forget it"}},
		{"missing", func(f *facts) { delete(f.meta.Devices, 2) }, []string{"missing-id demo/one: remove the record"}},
		{"missing, in use", func(f *facts) { delete(f.meta.Devices, 1) }, []string{"missing-id demo/base: by hand: it is in use"}},
		{"missing, somebody at work on it", func(f *facts) { delete(f.meta.Devices, 2); f.busy["one"] = true }, []string{"missing-id demo/one: by hand: it is in use"}},
		{"made anew by others", func(f *facts) { f.meta.Devices[2] = deviceAt(9, 0) },
			[]string{"other-id demo/one: remove the record", "orphan-id demo: thin id 2: name it demo/orphan-2"}},
		{"twins", func(f *facts) { f.volumes = append(f.volumes, testVolume("two", 2)) }, []string{"twin-id demo/two: remove this one"}},
		{"twins, one active", func(f *facts) { f.volumes = append([]catalog.Volume{testVolume("a", 1)}, f.volumes...) },
			[]string{"twin-id demo/a: remove this one"}},
		{"beyond the size", func(f *facts) { f.meta.Devices[2] = deviceAt(2, 4097) }, []string{"size demo/one: set the record's size to 262208K"}},
		{"last block larger than what is left", func(f *facts) { f.volumes[1].Size = 256*mib - 512; f.meta.Devices[2] = deviceAt(2, 4096) }, nil},
		{"device of another size", func(f *facts) { f.devices[3].size = mib }, []string{"size demo/base: by hand: unmount"}},
		{"no metadata", func(f *facts) { f.meta, f.metaErr = nil, thinpool.ErrMoving }, []string{"metadata demo: by hand: thin-snap pool deactivate demo && dev="}},
	} {
		u.run(t)
	}
}

func TestTransactionIDs(t *testing.T) {
	for _, u := range []unlike{
		{"older catalog", func(f *facts) { f.live.TransactionID = 9 }, []string{"transaction-id demo: take 9 over into pool.json"}},
		{"older pool, inactive", func(f *facts) { f.live, f.meta.TransactionID = nil, 1 }, []string{"transaction-id demo: take 1 over"}},
		// What was under way when the copy was made must not delete anybody's volume now.
		{"older catalog with an operation", func(f *facts) {
			f.live.TransactionID = 9
			f.meta.Devices[7] = deviceAt(8, 0)
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpCreate, Volume: "new", ID: 7, TransactionID: 3}, {Op: catalog.OpDelete, Volume: "one", ID: 2}}
		}, []string{"transaction-id demo: take 9 over into pool.json; forget the create of new that was under way when the copy was made; forget the delete of one",
			"orphan-id demo: thin id 7: name it demo/orphan-7"}},
		{"failed pool tells nothing", func(f *facts) { f.live, f.meta = &thinpool.Status{Mode: thinpool.ModeFail}, nil }, []string{"pool-mode demo: by hand"}},
		{"half made", func(f *facts) {
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpCreatePool}}
			f.live.TransactionID, f.backings[0].size = 9, 0
		},
			[]string{"interrupted demo: undo it"}},
	} {
		u.run(t)
	}
}

// Both sides are told, and which of them is the older.
func TestTransactionIDsAreTold(t *testing.T) {
	for id, want := range map[uint64]string{
		9: "the pool is at transaction id 9, pool.json at 2: pool.json is an older copy, or others have changed the pool",
		1: "the pool is at transaction id 1, pool.json at 2: the pool's metadata is an older copy",
	} {
		f := soundFacts()
		f.live.TransactionID = id
		if found := f.findings(); len(found) != 1 || found[0].What != want {
			t.Errorf("%+v, want %s", found, want)
		}
	}
}

func TestMarked(t *testing.T) {
	a, b := Finding{Kind: KindOrphan, Object: "a", Repair: "x"}, Finding{Kind: KindMode, Object: "b"}
	c := Finding{Kind: KindNode, Object: "c", Repair: "y"}
	got := marked([]Finding{a, b}, []Finding{b, c})
	if len(got) != 3 || !got[0].Done || got[1].Done || got[2].Done || got[2].Object != "c" {
		t.Errorf("%+v", got)
	}
	if got := marked([]Finding{b}, nil); got[0].Done {
		t.Errorf("nobody repaired it: %+v", got)
	}
	if got := marked([]Finding{a}, []Finding{a}); len(got) != 1 || got[0].Done {
		t.Errorf("%+v", got)
	}
}
