package refcount

import (
	"testing"
	"time"
)

// A record of a volume that is mounted at /a three times, and what the kernel
// says when nothing has happened since.
func recorded() (Record, Observed) {
	r := Record{
		Volume: base, PoolUUID: "u1", ThinID: 7, Device: "/dev/mapper/thin-demo@base",
		Dev:       "253:5",
		MountedOn: "/a", MountID: 40, References: 3, Namespace: 1, Pinned: true,
		Since: time.Unix(1700000000, 0).UTC(),
	}
	o := Observed{Mounts: []MountPoint{{40, "/a", "/"}}, OpenCount: 1, Active: true, Dev: "253:5",
		PoolUUID: "u1", ThinID: 7, Namespace: 1}
	return r, o
}

func TestReconcile(t *testing.T) {
	type mounts = []MountPoint
	type is struct {
		on        string
		id, refs  int
		pinned    bool
		elsewhere bool
	}
	for _, tt := range []struct {
		name   string
		change func(r *Record, o *Observed)
		want   is
	}{
		{"nothing happened", func(r *Record, o *Observed) {}, is{"/a", 40, 3, true, false}},
		{"stale: another pool", func(r *Record, o *Observed) { o.PoolUUID = "u2" },
			is{"/a", 40, 1, false, false}},
		{"stale: another thin id", func(r *Record, o *Observed) { o.ThinID = 8 },
			is{"/a", 40, 1, false, false}},
		{"stale: another activation", func(r *Record, o *Observed) { o.Dev = "253:6" },
			is{"/a", 40, 1, false, false}},
		{"stale and not mounted",
			func(r *Record, o *Observed) { *o = Observed{Active: true, PoolUUID: "u2"} }, is{}},
		{"stale and open",
			func(r *Record, o *Observed) {
				*o = Observed{Active: true, PoolUUID: "u2", OpenCount: 1}
			}, is{elsewhere: true}},
		{"not active", func(r *Record, o *Observed) { *o = Observed{PoolUUID: "u1", ThinID: 7} },
			is{}},
		{"not active, dev differs",
			func(r *Record, o *Observed) { *o = Observed{PoolUUID: "u1", ThinID: 7, Dev: "253:9"} },
			is{}},
		{"moved", func(r *Record, o *Observed) { o.Mounts = mounts{{40, "/b", "/"}} },
			is{"/b", 40, 3, true, false}},
		{"remounted by hand", func(r *Record, o *Observed) { o.Mounts = mounts{{41, "/a", "/"}} },
			is{"/a", 41, 3, true, false}},
		{"elsewhere by hand", func(r *Record, o *Observed) { o.Mounts = mounts{{41, "/b", "/"}} },
			is{"/b", 41, 1, true, false}},
		{"bind mount",
			func(r *Record, o *Observed) {
				o.Mounts = mounts{{39, "/0", "/"}, {40, "/a", "/"}, {41, "/b", "/"}}
			}, is{"/a", 40, 3, true, false}},
		{"path wins over id",
			func(r *Record, o *Observed) { o.Mounts = mounts{{40, "/b", "/"}, {41, "/a", "/"}} },
			is{"/a", 41, 3, true, false}},
		{"stacked: same mount",
			func(r *Record, o *Observed) { o.Mounts = mounts{{40, "/a", "/"}, {41, "/a", "/"}} },
			is{"/a", 40, 3, true, false}},
		{"stacked: top",
			func(r *Record, o *Observed) { o.Mounts = mounts{{41, "/a", "/"}, {42, "/a", "/"}} },
			is{"/a", 42, 3, true, false}},
		{"only others: whole one",
			func(r *Record, o *Observed) {
				o.Mounts = mounts{{41, "/b", "/sub"}, {42, "/c", "/"}, {43, "/d", "/"}}
			}, is{"/c", 42, 1, true, false}},
		{"only parts",
			func(r *Record, o *Observed) {
				o.Mounts = mounts{{41, "/b", "/sub"}, {42, "/c", "/sub"}}
			}, is{"/b", 41, 1, true, false}},
		{"gone, and open", func(r *Record, o *Observed) { o.Mounts = nil },
			is{"", 0, 0, true, true}},
		{"below another root", func(r *Record, o *Observed) { o.Mounts, o.Lives = nil, true },
			is{"/a", 40, 3, true, true}},
		{"bind mount below another root",
			func(r *Record, o *Observed) { o.Mounts, o.Lives = mounts{{41, "/a", "/"}}, true },
			is{"/a", 40, 3, true, true}},
		{"in another namespace",
			func(r *Record, o *Observed) { o.Mounts, o.Namespace, o.Lives = nil, 2, true },
			is{"/a", 40, 3, true, true}},
		{"a copy",
			func(r *Record, o *Observed) {
				o.Mounts, o.Namespace, o.Lives = mounts{{41, "/a", "/"}}, 2, true
			}, is{"/a", 40, 3, true, true}},
		{"a copy that has outlived it",
			func(r *Record, o *Observed) { o.Mounts, o.Namespace = mounts{{41, "/a", "/"}}, 2 },
			is{"/a", 41, 1, true, false}},
		{"namespace has ended", func(r *Record, o *Observed) { o.Mounts, o.Namespace = nil, 2 },
			is{"", 0, 0, true, true}},
		{"namespace not known", func(r *Record, o *Observed) { r.Namespace = 0 },
			is{"/a", 40, 3, true, false}},
		{"namespace not known, copy",
			func(r *Record, o *Observed) {
				r.Namespace, o.Mounts, o.Lives = 0, mounts{{41, "/a", "/"}}, true
			}, is{"/a", 40, 3, true, true}},
		{"elsewhere no more", func(r *Record, o *Observed) { r.Elsewhere = true },
			is{"/a", 40, 3, true, false}},
		{"unmounted by hand", func(r *Record, o *Observed) { o.Mounts, o.OpenCount = nil, 0 },
			is{"", 0, 0, true, false}},
		{"no record, mounted", func(r *Record, o *Observed) { *r = Record{} },
			is{"/a", 40, 1, false, false}},
		{"no record, open", func(r *Record, o *Observed) { *r, o.Mounts = Record{}, nil },
			is{elsewhere: true}},
		{"no record, id 0",
			func(r *Record, o *Observed) { *r, o.Mounts = Record{}, mounts{{0, "/a", "/"}} },
			is{"/a", 0, 1, false, false}},
		{"pinned only, mounted by hand", func(r *Record, o *Observed) { *r = r.unmounted() },
			is{"/a", 40, 1, true, false}},
		{"negative", func(r *Record, o *Observed) { r.References = -5 },
			is{"/a", 40, 1, false, false}},
		{"negative elsewhere", func(r *Record, o *Observed) { r.References, o.Mounts = -5, nil },
			is{elsewhere: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, o := recorded()
			tt.change(&r, &o)
			got := r.Reconcile(o)
			if (is{got.MountedOn, got.MountID, got.References, got.Pinned,
				got.Elsewhere}) != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got.PoolUUID != o.PoolUUID || got.ThinID != o.ThinID ||
				o.Active && got.Dev != o.Dev {
				t.Errorf("identity: %+v", got)
			}
			if again := got.Reconcile(o); again != got {
				t.Errorf("a second time: %+v, first %+v", again, got)
			}
			if reason := got.flaw(); reason != "" {
				t.Errorf("cannot be written: %s", reason)
			}
		})
	}
}

// What a pool lay on at a mount is believed of that mount alone.
func TestReconcileBelow(t *testing.T) {
	for name, row := range map[string]struct {
		change func(r *Record, o *Observed)
		want   string
	}{
		"the same mount": {func(*Record, *Observed) {}, "file 7"},
		"moved":          {func(_ *Record, o *Observed) { o.Mounts[0].Path = "/b" }, ""},
		"another one":    {func(_ *Record, o *Observed) { o.Mounts[0].ID = 41 }, ""},
		"unmounted":      {func(_ *Record, o *Observed) { o.Mounts = nil }, ""},
		"not active":     {func(_ *Record, o *Observed) { o.Active = false }, ""},
		"activated anew": {func(_ *Record, o *Observed) { o.Dev = "253:6" }, ""},
		"another volume": {func(_ *Record, o *Observed) { o.ThinID = 8 }, ""},
	} {
		r, o := recorded()
		r.Below = "file 7"
		row.change(&r, &o)
		if got := r.Reconcile(o).Below; got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
