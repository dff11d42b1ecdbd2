package health

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// TestRoomBelow checks that the filesystem below a pool counts if it has less
// room than the pool, and only then.
func TestRoomBelow(t *testing.T) {
	cfg := catalog.Pool{Name: "demo", BlockSize: 128,
		Data: catalog.Backing{Kind: catalog.KindFile, Path: "/host/p/data"}}
	for _, row := range []struct {
		name        string
		st          thinpool.Status
		r           Room
		state, hint string // "" is no trouble
	}{
		{"nothing known", thinpool.Status{DataTotal: 32768}, Room{}, "", ""},
		{"plenty", thinpool.Status{DataTotal: 32768},
			Room{"/host", 3000 * thintest.MiB, 4000 * thintest.MiB, 0}, "", ""},
		{"a small disk, empty", thinpool.Status{DataTotal: 32768},
			Room{"/host", 170 * thintest.MiB, 230 * thintest.MiB, 0}, "", ""},
		{"a small disk, nearly full", thinpool.Status{DataTotal: 32768},
			Room{"/host", 20 * thintest.MiB, 230 * thintest.MiB, 0},
			"/host, which its files lie on, has room for 20M, less than the margin of 10% of 230M",
			"df /host"},
		{"a large disk with little, which the pool has no use for",
			thinpool.Status{DataTotal: 1024},
			Room{"/host", 70 * thintest.MiB, 4000 * thintest.MiB, 0}, "", ""},
		{"allocated", thinpool.Status{DataTotal: 32768},
			Room{"/host", 20 * thintest.MiB, 4000 * thintest.MiB, 2048 * thintest.MiB}, "", ""},
		{"allocated and used", thinpool.Status{DataTotal: 32768, DataUsed: 16384},
			Room{"/host", 20 * thintest.MiB, 4000 * thintest.MiB, 1024 * thintest.MiB},
			"has room for 20M", "delete volumes"},
		{"full", thinpool.Status{DataTotal: 32768}, Room{"/host", 3 << 10, 230 * thintest.MiB, 0},
			"/host, which its files lie on, is full: 3K are left: writes that need room fail",
			"df /host"},
		{"full, but the pool needs nothing", thinpool.Status{DataTotal: 32768},
			Room{"/host", 0, 4000 * thintest.MiB, 2048 * thintest.MiB}, "", ""},
		{"full, and broken",
			thinpool.Status{Mode: thinpool.ModeRO, NeedsCheck: true, DataTotal: 32768},
			Room{"/host", 0, 230 * thintest.MiB, 0},
			"needs a check; /host, which its files lie on, is full: 0 bytes are left",
			"df /host; or delete volumes; then fault.RepairPool{Pool:\"demo\"}"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.st.Mode == "" {
				row.st.Mode = thinpool.ModeRW
			}
			row.st.MetaTotal = 512
			state, remedy := Trouble(cfg, row.st, row.r)
			hint := thintest.Show(remedy)
			if (state == "") != (row.state == "") || !strings.Contains(state, row.state) ||
				!strings.Contains(hint, row.hint) {
				t.Errorf("%q, %q; want %q, %q", state, hint, row.state, row.hint)
			}
		})
	}
}

// TestRoomFor checks what is true of any disk, because it runs on an unknown
// one.
func TestRoomFor(t *testing.T) {
	dir := t.TempDir()
	for _, at := range []string{dir, filepath.Join(dir, "to", "be", "made")} {
		r := roomFor(at)
		if r.Total <= 0 || r.Free > r.Total || r.Mount() == "" ||
			!strings.HasPrefix(dir, strings.TrimSuffix(r.Mount(), "/")) {
			t.Errorf("%s: %+v", at, r)
		}
	}
	data := filepath.Join(dir, "data")
	if err := os.WriteFile(data, make([]byte, 3*thintest.MiB), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !os.IsPermission(err) {
		t.Log(err)
	}
	cfg := catalog.Pool{BlockSize: 128, Data: catalog.Backing{Kind: catalog.KindFile, Path: data}}
	if r := RoomBelow(cfg); r.Allocated < 2*thintest.MiB || r.Allocated > 3*thintest.MiB {
		t.Errorf("allocated %d of 3 MiB behind a label of 1 MiB", r.Allocated)
	}
	cfg.Data.Kind = catalog.KindDevice
	if r := RoomBelow(cfg); r != (Room{}) {
		t.Errorf("of a device: %+v", r)
	}
}

func TestDefaultSize(t *testing.T) {
	size, r := DefaultSize(t.TempDir(), 0, DefaultBlockSize)
	if size > DefaultPoolSize || size > r.Free || size%DefaultBlockSize != 0 {
		t.Errorf("%d of %+v", size, r)
	}
	if less, _ := DefaultSize(t.TempDir(), r.Free+1<<40, DefaultBlockSize); less != 0 {
		t.Errorf("beside metadata that has no room: %d", less)
	}
}

func TestOvercommitted(t *testing.T) {
	for _, row := range []struct {
		has, before, adding int64
		want                string
	}{
		{100, 0, 100, ""}, {100, 50, 51, "(101 bytes) exceeds what the pool can hold (100 bytes)"},
		{100, 101, 50, ""},
		{100, 101, 200, "(301 bytes)"}, {1 << 40, 1<<63 - 2, 1 << 62, "exceeds"},
		{1 << 40, 1 << 30, 1<<63 - 1, "exceeds"},
	} {
		if got := Overcommitted("demo", row.has, row.before,
			row.adding); (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%+v: %q", row, got)
		}
	}
	if got := Provisioned([]catalog.Volume{{Size: 1 << 62}, {Size: 1 << 62}}); got != 1<<63-1 {
		t.Errorf("sum %d", got)
	}
}

func TestMore(t *testing.T) {
	for size, want := range map[int64]int64{0: 64 << 20, 64 << 20: 64 << 20, 100 << 20: 100 << 20,
		11<<30 + 5: 11<<30 + 5} {
		if got := more(size); got != (fault.Growth{Size: want, More: true}) {
			t.Errorf("%d: %+v, want %d more", size, got, want)
		}
	}
}
