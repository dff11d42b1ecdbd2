package pools

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// TestMetadataGrowsToo wants that metadata grows with the data, unless the
// caller names a size for it.
func TestMetadataGrowsToo(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(disk, label.Reserved+100*thintest.MiB+512); err != nil {
		t.Fatal(err)
	}
	file := catalog.Backing{Kind: catalog.KindFile, Path: "/d/metadata", Size: 64 * thintest.MiB}
	device := catalog.Backing{Kind: catalog.KindDevice, Path: disk, Size: 64 * thintest.MiB}
	for _, row := range []struct {
		name string
		meta catalog.Backing
		data int64
		said Growth
		want int64
	}{
		{"100M to 4T", file, 4 << 40, Growth{}, 8 << 30},
		{"to 1G", file, 1 << 30, Growth{}, 64 * thintest.MiB},
		{"not at all", file, 100 * thintest.MiB, Growth{}, 64 * thintest.MiB},
		{"the most", file, 1 << 60, Growth{}, thinpool.MaxMetadata},
		{"a size was said", file, 4 << 40, Growth{Size: 64 * thintest.MiB}, 64 * thintest.MiB},
		{"a device", device, 40 << 30, Growth{}, 80 * thintest.MiB},
		{"a device with less", device, 4 << 40, Growth{}, 100 * thintest.MiB},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := catalog.Pool{
				Name: "demo", BlockSize: 128,
				Data:     catalog.Backing{Kind: row.meta.Kind, Size: 100 * thintest.MiB},
				Metadata: row.meta,
			}
			spec := GrowSpec{Data: Growth{Size: row.data}, Metadata: row.said}
			if got, err := metadataToo(cfg, spec, row.data, row.meta.Size); err != nil ||
				got != row.want {
				t.Errorf("%d, %v; want %d", got, err, row.want)
			}
		})
	}
}

func TestLittleMetadataIsTold(t *testing.T) {
	for size, told := range map[int64]bool{
		64 * thintest.MiB: true, 4<<30 - 4096: true, 4 << 30: false,
	} {
		said := ""
		s := host.Default()
		s.Warn = func(w fault.Message) { said += w.String() }
		warnLittleMetadata(s, catalog.Pool{
			Name: "demo", BlockSize: 128, Data: catalog.Backing{Size: 4 << 40},
			Metadata: catalog.Backing{Size: size},
		})
		if (said != "") != told || told && !strings.Contains(said, thintest.Show(
			fault.GrowPool{Pool: "demo", Metadata: fault.Growth{Size: 8 << 30}})) {
			t.Errorf("%d bytes for 4T: %q", size, said)
		}
	}
}
