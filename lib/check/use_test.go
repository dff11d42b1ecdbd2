package check

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fstab"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// leftDevice adds a device of the volume one that nobody has open, and returns
// it.
func leftDevice(f *Facts) *Device {
	f.Devices = append(f.Devices, Device{Volume: "one", ID: 2, Size: 256 * thintest.MiB,
		Info: dm.Info{Name: "thin-demo@one", UUID: dmname.VolumeUUID(thintest.UUID, 2),
			Flags: unix.DM_ACTIVE_PRESENT_FLAG}})
	return &f.Devices[len(f.Devices)-1]
}

func TestLeftDevices(t *testing.T) {
	for _, u := range []unlike{
		{"left", func(f *Facts) { leftDevice(f) }, []string{"device thin-demo@one: remove it"}},
		{"somebody is at work on it", func(f *Facts) { leftDevice(f); f.Busy["one"] = true }, nil},
		{"activated on purpose",
			func(f *Facts) { leftDevice(f); f.Uses["one"] = Use{Pinned: true} }, nil},
		{"open", func(f *Facts) { leftDevice(f).OpenCount = 1 }, nil},
		{"without a table", func(f *Facts) { leftDevice(f).Flags, f.Devices[4].Size = 0, 0 },
			[]string{"device thin-demo@one: remove it"}},
		{"suspended", func(f *Facts) { f.Devices[3].Flags |= unix.DM_SUSPEND_FLAG },
			[]string{"suspended thin-demo@base: resume it"}},
		{"pool suspended", func(f *Facts) { f.Devices[0].Flags |= unix.DM_SUSPEND_FLAG },
			[]string{"suspended thin-demo@@pool: resume it"}},
		{"part without its pool",
			func(f *Facts) {
				f.Devices, f.Live = f.Devices[1:2], nil
				f.Devices[0].OpenCount = 0
				f.Uses = nil
			},
			[]string{"device thin-demo@@data: remove it"}},
		{"of another name",
			func(f *Facts) { f.Devices[3].Name, f.Devices[3].Volume = "thin-demo@x", "x" },
			[]string{"device thin-demo@x: by hand: dmsetup rename thin-demo@x thin-demo@base"}},
		{"node", func(f *Facts) { f.Nodes = []string{"thin-demo@gone"} },
			[]string{"node /dev/mapper/thin-demo@gone: remove it"}},
		{"node that somebody makes",
			func(f *Facts) { f.Nodes = []string{"thin-demo@gone"}; f.Busy["gone"] = true }, nil},
		{"alias", func(f *Facts) { f.Aliases = []string{"one"} },
			[]string{"alias demo/one: remove the link"}},
		{"foreign",
			func(f *Facts) { f.Foreign = []dm.Device{{Name: "thin-demo@x", UUID: "LVM-abc"}} },
			[]string{"foreign-device thin-demo@x: by hand: it is left alone"}},
	} {
		u.run(t)
	}
}

func TestUsesAgainstMounts(t *testing.T) {
	change := func(volume string, do func(*Use)) func(*Facts) {
		return func(f *Facts) {
			u := f.Uses[volume]
			do(&u)
			f.Uses[volume] = u
		}
	}
	const fix = ": make its record"
	for _, u := range []unlike{
		{"record without a mount",
			change("base", func(u *Use) { u.Seen.Mounts, u.Seen.OpenCount = nil, 0 }),
			[]string{"record demo/base" + fix}},
		{"mounted elsewhere",
			change("base", func(u *Use) { u.Seen.Mounts, u.Seen.Lives = nil, true }), nil},
		{"record without a mount, and open", change("base", func(u *Use) { u.Seen.Mounts = nil }),
			[]string{"record demo/base" + fix}},
		{"a copy of what is mounted elsewhere",
			change("base",
				func(u *Use) { u.Record.Namespace, u.Seen.Namespace, u.Seen.Lives = 2, 1, true }),
			nil},
		{"without lines in utab", change("base", func(u *Use) { u.Unlined = true }),
			[]string{"utab /mnt: write its lines"}},
		{"moved", change("base", func(u *Use) { u.Seen.Mounts[0].Path = "/srv" }),
			[]string{"record demo/base" + fix}},
		{"mounted anew on the same path", change("base", func(u *Use) { u.Seen.Mounts[0].ID = 99 }),
			nil},
		{"record of an earlier activation", change("base", func(u *Use) { u.Seen.Dev = "253:10" }),
			[]string{"record demo/base" + fix}},
		{"mount without a record",
			change("base",
				func(u *Use) {
					u.Record = refcount.Record{Volume: thintest.Named("demo/base")}
					u.Written = false
				}),
			[]string{"record demo/base" + fix}},
		{"a folder of it is shown elsewhere", change("base", func(u *Use) {
			u.Record, u.Written = refcount.Record{Volume: thintest.Named("demo/base")}, false
			u.Seen.Mounts[0].Root = "/sub"
		}), nil},
		{"pinned by the record alone",
			change("one", func(u *Use) { u.Record.Pinned, u.Written = true, true }),
			[]string{"record demo/one" + fix}},
		{"damaged", change("one", func(u *Use) { u.Damage = errors.New("damaged") }),
			[]string{"record demo/one" + fix}},
	} {
		u.run(t)
	}
}

func TestUsesAreTold(t *testing.T) {
	u := soundFacts().Uses["base"]
	u.Seen.Mounts, u.Seen.OpenCount = nil, 0
	if got := u.flaw(); got != "the record says mounted on /mnt with 2 references, but it is not" {
		t.Error(got)
	}
	u = soundFacts().Uses["base"]
	u.Seen.Mounts[0].Path = "/srv"
	if got := u.flaw(); got != "the record says mounted on /mnt with 2 references, but it is "+
		"mounted on /srv with 2 references" {
		t.Error(got)
	}
}

func TestLeftFiles(t *testing.T) {
	entry := func(kind, path, volume string) func(*Facts) {
		return func(f *Facts) {
			f.Entries = append(f.Entries,
				refcount.Entry{Kind: kind, Path: path, Volume: f.Volume(volume)})
		}
	}
	for _, u := range []unlike{
		{"lock", entry(refcount.KindLock, "l", "gone"), []string{"lock l: remove it"}},
		{"lock and turnstile", func(f *Facts) {
			entry(refcount.KindLock, "l", "gone")(f)
			entry(refcount.KindLock, "l@turn", "gone")(f)
		}, []string{"lock l: remove it"}},
		{"lock that is held",
			func(f *Facts) { entry(refcount.KindLock, "l", "gone")(f); f.Busy["gone"] = true },
			nil},
		{"lock of what is being made", func(f *Facts) {
			entry(refcount.KindLock, "l", "new")(f)
			f.Config.Intents = []catalog.Intent{{Op: catalog.OpFormat, Volume: "new", ID: 9}}
		}, []string{"interrupted demo/new"}},
		{"record of nothing", entry(refcount.KindRecord, "r", "gone"),
			[]string{"record r: remove it"}},
		{"record of a damaged volume", func(f *Facts) {
			entry(refcount.KindRecord, "r", "x")(f)
			f.Damaged = map[string]error{"x": os.ErrInvalid}
		},
			[]string{"damaged-record demo/x"}},
		{"temp file of a record", entry(refcount.KindTemp, "t", "base"),
			[]string{"temp-file t: remove it"}},
		{"temp file that is being written",
			func(f *Facts) { entry(refcount.KindTemp, "t", "base")(f); f.Busy["base"] = true },
			nil},
		{"temp files of the catalog", func(f *Facts) {
			f.Temps = []catalog.Temp{{Path: "p"}, {Path: "v", Volume: "one"}}
			f.Busy["one"] = true
		}, []string{"temp-file p: remove it"}},
		{"utab", func(f *Facts) {
			f.Utab = []UtabLine{{mount.StaleLine{Source: "/dev/mapper/thin-demo@one",
				Target: "/srv"}, "one"},
				{mount.StaleLine{Source: "demo/one", Target: "/srv"}, "one"}}
		}, []string{"utab /srv: remove its lines"}},
		{"two lines of fstab", func(f *Facts) {
			f.Losers = []registry.Loser{{Volume: thintest.Named("demo/one"),
				Line: fstab.Entry{Dir: "/b", Line: 7},
				Wins: fstab.Entry{Dir: "/a", Line: 3}}}
		}, []string{"fstab demo/one: by hand: take one of the lines out"}},
		{"utab of one that is at work", func(f *Facts) {
			f.Utab, f.Busy["base"] = []UtabLine{{mount.StaleLine{Target: "/srv"}, "base"}}, true
		}, nil},
	} {
		u.run(t)
	}
}

func TestDisksAndModes(t *testing.T) {
	for _, u := range []unlike{
		{"another pool's file", func(f *Facts) { f.Backings[0].Label.UUID = thintest.OtherUUID },
			[]string{"label /srv/data: by hand: give pool demo its own data back"}},
		{"data for metadata", func(f *Facts) { f.Backings[1].Label.Role = "data" },
			[]string{"label /dev/sdb: by hand: connect pool demo's own metadata"}},
		{"not there", func(f *Facts) { f.Backings[1].Err = os.ErrNotExist },
			[]string{"label /dev/sdb: by hand"}},
		{"too small", func(f *Facts) { f.Backings[0].Size = thintest.MiB },
			[]string{"label /srv/data: by hand"}},
		{"a copy is active", func(f *Facts) {
			f.Copied = &backing.Copied{Name: "demo",
				Err: &fault.Error{Err: fault.Errorf(fault.ErrPoolState, "a copy of it is active"),
					Remedy: fault.Hint("deactivate it")}}
		}, []string{"backing demo: by hand"}},
		{"second loop device",
			func(f *Facts) {
				f.Backings[0].Loops = append(f.Backings[0].Loops, loop.Info{Path: "/dev/loop9"})
			},
			[]string{"loop /dev/loop9: by hand: losetup --detach /dev/loop9"}},
		{"loop device that goes by itself", func(f *Facts) {
			f.Backings[0].Loops = append(f.Backings[0].Loops,
				loop.Info{Path: "/dev/loop9", Autoclear: true})
		}, nil},
		{"needs check", func(f *Facts) { f.Live.NeedsCheck = true },
			[]string{
				"pool-mode demo: by hand: the pool has to be inactive for that: unmount " +
					"demo/base, and check again"}},
		{"needs check, not in use", func(f *Facts) {
			f.Live.NeedsCheck, f.Devices, f.Uses, f.Entries = true, f.Devices[:3], nil, nil
		}, []string{"pool-mode demo: have thin_check look at all of it"}},
		{"needs check, inactive", func(f *Facts) {
			f.Live, f.Meta.NeedsCheck, f.Devices, f.Uses, f.Entries = nil, true, nil, nil, nil
		}, []string{"pool-mode demo: have thin_check look at all of it"}},
		{"read-only", func(f *Facts) { f.Live.Mode = thinpool.ModeRO },
			[]string{"pool-mode demo: by hand"}},
		{"out of data", func(f *Facts) { f.Live.Mode = thinpool.ModeOutOfData },
			[]string{"pool-mode demo: by hand"}},
		{"metadata snapshot", func(f *Facts) { f.Live.HeldRoot = 9 },
			[]string{"held-snapshot demo: release it"}},
		{"metadata snapshot, inactive", func(f *Facts) { f.Live, f.Meta.HeldRoot = nil, 9 },
			[]string{"held-snapshot demo: release it"}},
	} {
		u.run(t)
	}
}

// TestLabelFlaw checks that the error of a disk or file says what differs, and
// what a user can do.
func TestLabelFlaw(t *testing.T) {
	f := soundFacts()
	for _, row := range []struct {
		err     error
		carries string
		label   label.Label
		want    string
	}{
		{nil, "", label.Label{Pool: "other", UUID: thintest.OtherUUID, Role: "data"},
			`/srv/data: belongs to pool "other" ("` + thintest.OtherUUID +
				`", data), not to this one (` + thintest.UUID + `, data)`},
		{label.ErrNone, "carries LVM2_member", label.Label{},
			"/srv/data: carries no label of a pool, but carries LVM2_member: it is not pool " +
				"demo's data"},
		{label.ErrNone, "", label.Label{},
			"/srv/data: carries no label of a pool: it is not pool demo's data, or was " +
				"overwritten"},
		{label.ErrOverwritten, "carries ext4", label.Label{},
			"another program has written beside the label, but carries ext4: it is not"},
		{label.ErrDamaged, "", label.Label{},
			"label is damaged: it is not pool demo's data, or was overwritten"},
	} {
		e := backing.LabelFlaw(f.Config, dmname.Data, f.Config.Data, row.label, row.err,
			row.carries, 2<<30)
		if e == nil || !strings.Contains(e.Error(), row.want) ||
			!errors.Is(e, fault.ErrPoolState) ||
			!strings.Contains(thintest.Show(e.Remedy), "its own data back") {
			t.Errorf("%v, want %s", e, row.want)
		}
	}
}
