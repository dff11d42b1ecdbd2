package volumes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// The name of a snapshot for a program: the user's, one for the key and this
// origin, or a new one each time. It is one that a volume can have.
func TestForRunName(t *testing.T) {
	o := catalog.Volume{Name: "base", ID: 1, TransactionID: 7}
	if n := (ForRun{Name: "x", Key: "k"}).name(o); n != "x" {
		t.Error(n)
	}
	key := ForRun{Key: "k"}.name(o)
	if key != (ForRun{Key: "k"}).name(o) || !strings.HasPrefix(key, "base-") {
		t.Error(key)
	}
	younger := o
	younger.TransactionID++
	if key == (ForRun{Key: "l"}).name(o) || key == (ForRun{Key: "k"}).name(younger) {
		t.Error("another key, or another origin, makes the same name")
	}
	if a, b := (ForRun{}).name(o), (ForRun{}).name(o); a == b {
		t.Error(a)
	}
	o.Name = strings.Repeat("x", 72)
	for _, want := range []ForRun{{}, {Key: "k"}} {
		if err := spec.CheckVolumeName(want.name(o)); err != nil {
			t.Error(err)
		}
	}
}

// A volume in which a program runs is hidden from commands: they say who has
// it, or that its program was killed. Keep makes it one like any other. If the
// program has failed, it has no key.
func TestKeepOfRun(t *testing.T) {
	for _, well := range []bool{true, false} {
		p, k := testPool(t, catalog.KindFile)
		thintest.AddVolume(t, p.Catalog, k, "base", 1)
		want := ForRun{Origin: thintest.Named("demo/base"), Name: "new", Key: "K"}
		v := catalog.Volume{Name: "new", ID: 2, Size: thintest.MiB, TransactionID: 1,
			Origin: "base", OriginID: 1, Properties: spec.Properties{runKey: "K", "a.b": "1"}}
		if err := p.Catalog.SetPool(func(c *catalog.Pool) {
			c.BeginIntent(catalog.Intent{Op: catalog.OpCreate, Volume: "new", ID: 2,
				TransactionID: 1, Record: &v, Then: catalog.OpRun})
		}); err != nil {
			t.Fatal(err)
		}
		if err := p.Catalog.Finish("new"); err != nil {
			t.Fatal(err)
		}
		volume := thintest.Named("demo/new")
		_, _, err := registry.Find(p.Sys, volume)
		if errors.Is(err, registry.ErrOfRun) || !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("a dead run: %v", err)
		}
		if runs := running(p.Sys, p.Catalog); len(runs) != 0 {
			t.Errorf("a dead run is listed: %v", runs)
		}
		ref, err := p.Sys.Refs().TryLock(volume)
		if err != nil {
			t.Fatal(err)
		}
		_, found, err := registry.Find(p.Sys, volume)
		if !errors.Is(err, registry.ErrOfRun) || !errors.Is(err, fault.ErrBusy) ||
			!strings.Contains(err.Error(), "a program runs in it") || found.ID != 2 {
			t.Errorf("%+v, %v", found, err)
		}
		soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err = registry.LockNew(soon, p.Sys, volume)
		cancel()
		if !errors.Is(err, registry.ErrOfRun) {
			t.Errorf("a new volume of that name waits: %v", err)
		}
		if runs := running(p.Sys, p.Catalog); len(runs) != 1 || runs[0].Name != "new" {
			t.Errorf("listed: %v", runs)
		}
		o, _ := p.Catalog.Volume("base")
		old, there, err := want.there(p.Sys, volume, o, false)
		if old != nil || there || err != nil {
			t.Errorf("a run that is alive: %v, %v, %v", old, there, err)
		}
		keyless := ForRun{Origin: want.Origin, Name: "new"}
		if _, _, err := keyless.there(p.Sys, volume, o, false); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("a run that is alive, without a key: %v", err)
		}
		old, there, err = keyless.there(p.Sys, volume, o, true)
		if old != nil || there || err != nil {
			t.Errorf("a run that is dead, without a key: %v, %v, %v", old, there, err)
		}
		if _, _, ok, err := existing(p.Sys, volume); ok || err != nil {
			t.Errorf("a run that is dead exists: %v, %v", ok, err)
		}
		r := &OfRun{s: p.Sys, c: p.DM, ref: ref, v: found}
		if err := r.Keep(t.Context(), well); err != nil {
			t.Fatal(err)
		}
		_, kept, err := registry.Find(p.Sys, volume)
		if err != nil || (kept.Properties[runKey] == "K") != well {
			t.Errorf("well: %v: %+v, %v", well, kept, err)
		}
		old, there, err = want.there(p.Sys, volume, o, true)
		if old != nil || there != well || (err == nil) != well {
			t.Errorf("well: %v: %v, %v, %v", well, old, there, err)
		}
		if !well {
			continue
		}
		for what, row := range map[string]struct {
			want    ForRun
			origin  spec.ID
			replace bool
		}{
			"another key":        {ForRun{Name: "new", Key: "L"}, 1, false},
			"another key, yes":   {ForRun{Name: "new", Key: "L", Replace: true}, 1, true},
			"another origin":     {ForRun{Name: "new", Key: "K"}, 9, false},
			"another origin yes": {ForRun{Name: "new", Key: "K", Replace: true}, 9, true},
			"no key":             {ForRun{Name: "new"}, 1, false},
		} {
			o.ID = row.origin
			old, _, err := row.want.there(p.Sys, volume, o, true)
			if (old != nil) != row.replace || (err == nil) != row.replace ||
				err != nil && !errors.Is(err, fault.ErrExists) {
				t.Errorf("%s: %v, %v", what, old, err)
			}
		}
	}
}
