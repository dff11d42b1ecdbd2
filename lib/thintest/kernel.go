package thintest

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/host"
	"thinmount/lib/spec"
)

// Kernel is a fake device-mapper. It handles the ioctls that change one active
// pool.
type Kernel struct {
	PoolUUID    string
	Gone        bool             // the pool is not active
	Mode        string           // in the status of the pool, such as "rw"
	Transaction uint64           // transaction id of the pool
	IDs         map[spec.ID]bool // thin ids that exist
	Open        map[string]int   // volumes' devices, by uuid: how many removals are refused as busy
	Makes       int              // attempts to make a device, which fail with ENXIO

	Messages []string             // all that the pool got
	Before   func(message string) // if not nil, is called before a message is handled
}

// Call handles one ioctl of device-mapper, as dm.NewControl wants it. buf holds
// the request, and then the answer.
func (k *Kernel) Call(cmd uint, buf []byte) error {
	var h unix.DmIoctl
	if _, err := binary.Decode(buf, binary.NativeEndian, &h); err != nil {
		return err
	}
	uuid := unix.ByteSliceToString(h.Uuid[:])
	isPool := uuid == k.PoolUUID && !k.Gone
	_, isVolume := k.Open[uuid]
	if cmd == unix.DM_DEV_CREATE {
		k.Makes++
	}
	if !isPool && !isVolume {
		return unix.ENXIO
	}
	switch cmd {
	case unix.DM_DEV_REMOVE:
		if h.Flags&unix.DM_DEFERRED_REMOVE != 0 {
			break
		}
		if k.Open[uuid] > 0 {
			k.Open[uuid]--
			return unix.EBUSY
		}
		delete(k.Open, uuid)
	case unix.DM_TARGET_MSG:
		return k.message(unix.ByteSliceToString(buf[h.Data_start+8:]))
	case unix.DM_TABLE_STATUS:
		h.Target_count = 1
		spec := buf[h.Data_start:]
		copy(spec[24:40], "thin-pool")
		copy(spec[40:], k.status()+"\x00")
	}
	h.Flags = unix.DM_ACTIVE_PRESENT_FLAG
	copy(h.Name[:], "thin-demo@fake") // lib/dm removes the node of this name
	_, err := binary.Encode(buf, binary.NativeEndian, &h)
	return err
}

// status returns the status line of the pool.
func (k *Kernel) status() string {
	if k.Mode == "Fail" {
		return k.Mode
	}
	return fmt.Sprintf("%d 10/1000 5/1000 - %s discard_passdown error_if_no_space -",
		k.Transaction, k.Mode)
}

// message does what the kernel's pool would do with a message.
func (k *Kernel) message(text string) error {
	k.Messages = append(k.Messages, text)
	if k.Before != nil {
		k.Before(text)
	}
	var from, to uint64
	var id spec.ID
	switch {
	case scan(text, "set_transaction_id %d %d", &from, &to):
		if from != k.Transaction {
			return unix.EINVAL
		}
		k.Transaction = to
	case scan(text, "create_thin %d", &id):
		if k.IDs[id] {
			return unix.EEXIST
		}
		k.IDs[id] = true
	case scan(text, "delete %d", &id):
		if !k.IDs[id] {
			return unix.ENODATA
		}
		delete(k.IDs, id)
	default:
		return unix.EINVAL
	}
	return nil
}

// scan reads the values in text. It returns false if text is not of that
// format.
func scan(text, format string, to ...any) bool {
	n, err := fmt.Sscanf(text, format, to...)
	return err == nil && n == len(to)
}

// Told returns the messages that the pool got, separated by commas. It leaves
// out those that set the transaction id.
func (k *Kernel) Told() string {
	var told []string
	for _, m := range k.Messages {
		if !strings.HasPrefix(m, "set_transaction_id") {
			told = append(told, m)
		}
	}
	return strings.Join(told, ", ")
}

// System returns a host.System that keeps its state below dir.
func System(dir string) *host.System {
	s := host.Default()
	s.StateDir, s.RunDir = filepath.Join(dir, "lib"), filepath.Join(dir, "run")
	return s
}

// Catalog makes the catalog of a new pool demo. Its data and its metadata are
// the files or disks (by kind) dir/data and dir/metadata. ops are the intents
// in the catalog.
func Catalog(t *testing.T, s *host.System, kind, dir string,
	ops ...catalog.Intent) *catalog.Catalog {
	t.Helper()
	cat, err := s.Catalogs().Create(catalog.Pool{
		Name: "demo", UUID: UUID, BlockSize: 128, OnFull: spec.OnFullError, NextID: 1,
		Data:     catalog.Backing{Kind: kind, Path: filepath.Join(dir, "data"), Size: 1 << 30},
		Metadata: catalog.Backing{Kind: kind, Path: filepath.Join(dir, "metadata"), Size: 2 << 20},
		Intents:  ops,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cat
}
