package volumes

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// Properties are set and unset in the record, and nothing else of it changes.
// What cannot be is refused, and changes nothing.
func TestSetProperties(t *testing.T) {
	p, k := testPool(t, catalog.KindFile)
	old := thintest.AddVolume(t, p.Catalog, k, "x", 1)
	x := thintest.Named("demo/x")
	add := func(set spec.Properties) func(spec.Properties) {
		return func(p spec.Properties) { maps.Copy(p, set) }
	}
	path := p.Catalog.Dir() + "/volumes/x.json"
	before, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(before), "properties") {
		t.Fatalf("%s, %v", before, err)
	}
	full := spec.Properties{}
	for i := range 70 {
		full[fmt.Sprintf("a.%d", i)] = "1"
	}
	for _, row := range []struct {
		change func(spec.Properties)
		want   spec.Properties // nil: an error
	}{
		{add(spec.Properties{"a.b": "1", "a.c": "two words"}),
			spec.Properties{"a.b": "1", "a.c": "two words"}},
		{add(spec.Properties{"a.b": "2"}), spec.Properties{"a.b": "2", "a.c": "two words"}},
		{add(full), nil},
		{func(p spec.Properties) { delete(p, "a.c") }, spec.Properties{"a.b": "2"}},
		{func(p spec.Properties) { delete(p, "a.d") }, spec.Properties{"a.b": "2"}},
		{func(p spec.Properties) { delete(p, "a.b") }, spec.Properties{}},
	} {
		was, _ := p.Catalog.Volume("x")
		err := writeProperties(p, x, row.change)
		got, e := p.Catalog.Volume("x")
		want := row.want
		if want == nil {
			want = was.Properties
		}
		if e != nil || (err == nil) != (row.want != nil) || !maps.Equal(got.Properties, want) ||
			got.ID != old.ID || got.Size != old.Size {
			t.Errorf("%+v, %v, %v; want %v", got, err, e, want)
		}
		if err != nil && !errors.Is(err, fault.ErrUsage) {
			t.Error(err)
		}
	}
	// Without properties the record is what it was, byte for byte.
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("%s, %v", after, err)
	}
	if err := writeProperties(p, thintest.Named("demo/none"), add(full)); !errors.Is(err,
		catalog.ErrNoVolume) {
		t.Error(err)
	}
}

// A snapshot begins without properties.
func TestSnapshotInheritsNoProperties(t *testing.T) {
	p, k := testPool(t, catalog.KindFile)
	o := thintest.AddVolume(t, p.Catalog, k, "x", 1)
	o.Properties = spec.Properties{"a.b": "1"}
	v, err := copyOf(p, o, "y", SnapshotOptions{})
	if err != nil || v.Properties != nil || v.Origin != "x" {
		t.Errorf("%+v, %v", v, err)
	}
}
