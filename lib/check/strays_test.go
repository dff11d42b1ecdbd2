package check

import (
	"slices"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// allStrays returns one stray of each kind for a pool gone, which does not
// exist, and the same for the pool demo, which does.
func allStrays() *Strays {
	s := &Strays{Pools: map[string]string{"demo": thintest.UUID},
		Busy: map[string]bool{"demo": false}}
	for _, pool := range []string{"demo", "gone"} {
		uuid := map[string]string{"demo": thintest.UUID, "gone": thintest.OtherUUID}[pool]
		v := func(name string) spec.Volume { return spec.Volume{Pool: pool, Name: name} }
		s.Entries = append(s.Entries,
			refcount.Entry{Path: "lock " + pool, Kind: refcount.KindLock, Volume: v("")},
			refcount.Entry{Path: "turn " + pool, Kind: refcount.KindLock, Volume: v("")},
			refcount.Entry{Path: "lock " + pool + "/v", Kind: refcount.KindLock, Volume: v("v")},
			refcount.Entry{Path: "record " + pool, Kind: refcount.KindRecord, Volume: v("v")},
			refcount.Entry{Path: "temp " + pool, Kind: refcount.KindTemp, Volume: v("v")})
		s.Devices = append(s.Devices,
			dm.Info{Name: dmname.Volume(v("v")), UUID: dmname.VolumeUUID(uuid, 1)})
		s.Nodes = append(s.Nodes, dmname.Volume(v("w")), dmname.Part(pool, dmname.Data))
		s.Aliases = append(s.Aliases, pool)
	}
	s.Entries = append(s.Entries, refcount.Entry{Path: "other", Kind: refcount.KindOther})
	s.Folders = []catalog.Stray{{Name: "gone", Path: "/gone"},
		{Name: "full", Path: "/full", Holds: "/full/data"}}
	return s
}

func TestStrays(t *testing.T) {
	want := []string{
		"folder /gone: remove it",
		"folder /full: by hand: restore its pool.json",
		"device thin-gone@v: by hand: if nobody needs it: dmsetup remove thin-gone@v",
		"node /dev/mapper/thin-gone@w: remove it", "node /dev/mapper/thin-gone@@data: remove it",
		"alias gone: remove the folder",
		"lock lock gone/v: remove it", "record record gone: remove it",
		"temp-file temp gone: remove it", "lock lock gone: remove it",
	}
	if got := lines(allStrays().Findings()); !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("found\n%s", strings.Join(got, "\n"))
	}
}

// TestStraysOfPoolsInTheMaking checks a pool that a command is making. It has
// all that a pool has except pool.json, and is no stray.
func TestStraysOfPoolsInTheMaking(t *testing.T) {
	s := allStrays()
	s.Busy["gone"], s.Busy["full"] = true, true
	if got := s.Findings(); len(got) > 0 {
		t.Errorf("found\n%s", strings.Join(lines(got), "\n"))
	}
}

// TestStraysOfUnreadablePools checks that the devices of a pool whose pool.json
// cannot be read are no strays.
func TestStraysOfUnreadablePools(t *testing.T) {
	s := allStrays()
	s.Pools["gone"], s.Folders = "", nil
	if got := s.Findings(); len(got) > 0 {
		t.Errorf("found\n%s", strings.Join(lines(got), "\n"))
	}
}
