package pools

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

func TestCheckPool(t *testing.T) {
	for _, row := range []struct {
		name string
		spec PoolSpec
		want string // in the error; "" is none
	}{
		{"defaults", PoolSpec{Name: "p"}, ""},
		{"devices", PoolSpec{Name: "p", DataDevice: "/dev/a", MetadataDevice: "/dev/b"}, ""},
		{"no name", PoolSpec{}, "name"},
		{"data alone", PoolSpec{Name: "p", DataDevice: "/dev/a"}, "go together"},
		{"metadata alone", PoolSpec{Name: "p", MetadataDevice: "/dev/a"}, "go together"},
		{"devices and folder", PoolSpec{Name: "p", DataDevice: "/dev/a", MetadataDevice: "/dev/b",
			Dir: "/d"}, "--dir"},
		{"block of half sectors", PoolSpec{Name: "p", BlockSize: 65536 + 1},
			"whole number of sectors"},
		{"small block", PoolSpec{Name: "p", BlockSize: 32 << 10}, "64K"},
		{"uneven block", PoolSpec{Name: "p", BlockSize: 96 << 10}, "64K"},
		{"large block", PoolSpec{Name: "p", BlockSize: 2 << 30}, "1G"},
		{"on full", PoolSpec{Name: "p", OnFull: "panic"}, "error or queue"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := checkPool(&row.spec)
			if row.want == "" && (err != nil ||
				row.spec.BlockSize != health.DefaultBlockSize || row.spec.OnFull != "error") {
				t.Errorf("%v, %+v", err, row.spec)
			}
			if row.want != "" && (!errors.Is(err, fault.ErrUsage) ||
				!strings.Contains(err.Error(), row.want)) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

// TestPlanFiles checks the plan of a pool in files: the data is whole blocks,
// the metadata is large enough, the UUID is new, and an intent says that the
// pool is not made yet.
func TestPlanFiles(t *testing.T) {
	s := host.Default()
	s.StateDir = t.TempDir()
	spec := PoolSpec{Name: "p", Size: 1<<30 + 1}
	if err := checkPool(&spec); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := plan(s, spec)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Data.Size != 1<<30 || cfg.Data.Path != filepath.Join(s.StateDir, "p", "data") {
		t.Errorf("data: %+v", cfg.Data)
	}
	if cfg.Metadata.Size != thinpool.MetadataSize(1<<30, 128) {
		t.Errorf("metadata: %+v", cfg.Metadata)
	}
	if _, incomplete := cfg.Incomplete(); !incomplete || len(cfg.UUID) != 32 || cfg.NextID != 1 {
		t.Errorf("%+v", cfg)
	}
	if again, _, _ := plan(s, spec); again.UUID == cfg.UUID {
		t.Error("two pools of one identity")
	}
}

func TestPlanRefuses(t *testing.T) {
	s := host.Default()
	s.StateDir = t.TempDir()
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for want, spec := range map[string]PoolSpec{
		"is one block behind":       {Name: "p", Size: 1},
		"the least is 2M":           {Name: "p", MetadataSize: 4096},
		"at most 16646400K":         {Name: "p", MetadataSize: 20 << 30},
		"at most 4E":                {Name: "p", Size: 1<<63 - 1},
		"which take at least":       {Name: "p", Size: 10 << 40, MetadataSize: 2 << 20},
		"take larger blocks":        {Name: "p", Size: 1 << 60},
		"no such file or directory": {Name: "p", Dir: "/nonexistent/folder"},
		"not a directory":           {Name: "p", Dir: file},
		"block device required":     {Name: "p", DataDevice: file, MetadataDevice: file},
	} {
		if err := checkPool(&spec); err != nil {
			t.Fatal(err)
		}
		if _, _, err := plan(s, spec); !errors.Is(err, fault.ErrUsage) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestZeroEnds wants both ends of a device and the block behind the label
// wiped, and all other bytes unchanged.
func TestZeroEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	content := []byte(strings.Repeat("x", 8<<20))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := zeroEnds(f); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(path)
	for at, zero := range map[int]bool{
		0: true, label.Reserved: true, label.Reserved + 4095: true, 4 << 20: false,
		7<<20 - 1: false, 7 << 20: true, 8<<20 - 1: true,
	} {
		if (got[at] == 0) != zero {
			t.Errorf("byte %d is %q", at, got[at])
		}
	}
}

// TestOtherLabelIsQuoted reads a label whose pool name has control
// characters. The error must not send them to the terminal.
func TestOtherLabelIsQuoted(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := label.Write(f, label.Label{
		Pool: "x\x1b[2J\nok",
		UUID: "\x1b[0m",
		Role: "data",
	}); err != nil {
		t.Fatal(err)
	}
	b := catalog.Backing{Kind: catalog.KindFile, Path: f.Name(), Size: 1}
	p := &engine.Pool{Catalog: &catalog.Catalog{}}
	for _, err := range []error{
		backing.RefuseSignatures(f, 4096), p.CheckLabel(f, dmname.Data, b),
	} {
		if err == nil || strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q", err)
		}
	}
}
