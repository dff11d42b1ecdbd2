package pools

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/label"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// TestOldMetadataIsNotGrownForEver wants that a pool counts as full-grown if it
// has more metadata than the kernel uses. Older versions made such pools.
func TestOldMetadataIsNotGrownForEver(t *testing.T) {
	for have, want := range map[int64]int64{
		64 << 20: 64 << 20, thinpool.MaxMetadata: thinpool.MaxMetadata,
		20 << 30: thinpool.MaxMetadata,
	} {
		if got := engine.UsableMetadata(
			catalog.Pool{Metadata: catalog.Backing{Size: have}},
		); got != want {
			t.Errorf("%d: %d, want %d", have, got, want)
		}
	}
}

func TestPlanGrowth(t *testing.T) {
	const mib = 1 << 20
	disk := filepath.Join(t.TempDir(), "disk") // planGrowth asks a device only for its size
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(disk, label.Reserved+100*mib+4096); err != nil {
		t.Fatal(err)
	}
	file := catalog.Backing{Kind: catalog.KindFile, Path: "/d/data", Size: 64 * mib}
	device := catalog.Backing{Kind: catalog.KindDevice, Path: disk, Size: 64 * mib}
	for _, row := range []struct {
		name   string
		b      catalog.Backing
		part   string
		growth Growth
		other  Growth
		want   int64
		fails  string
	}{
		{"file", file, dmname.Data, Growth{Size: 65 * mib}, Growth{}, 65 * mib, ""},
		{"file by", file, dmname.Data, Growth{Size: mib, More: true}, Growth{}, 65 * mib, ""},
		{"part of a block", file, dmname.Data, Growth{Size: 65*mib + 4096}, Growth{}, 65 * mib, ""},
		{"as it is", file, dmname.Data, Growth{Size: 64 * mib}, Growth{}, 64 * mib, ""},
		{"the other part only", file, dmname.Data, Growth{}, Growth{Size: mib}, 64 * mib, ""},
		{"by less than a block", file, dmname.Data, Growth{Size: 4096, More: true}, Growth{}, 0,
			"less than one block of 64K"},
		{"shrink", file, dmname.Data, Growth{Size: 63 * mib}, Growth{}, 0, "cannot shrink"},
		{"shrink by part of a block", file, dmname.Data, Growth{Size: 64*mib - 1}, Growth{}, 0,
			"cannot shrink"},
		{"file without size", file, dmname.Data, Growth{}, Growth{}, 0, "lies in a file"},
		{"overflow", file, dmname.Data, Growth{Size: 1<<63 - 1, More: true}, Growth{}, 0,
			"at most"},
		{"metadata in small blocks", file, dmname.Meta, Growth{Size: 4096, More: true}, Growth{},
			64*mib + 4096, ""},
		{"most metadata", file, dmname.Meta, Growth{Size: thinpool.MaxMetadata}, Growth{},
			thinpool.MaxMetadata, ""},
		{"too much metadata", file, dmname.Meta, Growth{Size: thinpool.MaxMetadata + 4096},
			Growth{}, 0, "at most"},
		{"rest of a device", device, dmname.Data, Growth{}, Growth{}, 100 * mib, ""},
		{"rest of a device for metadata", device, dmname.Meta, Growth{}, Growth{}, 100*mib + 4096,
			""},
		{"part of a device", device, dmname.Data, Growth{Size: 80 * mib}, Growth{}, 80 * mib, ""},
		{"more than a device", device, dmname.Data, Growth{Size: 101 * mib}, Growth{}, 0,
			"has room for 100M, not for 101M"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg, spec := catalog.Pool{Name: "demo", BlockSize: 128, Data: row.b},
				GrowSpec{Data: row.growth, Metadata: row.other}
			if row.part == dmname.Meta {
				cfg.Metadata, spec = row.b, GrowSpec{Data: row.other, Metadata: row.growth}
			}
			got, err := planGrowth(cfg, row.part, spec)
			if row.fails == "" && (err != nil || got != row.want) {
				t.Errorf("%d, %v; want %d", got, err, row.want)
			}
			if row.fails != "" && (!errors.Is(err, fault.ErrUsage) ||
				!strings.Contains(err.Error(), row.fails)) {
				t.Errorf("%v, want %q", err, row.fails)
			}
		})
	}
}

// TestPlanGrowthOfTheRestOfLess gives a pool a device that has become smaller.
// The pool must not shrink.
func TestPlanGrowthOfTheRestOfLess(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := catalog.Pool{
		Name:      "demo",
		BlockSize: 128,
		Data:      catalog.Backing{Kind: catalog.KindDevice, Path: disk, Size: 1 << 20},
	}
	if got, err := planGrowth(cfg, dmname.Data, GrowSpec{}); err != nil || got != 1<<20 {
		t.Errorf("%d, %v", got, err)
	}
}

func TestParseLinear(t *testing.T) {
	lower, offset, err := backing.ParseLinear("7:300 2048")
	if err != nil || lower.Major != 7 || lower.Minor != 300 || offset != 2048 {
		t.Errorf("%v %d, %v", lower, offset, err)
	}
	for _, params := range []string{"", "7:3", "7 3", "7:3 x", "x:3 1"} {
		if _, _, err := backing.ParseLinear(params); err == nil {
			t.Errorf("%q is read", params)
		}
	}
}

func TestCheckSettings(t *testing.T) {
	for margin, ok := range map[int]bool{-1: false, 0: true, 10: true, 90: true, 91: false} {
		if err := checkSettings("pool p", Settings{Margin: &margin}); (err == nil) != ok {
			t.Errorf("margin %d: %v", margin, err)
		}
	}
	for word, ok := range map[spec.OnFull]bool{
		"error": true, "queue": true, "": false, "panic": false,
	} {
		if err := checkSettings("pool p", Settings{OnFull: &word}); (err == nil) != ok {
			t.Errorf("on-full %q: %v", word, err)
		}
	}
}

// TestOpenToExtend wants a symlink followed to a device, as all names of LVM
// and those in /dev/disk are symlinks. It wants a symlink to a file refused.
func TestOpenToExtend(t *testing.T) {
	dir := t.TempDir()
	disk, link := filepath.Join(dir, "disk"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(disk, nil, 0o600), os.Symlink("disk", link)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		kind, path string
		want       error
	}{
		{catalog.KindDevice, disk, nil},
		{catalog.KindDevice, link, nil},
		{catalog.KindFile, disk, nil},
		{catalog.KindFile, link, unix.ELOOP},
	} {
		f, err := openToExtend(catalog.Backing{Kind: row.kind, Path: row.path})
		if !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
			t.Errorf("%s %s: %v, want %v", row.kind, row.path, err, row.want)
		}
		if err == nil {
			f.Close()
		}
	}
}
