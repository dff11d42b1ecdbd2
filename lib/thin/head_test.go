package thin

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/label"
	"thinmount/lib/thinpool"
)

func TestHeadIsRead(t *testing.T) {
	for _, sectors := range []uint64{128, 384, 2048, 8192} {
		cfg := catalog.Pool{UUID: testUUID, BlockSize: sectors}
		f, err := os.Create(filepath.Join(t.TempDir(), "data"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(int64(headBlocks(cfg)+1) * blockBytes(cfg)); err != nil {
			t.Fatal(err)
		}
		if err := writeHead(f, cfg, 7, nil); err != nil {
			t.Fatal(err)
		}
		if size := int64(headBlocks(cfg)) * blockBytes(cfg); size < label.HeadBytes || size >= label.HeadBytes+blockBytes(cfg) {
			t.Errorf("blocks of %d sectors: %d bytes are kept", sectors, size)
		}
		if id, err := readHead(f, 0, cfg); err != nil || id != 7 {
			t.Errorf("blocks of %d sectors: %d, %v", sectors, id, err)
		}
		other := cfg
		other.UUID = otherUUID
		if _, err := readHead(f, 0, other); err == nil {
			t.Error("another pool's is taken")
		}
		last := int64(headBlocks(cfg)-1) * blockBytes(cfg)
		b, _ := label.Head{UUID: testUUID, ID: 8, Block: headBlocks(cfg) - 1}.Bytes()
		if _, err := f.WriteAt(b, last); err != nil {
			t.Fatal(err)
		}
		if id, err := readHead(f, 0, cfg); err == nil && headBlocks(cfg) > 1 {
			t.Errorf("two ids are taken for one: %d", id)
		}
		if _, err := f.WriteAt(make([]byte, 512), last); err != nil {
			t.Fatal(err)
		}
		if _, err := readHead(f, 0, cfg); err == nil {
			t.Error("a block that was overwritten is taken")
		}
	}
}

func TestHeadIsOfThePool(t *testing.T) {
	idle := func(f *facts) { f.devices, f.uses, f.entries = f.devices[:3], nil, nil }
	for _, u := range []unlike{
		{"an old pool", func(f *facts) {
			f.cfg.Head, f.headErr = nil, label.ErrNone
			delete(f.meta.Devices, 0)
			idle(f)
		}, []string{"first-blocks demo: give them to a thin id of their own"}},
		{"an old pool, in use", func(f *facts) {
			f.cfg.Head, f.headErr = nil, label.ErrNone
			delete(f.meta.Devices, 0)
		}, []string{"first-blocks demo: by hand: no volume may be in use for the repair: unmount demo/base"}},
		{"an id 0 of somebody", func(f *facts) { f.cfg.Head, f.headErr = nil, label.ErrNone; idle(f) },
			[]string{"first-blocks demo: give", "orphan-id demo: thin id 0: name it demo/orphan-0"}},
		{"an older copy of pool.json", func(f *facts) { f.cfg.Head = nil; idle(f) }, []string{"first-blocks demo: give"}},
		{"overwritten", func(f *facts) { f.headErr = label.ErrDamaged; idle(f) }, []string{"first-blocks demo: give"}},
		{"its id is gone", func(f *facts) { delete(f.meta.Devices, 0); idle(f) }, []string{"first-blocks demo: give"}},
		{"the data cannot be read", func(f *facts) { f.headLooked = false }, nil},
		{"a volume has the id", func(f *facts) {
			v := testVolume("zero", 0)
			f.volumes, f.cfg.Head, f.headErr = append(f.volumes, v), nil, label.ErrNone
			f.meta.Devices[0] = thinpool.Device{Details: thinpool.Details{TransactionID: v.TransactionID}}
			idle(f)
		}, []string{"first-blocks demo: give"}},
	} {
		u.run(t)
	}
}

func TestHeadReadsBehindTheLabel(t *testing.T) {
	cfg := catalog.Pool{UUID: testUUID, BlockSize: 2048}
	b, err := label.Head{UUID: testUUID, ID: 3}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	disk := append(make([]byte, label.Reserved), b...)
	if id, err := readHead(bytes.NewReader(disk), label.Reserved, cfg); err != nil || id != 3 {
		t.Errorf("%d, %v", id, err)
	}
	if _, err := readHead(bytes.NewReader(disk), 0, cfg); err == nil || !strings.Contains(err.Error(), "data block 0") {
		t.Errorf("got %v", err)
	}
}

// Many snapshots of one volume take one more, not as many.
func TestCover(t *testing.T) {
	shared := []thinpool.Mapping{{Virtual: 0, Data: 0}, {Virtual: 1, Data: 1}}
	found := map[thinpool.ID][]thinpool.Mapping{
		2: shared, 3: shared, 4: {{Virtual: 9, Data: 1}, {Virtual: 10, Data: 2}}, 5: {{Virtual: 0, Data: 3}}, 6: shared[:1],
	}
	if got := cover(found); !slices.Equal(got, []thinpool.ID{2, 4, 5}) {
		t.Errorf("%v", got)
	}
	if got := cover(nil); got != nil {
		t.Errorf("%v", got)
	}
}
