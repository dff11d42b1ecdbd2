package catalog

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
)

// toExchange makes a pool with the volumes old and z, of which the journal
// speaks if young is set, and other, and with the volume new, which a format
// hides.
func toExchange(t *testing.T, young bool) (s Store, c *Catalog, old, made Volume) {
	t.Helper()
	s, c, old = toRename(t, young)
	begin(t, c, "z")
	if err := c.Finish("z"); err != nil {
		t.Fatal(err)
	}
	if !young {
		if err := c.releaseDone(); err != nil {
			t.Fatal(err)
		}
	}
	begin(t, c, "new")
	if err := c.Advance("new", OpFormat); err != nil {
		t.Fatal(err)
	}
	made, err := c.VolumeAnyState("new")
	if err != nil {
		t.Fatal(err)
	}
	return s, c, old, made
}

// afterExchange says which content the volume old has, and what is under the
// name new: "hidden", "kept" or "deleted", before and after a command has
// tidied up and has made all files durable.
func afterExchange(t *testing.T, s Store, old, made Volume) (got string) {
	t.Helper()
	for _, what := range []func(*Catalog) error{
		func(*Catalog) error { return nil },
		func(c *Catalog) error { _, err := c.TidyOf([]string{"old", "new"}); return err },
		func(c *Catalog) error { return c.releaseDone() },
		func(c *Catalog) error { return c.Reload() },
	} {
		c, err := s.Open("demo")
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.Volume("old")
		if err != nil || !maps.Equal(v.Properties, old.Properties) {
			t.Errorf("%+v, %v", v, err)
		}
		under, err := c.VolumeAnyState("new")
		if err != nil {
			t.Error(err)
		}
		now := fmt.Sprint(v.ID == made.ID, under.ID == made.ID)
		ops := c.Pool().Intents
		switch {
		case len(ops) == 1 && ops[0].Op == OpFormat && ops[0].ID == made.ID && now == "false true":
			now = "hidden"
		case len(ops) == 1 && ops[0].Op == OpDelete && ops[0].ID == old.ID && now == "true false":
			now = "deleted"
		case len(ops) == 0 && now == "true false" && under.FS == old.FS:
			now = "kept"
		}
		want := []string{"old", "other", "z"}
		if now == "kept" {
			want = []string{"new", "old", "other", "z"}
		}
		volumes, err := c.Volumes()
		if err != nil || names(volumes) != names(named(want...)) {
			t.Errorf("%s: %s, %v", now, names(volumes), err)
		}
		if got != "" && now != got {
			t.Errorf("%s, then %s", got, now)
		}
		got = now
		if err := what(c); err != nil {
			t.Error(err)
		}
	}
	return got
}

func named(all ...string) (volumes []Volume) {
	for _, name := range all {
		volumes = append(volumes, Volume{Name: name})
	}
	return volumes
}

// An exchange that is killed before any of its steps, with or without a power
// cut, is done or not done.
func TestExchangeSurvivesCrashes(t *testing.T) {
	for _, remove := range []bool{false, true} {
		outcomes := map[string]int{}
		want := map[bool]string{false: "kept", true: "deleted"}[remove]
		for _, young := range []bool{false, true} {
			crashAnywhere(t, func(c *crash) {
				s, cat, old, made := toExchange(t, young)
				c.in(t, cat, func() error { return cat.Exchange("old", "new", remove) })
				got := afterExchange(t, s, old, made)
				outcomes[got]++
				if c.done && got != want || got != want && got != "hidden" || t.Failed() {
					t.Fatalf("%s, young %v: %s", c, young, got)
				}
			})
		}
		if outcomes["hidden"] < 10 || outcomes[want] < 10 {
			t.Error(outcomes)
		}
	}
}

// If a file cannot be written, nothing is exchanged.
func TestExchangeIsTakenBack(t *testing.T) {
	for _, at := range []string{"write .new.json.tmp", "rename new.json", "write .old.json.tmp",
		"rename old.json"} {
		s, c, old, made := toExchange(t, false)
		refused, met := errors.New("refused"), false
		c.store.disk.before = func(step, path string) error {
			if !met && step+" "+filepath.Base(path) == at {
				met = true
				return refused
			}
			return nil
		}
		if err := c.Exchange("old", "new", false); !errors.Is(err, refused) {
			t.Errorf("%s: %v", at, err)
		}
		if got := afterExchange(t, s, old, made); got != "hidden" {
			t.Errorf("%s: %s", at, got)
		}
	}
}

func TestExchangeRefuses(t *testing.T) {
	_, c, _, _ := toExchange(t, false)
	for _, row := range [][2]string{{"none", "new"}, {"old", "other"}, {"old", "none"},
		{"new", "new"}} {
		if err := c.Exchange(row[0], row[1], false); err == nil {
			t.Errorf("%s with %s", row[0], row[1])
		}
	}
}

// A reader that has read the journal before the exchange finds both contents or
// the old one, whenever it reads the records.
func TestReaderDuringExchange(t *testing.T) {
	s, c, old, made := toExchange(t, false)
	reader, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	after := 0
	look := func(step, path string) error {
		volumes, err := reader.Volumes()
		ids := map[string]string{}
		for _, v := range volumes {
			ids[v.Name] = map[bool]string{true: "made", false: "old"}[v.ID == made.ID]
		}
		got := fmt.Sprint(ids)
		switch {
		case err != nil:
		case got == "map[new:old old:made other:old z:old]":
			after++
			return nil
		case got == "map[old:old other:old z:old]":
			return nil
		}
		t.Errorf("before %s %s: %s, %v", step, path, got, err)
		return nil
	}
	c.store.disk.before = look
	if err := c.Exchange("old", "new", false); err != nil {
		t.Fatal(err)
	}
	if look("", "the end"); after == 0 || old.ID == made.ID {
		t.Error("no look after the exchange")
	}
}
