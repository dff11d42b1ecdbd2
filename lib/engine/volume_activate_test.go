package engine

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/thintest"
)

// A device that is believed absent is made without a question. Where its name
// or its uuid is taken, the error says by which device.
func TestActivateAbsent(t *testing.T) {
	for _, row := range []struct {
		name   string
		taken  bool   // the uuid belongs to a device
		byName string // uuid of the device that has the name
		want   string
	}{
		{"name taken", false, "CRYPT-1",
			`named thin-demo@x exists that is not ours (uuid "CRYPT-1")`},
		{"uuid taken", true, "", "named thin-demo@fake exists that is not ours"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, k, _ := testPool(t, catalog.KindFile)
			v := withVolume(t, p, k, "x", 1)
			k.Open = map[string]int{}
			if row.taken {
				k.Open[dmname.VolumeUUID(thintest.UUID, 1)] = 0
			}
			created, asked := 0, 0
			p.DM = dm.NewControl(func(cmd uint, buf []byte) error {
				var h unix.DmIoctl
				if _, err := binary.Decode(buf, binary.NativeEndian, &h); err != nil {
					return err
				}
				name := unix.ByteSliceToString(h.Name[:])
				switch {
				case cmd == unix.DM_DEV_CREATE:
					created++
					return unix.EBUSY
				case cmd == unix.DM_DEV_STATUS && name == "thin-demo@x" && row.byName != "":
					copy(h.Uuid[:], row.byName)
					_, err := binary.Encode(buf, binary.NativeEndian, &h)
					return err
				case unix.ByteSliceToString(h.Uuid[:]) == dmname.VolumeUUID(thintest.UUID, 1):
					asked++
					if created == 0 {
						t.Error("asked for the device before it was made")
					}
				}
				return k.Call(cmd, buf)
			})
			_, err := p.ActivateAbsent(t.Context(), v, false)
			if !errors.Is(err, fault.ErrExists) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
			if created != 1 || (asked > 0) != row.taken {
				t.Errorf("made %d times, asked %d times", created, asked)
			}
		})
	}
}
