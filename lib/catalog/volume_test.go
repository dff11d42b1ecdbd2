package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/spec"
)

func TestVolumes(t *testing.T) {
	_, c := newPool(t)
	put(t, c, "b", "a", "hidden", "c")
	if err := c.SetPool(func(p *Pool) {
		p.BeginIntent(Intent{Op: OpDelete, Volume: "hidden"})
	}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(
		filepath.Join(c.volumeDir(), ".a.json.tmp"), []byte("{"), 0o600,
	); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Volumes(); err != nil || names(got) != "a b c" {
		t.Errorf("%v, %v", names(got), err)
	}
	if got, err := c.VolumesAnyState(); err != nil || names(got) != "a b c hidden" {
		t.Errorf("%v, %v", names(got), err)
	}
	if v, err := c.Volume("a"); err != nil || v.ID != 1 || v.Pool != "demo" ||
		v.PoolUUID != uuid || v.Format != recordFormat {
		t.Errorf("%+v, %v", v, err)
	}
	for _, name := range []string{"hidden", "none"} {
		if _, err := c.Volume(name); !errors.Is(err, ErrNoVolume) ||
			!errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "demo/"+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v, err := c.VolumeAnyState("hidden"); err != nil || v.Name != "hidden" {
		t.Errorf("%+v, %v", v, err)
	}
	if err := errors.Join(c.RemoveVolume("a"), c.RemoveVolume("a")); err != nil {
		t.Error(err)
	}
	if _, err := c.Volume("a"); !errors.Is(err, ErrNoVolume) {
		t.Errorf("removed: %v", err)
	}
	if err := c.SetPool(func(p *Pool) { p.BeginIntent(Intent{Op: OpDeletePool}) }); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Volumes(); err != nil || len(got) != 0 {
		t.Errorf("of a pool that is being deleted: %v, %v", got, err)
	}
}

func TestBadVolumeNames(t *testing.T) {
	_, c := newPool(t)
	for _, name := range []string{"", "..", "a/b", "../pool"} {
		_, err1 := c.Volume(name)
		_, err2 := c.VolumeAnyState(name)
		err3 := c.PutVolume(Volume{Name: name, Size: 512})
		err4 := c.RemoveVolume(name)
		for _, err := range []error{err1, err2, err3, err4} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("volume name %q", name)) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	for _, v := range []Volume{
		{Name: "x"}, {Name: "x", Size: 512, Pool: "other"}, {Name: "x", Size: 512, PoolUUID: "0"},
		{Name: "x", Size: 512, ID: spec.MaxID + 1},
	} {
		if err := c.PutVolume(v); err == nil {
			t.Errorf("wrote %+v", v)
		}
	}
}

func TestHasMoreThan(t *testing.T) {
	_, c := newPool(t)
	put(t, c, "a", "b", "c")
	for n, want := range []bool{true, true, true, false, false} {
		if more, err := c.HasMoreThan(n); more != want || err != nil {
			t.Errorf("%d: %v, %v", n, more, err)
		}
	}
}

func TestManyVolumes(t *testing.T) {
	_, c := newPool(t)
	for i := range 1000 {
		b, reason := encodeVolume(Volume{Format: recordFormat, Name: fmt.Sprintf("v%03d", i),
			Pool: "demo", PoolUUID: uuid, ID: spec.ID(i), Size: 512}, c.pool)
		if reason != "" {
			t.Fatal(reason)
		}
		if err := os.WriteFile(c.volumePath(fmt.Sprintf("v%03d", i)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Volumes()
	if err != nil || len(got) != 1000 || got[0].Name != "v000" || got[999].ID != 999 {
		t.Errorf("%d, %v", len(got), err)
	}
}

// TestVolumesBySeveral wants the records that several goroutines read to come
// in order, each with its own error.
func TestVolumesBySeveral(t *testing.T) {
	_, c := newPool(t)
	var want []string
	for i := range 3*fewRecords + 7 {
		name := fmt.Sprintf("v%04d", i)
		v := filled(Volume{Name: name, ID: spec.ID(i + 1), Size: 512}, c.pool)
		if err := c.placeRecord(v); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	hidden, damaged := 5, 2*fewRecords
	if err := errors.Join(c.SetPool(func(p *Pool) {
		p.BeginIntent(Intent{Op: OpDelete, Volume: want[hidden]})
	}), os.WriteFile(c.volumePath(want[damaged]), []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	got, err := c.VolumesAnyState()
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Path != c.volumePath(want[damaged]) {
		t.Errorf("%v", err)
	}
	want = slices.Delete(want, damaged, damaged+1)
	if names(got) != strings.Join(want, " ") {
		t.Errorf("any state: %s", names(got))
	}
	want = slices.Delete(want, hidden, hidden+1)
	if got, err := c.Volumes(); err == nil || names(got) != strings.Join(want, " ") {
		t.Errorf("%v: %s", err, names(got))
	}
}
