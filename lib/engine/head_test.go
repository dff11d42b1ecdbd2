package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/health"
	"thinmount/lib/label"
	"thinmount/lib/thintest"
)

func TestHeadIsRead(t *testing.T) {
	for _, sectors := range []uint64{128, 384, 2048, 8192} {
		cfg := catalog.Pool{UUID: thintest.UUID, BlockSize: sectors}
		f, err := os.Create(filepath.Join(t.TempDir(), "data"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(int64(HeadBlocks(cfg)+1) * health.BlockBytes(cfg)); err != nil {
			t.Fatal(err)
		}
		if err := WriteHead(f, cfg, 7, nil); err != nil {
			t.Fatal(err)
		}
		if size := int64(HeadBlocks(cfg)) * health.BlockBytes(cfg); size < label.HeadBytes ||
			size >= label.HeadBytes+health.BlockBytes(cfg) {
			t.Errorf("blocks of %d sectors: %d bytes are kept", sectors, size)
		}
		if id, err := ReadHead(f, 0, cfg); err != nil || id != 7 {
			t.Errorf("blocks of %d sectors: %d, %v", sectors, id, err)
		}
		other := cfg
		other.UUID = thintest.OtherUUID
		if _, err := ReadHead(f, 0, other); err == nil {
			t.Error("another pool's is taken")
		}
		last := int64(HeadBlocks(cfg)-1) * health.BlockBytes(cfg)
		b, _ := label.Head{UUID: thintest.UUID, ID: 8, Block: HeadBlocks(cfg) - 1}.Bytes()
		if _, err := f.WriteAt(b, last); err != nil {
			t.Fatal(err)
		}
		if id, err := ReadHead(f, 0, cfg); err == nil && HeadBlocks(cfg) > 1 {
			t.Errorf("two ids are taken for one: %d", id)
		}
		if _, err := f.WriteAt(make([]byte, 512), last); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadHead(f, 0, cfg); err == nil {
			t.Error("a block that was overwritten is taken")
		}
	}
}

func TestHeadReadsBehindTheLabel(t *testing.T) {
	cfg := catalog.Pool{UUID: thintest.UUID, BlockSize: 2048}
	b, err := label.Head{UUID: thintest.UUID, ID: 3}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	disk := append(make([]byte, label.Reserved), b...)
	if id, err := ReadHead(bytes.NewReader(disk), label.Reserved, cfg); err != nil || id != 3 {
		t.Errorf("%d, %v", id, err)
	}
	if _, err := ReadHead(bytes.NewReader(disk), 0, cfg); err == nil ||
		!strings.Contains(err.Error(), "data block 0") {
		t.Errorf("got %v", err)
	}
}
