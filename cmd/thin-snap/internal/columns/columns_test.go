package columns

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"thinmount/cmd/thin-snap/internal/table"
	"thinmount/lib/thin"
)

// fields returns the names of the JSON fields of one thing.
func fields[T any](t *testing.T, l *table.Listing[T], thing T) []string {
	t.Helper()
	raw, err := json.Marshal(l.Record(thing))
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func names[T any](l *table.Listing[T]) []string {
	var names []string
	for _, c := range l.Columns {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

// TestColumnsAreFields wants each column to be a field of JSON by the same
// name, and each field to be a column.
func TestColumnsAreFields(t *testing.T) {
	volumes, pools := Volumes("x"), Pools("x")
	if a, b := fields(t, volumes, thin.VolumeInfo{}), names(volumes); !slices.Equal(a, b) {
		t.Errorf("volumes: fields %q, columns %q", a, b)
	}
	if a, b := fields(t, pools, thin.PoolInfo{}), names(pools); !slices.Equal(a, b) {
		t.Errorf("pools: fields %q, columns %q", a, b)
	}
}

// show returns the value that each column has for one thing.
func show[T any](t *testing.T, l *table.Listing[T], thing T) map[string]string {
	t.Helper()
	var out strings.Builder
	if err := l.Wide().Read(table.Options{Bare: true, Exact: true}); err != nil {
		t.Fatal(err)
	}
	if err := l.WriteShow(&out, thing); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(out.String()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		values[name] = value
	}
	return values
}

// TestMissing wants a value that is not known, or does not apply, shown as "-".
func TestMissing(t *testing.T) {
	volume := show(t, Volumes("x"), thin.VolumeInfo{})
	for _, name := range []string{"used", "origin", "fs", "device", "mounted_on", "mounted_in"} {
		if volume[name] != "-" {
			t.Errorf("volume: %s is %q", name, volume[name])
		}
	}
	pool := show(t, Pools("x"), thin.PoolInfo{DataUsed: -1, MetadataUsed: -1, BelowFree: -1})
	for _, name := range []string{"data_used", "metadata_used", "below_free", "trouble", "hint"} {
		if pool[name] != "-" {
			t.Errorf("pool: %s is %q", name, pool[name])
		}
	}
}

func TestMountedElsewhere(t *testing.T) {
	v := show(t, Volumes("x"), thin.VolumeInfo{MountedOn: "/mnt", MountedIn: 7})
	if v["mounted_on"] != "/mnt (process 7)" || v["mounted_in"] != "7" {
		t.Errorf("%q in %q", v["mounted_on"], v["mounted_in"])
	}
}

func TestPoolSettings(t *testing.T) {
	p := show(t, Pools("x"), thin.PoolInfo{Margin: 5, FreezeLimit: 90 * time.Second})
	if p["margin"] != "5%" || p["freeze_limit"] != "90s" {
		t.Errorf("margin %q, freeze limit %q", p["margin"], p["freeze_limit"])
	}
}
