package thin

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fstab"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// leftDevice is a device of volume one that nobody has open.
func leftDevice(f *facts) *device {
	f.devices = append(f.devices, device{volume: "one", id: 2, size: 256 * mib,
		Info: dm.Info{Name: "thin-demo@one", UUID: volumeUUID(testUUID, 2), Flags: unix.DM_ACTIVE_PRESENT_FLAG}})
	return &f.devices[len(f.devices)-1]
}

func TestLeftDevices(t *testing.T) {
	for _, u := range []unlike{
		{"left", func(f *facts) { leftDevice(f) }, []string{"device thin-demo@one: remove it"}},
		{"somebody is at work on it", func(f *facts) { leftDevice(f); f.busy["one"] = true }, nil},
		{"activated on purpose", func(f *facts) { leftDevice(f); f.uses["one"] = use{held: true} }, nil},
		{"open", func(f *facts) { leftDevice(f).OpenCount = 1 }, nil},
		{"without a table", func(f *facts) { leftDevice(f).Flags, f.devices[4].size = 0, 0 }, []string{"device thin-demo@one: remove it"}},
		{"suspended", func(f *facts) { f.devices[3].Flags |= unix.DM_SUSPEND_FLAG }, []string{"suspended thin-demo@base: resume it"}},
		{"pool suspended", func(f *facts) { f.devices[0].Flags |= unix.DM_SUSPEND_FLAG }, []string{"suspended thin-demo@@pool: resume it"}},
		{"part without its pool", func(f *facts) { f.devices, f.live = f.devices[1:2], nil; f.devices[0].OpenCount = 0; f.uses = nil },
			[]string{"device thin-demo@@data: remove it"}},
		{"of another name", func(f *facts) { f.devices[3].Name, f.devices[3].volume = "thin-demo@x", "x" },
			[]string{"device thin-demo@x: by hand: dmsetup rename thin-demo@x thin-demo@base"}},
		{"node", func(f *facts) { f.nodes = []string{"thin-demo@gone"} }, []string{"node /dev/mapper/thin-demo@gone: remove it"}},
		{"node that somebody makes", func(f *facts) { f.nodes = []string{"thin-demo@gone"}; f.busy["gone"] = true }, nil},
		{"alias", func(f *facts) { f.aliases = []string{"one"} }, []string{"alias demo/one: remove the link"}},
		{"foreign", func(f *facts) { f.foreign = []dm.Device{{Name: "thin-demo@x", UUID: "LVM-abc"}} },
			[]string{"foreign-device thin-demo@x: by hand: it is left alone"}},
	} {
		u.run(t)
	}
}

func TestUsesAgainstMounts(t *testing.T) {
	change := func(volume string, do func(*use)) func(*facts) {
		return func(f *facts) {
			u := f.uses[volume]
			do(&u)
			f.uses[volume] = u
		}
	}
	const fix = ": make its record"
	for _, u := range []unlike{
		{"record without a mount", change("base", func(u *use) { u.seen.Mounts, u.seen.OpenCount = nil, 0 }), []string{"record demo/base" + fix}},
		{"mounted elsewhere", change("base", func(u *use) { u.seen.Mounts, u.seen.Lives = nil, true }), nil},
		{"record without a mount, and open", change("base", func(u *use) { u.seen.Mounts = nil }), []string{"record demo/base" + fix}},
		{"a copy of what is mounted elsewhere", change("base", func(u *use) { u.record.Namespace, u.seen.Namespace, u.seen.Lives = 2, 1, true }), nil},
		{"without lines in utab", change("base", func(u *use) { u.unlined = true }), []string{"utab /mnt: write its lines"}},
		{"moved", change("base", func(u *use) { u.seen.Mounts[0].Path = "/srv" }), []string{"record demo/base" + fix}},
		{"mounted anew on the same path", change("base", func(u *use) { u.seen.Mounts[0].ID = 99 }), nil},
		{"record of an earlier activation", change("base", func(u *use) { u.seen.Dev = "253:10" }), []string{"record demo/base" + fix}},
		{"mount without a record", change("base", func(u *use) { u.record, u.written = refcount.Record{Volume: "demo/base"}, false }), []string{"record demo/base" + fix}},
		{"a folder of it is shown elsewhere", change("base", func(u *use) {
			u.record, u.written = refcount.Record{Volume: "demo/base"}, false
			u.seen.Mounts[0].Root = "/sub"
		}), nil},
		{"held by the record alone", change("one", func(u *use) { u.record.Held, u.written = true, true }), []string{"record demo/one" + fix}},
		{"damaged", change("one", func(u *use) { u.damage = errors.New("damaged") }), []string{"record demo/one" + fix}},
	} {
		u.run(t)
	}
}

func TestUsesAreTold(t *testing.T) {
	u := soundFacts().uses["base"]
	u.seen.Mounts, u.seen.OpenCount = nil, 0
	if got := u.flaw(); got != "the record says mounted on /mnt with 2 references, but it is not" {
		t.Error(got)
	}
	u = soundFacts().uses["base"]
	u.seen.Mounts[0].Path = "/srv"
	if got := u.flaw(); got != "the record says mounted on /mnt with 2 references, but it is mounted on /srv with 2 references" {
		t.Error(got)
	}
}

func TestLeftFiles(t *testing.T) {
	entry := func(kind, path, volume string) func(*facts) {
		return func(f *facts) {
			f.entries = append(f.entries, refcount.Entry{Kind: kind, Path: path, Pool: "demo", Volume: volume})
		}
	}
	for _, u := range []unlike{
		{"lock", entry(refcount.KindLock, "l", "gone"), []string{"lock l: remove it"}},
		{"lock and turnstile", func(f *facts) {
			entry(refcount.KindLock, "l", "gone")(f)
			entry(refcount.KindLock, "l@turn", "gone")(f)
		}, []string{"lock l: remove it"}},
		{"lock that is held", func(f *facts) { entry(refcount.KindLock, "l", "gone")(f); f.busy["gone"] = true }, nil},
		{"lock of what is being made", func(f *facts) {
			entry(refcount.KindLock, "l", "new")(f)
			f.cfg.Operations = []catalog.Operation{{Op: catalog.OpFormat, Volume: "new", ID: 9}}
		}, []string{"interrupted demo/new"}},
		{"record of nothing", entry(refcount.KindRecord, "r", "gone"), []string{"record r: remove it"}},
		{"record of a damaged volume", func(f *facts) {
			entry(refcount.KindRecord, "r", "x")(f)
			f.damaged = map[string]error{"x": os.ErrInvalid}
		},
			[]string{"damaged-record demo/x"}},
		{"temp file of a record", entry(refcount.KindTemp, "t", "base"), []string{"temp-file t: remove it"}},
		{"temp file that is being written", func(f *facts) { entry(refcount.KindTemp, "t", "base")(f); f.busy["base"] = true }, nil},
		{"temp files of the catalog", func(f *facts) {
			f.temps = []catalog.Temp{{Path: "p"}, {Path: "v", Volume: "one"}}
			f.busy["one"] = true
		}, []string{"temp-file p: remove it"}},
		{"utab", func(f *facts) {
			f.utab = []utabLine{{mount.StaleLine{Source: "/dev/mapper/thin-demo@one", Target: "/srv"}, "one"}, {mount.StaleLine{Source: "demo/one", Target: "/srv"}, "one"}}
		}, []string{"utab /srv: remove its lines"}},
		{"two lines of fstab", func(f *facts) {
			f.losers = []loser{{"demo/one", fstab.Entry{Dir: "/b", Line: 7}, fstab.Entry{Dir: "/a", Line: 3}}}
		}, []string{"fstab demo/one: by hand: take one of the lines out"}},
		{"utab of one that is at work", func(f *facts) {
			f.utab, f.busy["base"] = []utabLine{{mount.StaleLine{Target: "/srv"}, "base"}}, true
		}, nil},
	} {
		u.run(t)
	}
}

func TestDisksAndModes(t *testing.T) {
	for _, u := range []unlike{
		{"another pool's file", func(f *facts) { f.backings[0].label.UUID = otherUUID }, []string{"label /srv/data: by hand: give pool demo its own data back"}},
		{"data for metadata", func(f *facts) { f.backings[1].label.Role = "data" }, []string{"label /dev/sdb: by hand: connect pool demo's own metadata"}},
		{"not there", func(f *facts) { f.backings[1].err = os.ErrNotExist }, []string{"label /dev/sdb: by hand"}},
		{"too small", func(f *facts) { f.backings[0].size = mib }, []string{"label /srv/data: by hand"}},
		{"a copy is active", func(f *facts) {
			f.copied = &copied{name: "demo", err: &Error{Err: reason(ErrPoolState, "a copy of it is active"), Hint: "deactivate it"}}
		}, []string{"backing demo: by hand"}},
		{"second loop device", func(f *facts) { f.backings[0].loops = append(f.backings[0].loops, loop.Info{Path: "/dev/loop9"}) },
			[]string{"loop /dev/loop9: by hand: losetup --detach /dev/loop9"}},
		{"loop device that goes by itself", func(f *facts) {
			f.backings[0].loops = append(f.backings[0].loops, loop.Info{Path: "/dev/loop9", Autoclear: true})
		}, nil},
		{"needs check", func(f *facts) { f.live.NeedsCheck = true },
			[]string{"pool-mode demo: by hand: the pool has to be inactive for that: unmount demo/base, and check again"}},
		{"needs check, not in use", func(f *facts) {
			f.live.NeedsCheck, f.devices, f.uses, f.entries = true, f.devices[:3], nil, nil
		}, []string{"pool-mode demo: have thin_check look at all of it"}},
		{"needs check, inactive", func(f *facts) {
			f.live, f.meta.NeedsCheck, f.devices, f.uses, f.entries = nil, true, nil, nil, nil
		}, []string{"pool-mode demo: have thin_check look at all of it"}},
		{"read-only", func(f *facts) { f.live.Mode = thinpool.ModeRO }, []string{"pool-mode demo: by hand"}},
		{"out of data", func(f *facts) { f.live.Mode = thinpool.ModeOutOfData }, []string{"pool-mode demo: by hand"}},
		{"held", func(f *facts) { f.live.HeldRoot = 9 }, []string{"held-snapshot demo: release it"}},
		{"held, inactive", func(f *facts) { f.live, f.meta.HeldRoot = nil, 9 }, []string{"held-snapshot demo: release it"}},
	} {
		u.run(t)
	}
}

// What is refused says what differs and what to do.
func TestLabelFlaw(t *testing.T) {
	f := soundFacts()
	for _, row := range []struct {
		err     error
		carries string
		label   label.Label
		want    string
	}{
		{nil, "", label.Label{Pool: "other", UUID: otherUUID, Role: "data"}, `/srv/data: belongs to pool "other" ("` + otherUUID + `", data), not to this one (` + testUUID + `, data)`},
		{label.ErrNone, "carries LVM2_member", label.Label{}, "/srv/data: carries no label of a pool, but carries LVM2_member: it is not pool demo's data"},
		{label.ErrNone, "", label.Label{}, "/srv/data: carries no label of a pool: it is not pool demo's data, or was overwritten"},
		{label.ErrForeign, "carries ext4", label.Label{}, "somebody else has written beside the label, but carries ext4: it is not"},
		{label.ErrDamaged, "", label.Label{}, "label is damaged: it is not pool demo's data, or was overwritten"},
	} {
		e := labelFlaw(f.cfg, partData, f.cfg.Data, row.label, row.err, row.carries, 2<<30)
		if e == nil || !strings.Contains(e.Error(), row.want) || !errors.Is(e, ErrPoolState) || !strings.Contains(e.Hint, "its own data back") {
			t.Errorf("%v, want %s", e, row.want)
		}
	}
}
