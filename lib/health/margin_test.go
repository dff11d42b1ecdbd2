package health

import (
	"reflect"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

func TestMarginArithmetic(t *testing.T) {
	five, none := 5, 0
	for _, row := range []struct {
		name   string
		margin *int
		st     thinpool.Status
		want   string // of the description; "" for none
	}{
		{"the smallest pool, new", nil, thinpool.Status{MetaUsed: 61, MetaTotal: 512, DataTotal: 1},
			""},
		{"all used", nil, thinpool.Status{MetaTotal: 512, DataUsed: 100, DataTotal: 100},
			"0% of the data is free (0 bytes of 6400K), less than the margin of 10%"},
		{"exactly the margin", nil, thinpool.Status{MetaTotal: 512, DataUsed: 90, DataTotal: 100},
			""},
		{"a block less", nil, thinpool.Status{MetaTotal: 512, DataUsed: 901, DataTotal: 1000},
			"9% of the data is free"},
		{"metadata", nil, thinpool.Status{MetaUsed: 470, MetaTotal: 512, DataTotal: 100},
			"8% of the metadata is free (168K of 2M)"},
		{"another margin", &five, thinpool.Status{MetaUsed: 470, MetaTotal: 512, DataTotal: 100},
			""},
		{"no margin", &none,
			thinpool.Status{MetaUsed: 512, MetaTotal: 512, DataUsed: 100, DataTotal: 100}, ""},
		{"more used than there is", &five,
			thinpool.Status{MetaTotal: 512, DataUsed: 101, DataTotal: 100}, "0% of the data"},
		{"the largest", nil,
			thinpool.Status{MetaTotal: 4161600, DataUsed: 1<<52 - 1, DataTotal: 1 << 52},
			"0% of the data is free (64K of"},
		{"nothing is known", nil, thinpool.Status{Mode: thinpool.ModeFail}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := BelowMargin(catalog.Pool{BlockSize: 128, Margin: row.margin}, row.st)
			if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// TestTrouble checks that each bad state of a pool has a description, and a
// remedy that names the pool.
func TestTrouble(t *testing.T) {
	cfg := catalog.Pool{Name: "demo", BlockSize: 128,
		Metadata: catalog.Backing{Path: "/d/metadata"}}
	sound := thinpool.Status{Mode: thinpool.ModeRW, MetaTotal: 512, DataTotal: 100}
	with := func(change func(*thinpool.Status)) thinpool.Status {
		st := sound
		change(&st)
		return st
	}
	restart := fault.Sayf("look for the disks' errors in dmesg; then %v",
		fault.RestartPool{Pool: "demo"})
	room := fault.Sayf("%v, or delete volumes",
		fault.GrowPool{Pool: "demo", Data: fault.Growth{More: true}})
	for _, row := range []struct {
		st     thinpool.Status
		state  string
		remedy fault.Remedy
	}{
		{sound, "", nil},
		{with(func(s *thinpool.Status) { s.Mode = thinpool.ModeFail }), "has failed", restart},
		{with(func(s *thinpool.Status) { s.Mode = thinpool.ModeError }), "has failed", restart},
		{with(func(s *thinpool.Status) { s.Mode = thinpool.ModeRO }), "its metadata is full",
			fault.GrowPool{Pool: "demo", Metadata: fault.Growth{Size: 64 << 20, More: true}}},
		{with(func(s *thinpool.Status) { s.Mode, s.NeedsCheck = thinpool.ModeRO, true }),
			"needs a check", fault.RepairPool{Pool: "demo"}},
		{with(func(s *thinpool.Status) {
			s.Mode, s.OnFull = thinpool.ModeOutOfData, spec.OnFullQueue
		}),
			"wait for it", room},
		{with(func(s *thinpool.Status) {
			s.Mode, s.OnFull = thinpool.ModeOutOfData, spec.OnFullError
		}),
			"need room fail", room},
		{with(func(s *thinpool.Status) { s.DataUsed = 95 }), "5% of the data is free",
			fault.Sayf("%v, or delete volumes", fault.GrowPool{Pool: "demo"})},
	} {
		state, remedy := Trouble(cfg, row.st, Room{})
		if !strings.Contains(state, row.state) || !reflect.DeepEqual(remedy, row.remedy) ||
			(state == "") != (row.state == "") {
			t.Errorf("%+v: %q, %v; want %q, %v", row.st, state, remedy, row.state, row.remedy)
		}
	}
}

// TestFullPoolIsInTrouble checks a pool that is full before the kernel has
// noticed it. The description is the same as afterwards, also for a pool
// without a margin.
func TestFullPoolIsInTrouble(t *testing.T) {
	none := 0
	st := thinpool.Status{Mode: thinpool.ModeRW, OnFull: spec.OnFullQueue, MetaTotal: 512,
		DataUsed: 100, DataTotal: 100}
	state, remedy := Trouble(catalog.Pool{Name: "demo", BlockSize: 128, Margin: &none}, st, Room{})
	if !strings.Contains(state, "writes that need room wait for it") ||
		!reflect.DeepEqual(remedy, RoomRemedy("demo")) {
		t.Errorf("%q, %v", state, remedy)
	}
}

// TestMarginRemedy checks that the remedy names sizes for a pool in files, and
// none for a pool on devices.
func TestMarginRemedy(t *testing.T) {
	sound := thinpool.Status{Mode: thinpool.ModeRW, MetaTotal: 512, DataTotal: 100}
	data, meta, both := sound, sound, sound
	more, none := fault.Growth{Size: 64 << 20, More: true}, fault.Growth{}
	data.DataUsed, meta.MetaUsed, both.DataUsed, both.MetaUsed = 95, 500, 95, 500
	for _, row := range []struct {
		kind           string
		st             thinpool.Status
		data, metadata fault.Growth
	}{
		{catalog.KindFile, data, more, none},
		{catalog.KindFile, meta, none, more},
		{catalog.KindFile, both, more, more},
		{catalog.KindDevice, both, none, none},
	} {
		cfg := catalog.Pool{Name: "demo", BlockSize: 128, Data: catalog.Backing{Kind: row.kind},
			Metadata: catalog.Backing{Kind: row.kind}}
		want := orDelete(fault.GrowPool{Pool: "demo", Data: row.data, Metadata: row.metadata})
		if _, got := Trouble(cfg, row.st, Room{}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %+v: %v, want %v", row.kind, row.st, got, want)
		}
	}
}
