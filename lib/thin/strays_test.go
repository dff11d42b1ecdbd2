package thin

import (
	"slices"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/refcount"
)

// allStrays has one of each kind of a pool named gone, and the same of demo,
// which is there.
func allStrays() *strays {
	s := &strays{pools: map[string]string{"demo": testUUID}, busy: map[string]bool{"demo": false}}
	for _, pool := range []string{"demo", "gone"} {
		uuid := map[string]string{"demo": testUUID, "gone": otherUUID}[pool]
		s.entries = append(s.entries,
			refcount.Entry{Path: "lock " + pool, Kind: refcount.KindLock, Pool: pool},
			refcount.Entry{Path: "turn " + pool, Kind: refcount.KindLock, Pool: pool},
			refcount.Entry{Path: "lock " + pool + "/v", Kind: refcount.KindLock, Pool: pool, Volume: "v"},
			refcount.Entry{Path: "record " + pool, Kind: refcount.KindRecord, Pool: pool, Volume: "v"},
			refcount.Entry{Path: "temp " + pool, Kind: refcount.KindTemp, Pool: pool, Volume: "v"})
		s.devices = append(s.devices, dm.Info{Name: volumeName(pool, "v"), UUID: volumeUUID(uuid, 1)})
		s.nodes = append(s.nodes, volumeName(pool, "w"), partName(pool, partData))
		s.aliases = append(s.aliases, pool)
	}
	s.entries = append(s.entries, refcount.Entry{Path: "other", Kind: refcount.KindOther})
	s.folders = []catalog.Stray{{Name: "gone", Path: "/gone"}, {Name: "full", Path: "/full", Holds: "/full/data"}}
	return s
}

func TestStrays(t *testing.T) {
	want := []string{
		"folder /gone: remove it",
		"folder /full: by hand: restore its pool.json",
		"device thin-gone@v: by hand: if nobody needs it: dmsetup remove thin-gone@v",
		"node /dev/mapper/thin-gone@w: remove it", "node /dev/mapper/thin-gone@@data: remove it",
		"alias gone: remove the folder",
		"lock lock gone/v: remove it", "record record gone: remove it", "temp-file temp gone: remove it", "lock lock gone: remove it",
	}
	if got := lines(allStrays().findings()); !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("found\n%s", strings.Join(got, "\n"))
	}
}

// A pool that somebody is making has all that a pool has, but pool.json.
func TestStraysOfPoolsInTheMaking(t *testing.T) {
	s := allStrays()
	s.busy["gone"], s.busy["full"] = true, true
	if got := s.findings(); len(got) > 0 {
		t.Errorf("found\n%s", strings.Join(lines(got), "\n"))
	}
}

// The devices of a pool whose pool.json cannot be read are no strays.
func TestStraysOfUnreadablePools(t *testing.T) {
	s := allStrays()
	s.pools["gone"], s.folders = "", nil
	if got := s.findings(); len(got) > 0 {
		t.Errorf("found\n%s", strings.Join(lines(got), "\n"))
	}
}
