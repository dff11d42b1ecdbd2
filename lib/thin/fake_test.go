package thin

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// ioctlBase makes the number of a command an ioctl's, as x/sys names them.
const ioctlBase = 0xc138fd00

// fakeKernel is device-mapper as far as changes of one active pool need it.
type fakeKernel struct {
	poolUUID    string
	gone        bool   // the pool is not active
	mode        string // of the pool: "rw"
	transaction uint64 // of the pool
	ids         map[uint32]bool
	open        map[string]int // volumes' devices by uuid: how often a removal is refused
	makes       int            // how often a device was to be made, which fails as if it went away meanwhile

	messages []string
	before   func(message string) // looks at the world when a message comes
}

func (k *fakeKernel) call(cmd uint, buf []byte) error {
	var h unix.DmIoctl
	if _, err := binary.Decode(buf, binary.NativeEndian, &h); err != nil {
		return err
	}
	uuid := unix.ByteSliceToString(h.Uuid[:])
	isPool := uuid == k.poolUUID && !k.gone
	_, isVolume := k.open[uuid]
	if cmd|ioctlBase == unix.DM_DEV_CREATE {
		k.makes++
	}
	if !isPool && !isVolume {
		return unix.ENXIO
	}
	switch cmd | ioctlBase {
	case unix.DM_DEV_REMOVE:
		if h.Flags&unix.DM_DEFERRED_REMOVE != 0 {
			break
		}
		if k.open[uuid] > 0 {
			k.open[uuid]--
			return unix.EBUSY
		}
		delete(k.open, uuid)
	case unix.DM_TARGET_MSG:
		return k.message(unix.ByteSliceToString(buf[h.Data_start+8:]))
	case unix.DM_TABLE_STATUS:
		h.Target_count = 1
		spec := buf[h.Data_start:]
		copy(spec[24:40], "thin-pool")
		copy(spec[40:], k.status()+"\x00")
	}
	h.Flags = unix.DM_ACTIVE_PRESENT_FLAG
	copy(h.Name[:], "thin-demo@fake") // by which nodes are removed
	_, err := binary.Encode(buf, binary.NativeEndian, &h)
	return err
}

func (k *fakeKernel) status() string {
	if k.mode == "Fail" {
		return k.mode
	}
	return fmt.Sprintf("%d 10/1000 5/1000 - %s discard_passdown error_if_no_space -", k.transaction, k.mode)
}

// message does what the pool would do.
func (k *fakeKernel) message(text string) error {
	k.messages = append(k.messages, text)
	if k.before != nil {
		k.before(text)
	}
	var from, to uint64
	var id uint32
	switch {
	case scan(text, "set_transaction_id %d %d", &from, &to):
		if from != k.transaction {
			return unix.EINVAL
		}
		k.transaction = to
	case scan(text, "create_thin %d", &id):
		if k.ids[id] {
			return unix.EEXIST
		}
		k.ids[id] = true
	case scan(text, "delete %d", &id):
		if !k.ids[id] {
			return unix.ENODATA
		}
		delete(k.ids, id)
	default:
		return unix.EINVAL
	}
	return nil
}

func scan(text, format string, to ...any) bool {
	n, err := fmt.Sscanf(text, format, to...)
	return err == nil && n == len(to)
}

// told is what the pool was told, after the transaction ids.
func (k *fakeKernel) told() string {
	var told []string
	for _, m := range k.messages {
		if !strings.HasPrefix(m, "set_transaction_id") {
			told = append(told, m)
		}
	}
	return strings.Join(told, ", ")
}

// stateIn keeps all state below dir.
func stateIn(dir string) *System {
	s := Default()
	s.StateDir, s.RunDir = filepath.Join(dir, "lib"), filepath.Join(dir, "run")
	return s
}

// testCatalog is that of a new pool demo on data and metadata in dir, with what is
// being done with it.
func testCatalog(t *testing.T, s *System, kind, dir string, ops ...catalog.Operation) *catalog.Catalog {
	t.Helper()
	cat, err := s.catalogs().Create(catalog.Pool{
		Name: "demo", UUID: testUUID, BlockSize: 128, OnFull: "error", NextID: 1,
		Data:       catalog.Backing{Kind: kind, Path: filepath.Join(dir, "data"), Size: 1 << 30},
		Metadata:   catalog.Backing{Kind: kind, Path: filepath.Join(dir, "metadata"), Size: 2 << 20},
		Operations: ops,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// testPool is an active pool demo on files, or devices, of that fake kernel. Its
// warnings are collected.
func testPool(t *testing.T, kind string) (p *pool, k *fakeKernel, warnings *[]string) {
	t.Helper()
	dir := t.TempDir()
	warnings = new([]string)
	s := stateIn(dir)
	s.Warn = func(w string) { *warnings = append(*warnings, w) }
	cat := testCatalog(t, s, kind, dir)
	k = &fakeKernel{poolUUID: partUUID(testUUID, partPool), mode: "rw", ids: map[uint32]bool{}, open: map[string]int{}}
	c := dm.NewControl(k.call)
	return &pool{sys: s, dm: c, cat: cat, thin: thinpool.New(c, k.poolUUID)}, k, warnings
}

// withVolume is a volume of the pool, and what is being done with it.
func withVolume(t *testing.T, p *pool, k *fakeKernel, name string, id uint32, ops ...catalog.Operation) catalog.Volume {
	t.Helper()
	k.ids[id] = true
	v := catalog.Volume{Name: name, Pool: p.name(), PoolUUID: p.uuid(), ID: id, Size: 1 << 20}
	err := p.cat.PutVolume(v)
	if err == nil {
		err = p.cat.SetPool(func(c *catalog.Pool) {
			c.NextID = max(c.NextID, id+1)
			for _, op := range ops {
				c.Begin(op)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// onDisk is what pool.json says.
func onDisk(t *testing.T, p *pool) catalog.Pool {
	t.Helper()
	cat, err := p.sys.openCatalog(p.name())
	if err != nil {
		t.Fatal(err)
	}
	return cat.Pool()
}

// breakDisk lets no write of pool.json work any more.
func breakDisk(t *testing.T, p *pool) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(p.cat.Dir(), ".pool.json.tmp", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
}
