package engine

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fuser"
	"thinmount/lib/host"
	"thinmount/lib/thintest"
)

// If a process keeps a device open, RemoveDevice gives up after a few seconds,
// and RemoveVolumeDevice sooner.
func TestDeviceOfOthersIsNotWaitedFor(t *testing.T) {
	for _, row := range []struct {
		name   string
		remove func(t *testing.T, p *Pool, v catalog.Volume) error
		most   time.Duration
	}{
		{"patiently", func(t *testing.T, p *Pool, v catalog.Volume) error {
			return RemoveDevice(t.Context(), p.Sys, p.DM, v)
		}, 3 * time.Second},
		{"locked", func(t *testing.T, p *Pool, v catalog.Volume) error {
			return p.RemoveVolumeDevice(t.Context(), v.Name, v.ID)
		}, 1500 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, k, _ := testPool(t, catalog.KindFile)
				v := withVolume(t, p, k, "x", 1)
				k.Open[dmname.VolumeUUID(thintest.UUID, 1)] = 1 << 20
				begun := time.Now()
				err := row.remove(t, p, v)
				if !errors.Is(err, fault.ErrBusy) || !strings.Contains(err.Error(), "thin-demo@") ||
					thintest.Show(host.RemedyOf(err)) == "" {
					t.Errorf("%v (%s)", err, thintest.Show(host.RemedyOf(err)))
				}
				if waited := time.Since(begun); waited > row.most {
					t.Errorf("waited for %v", waited)
				}
			})
		})
	}
}

// RemoveDevice waits for a process that closes the device in a moment.
func TestDeviceGoesWithWhoPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k, _ := testPool(t, catalog.KindFile)
		v := withVolume(t, p, k, "x", 1)
		k.Open[dmname.VolumeUUID(thintest.UUID, 1)] = 20
		if err := RemoveDevice(t.Context(), p.Sys, p.DM, v); err != nil {
			t.Error(err)
		}
	})
}

// The kernel as a holder remains, and so does a process that was found twice,
// unless it is udev.
func TestRemains(t *testing.T) {
	sleep, udev, loop := fuser.Holder{PID: 7, Command: "sleep"},
		fuser.Holder{PID: 8, Command: "(udev-worker)"},
		fuser.Holder{Command: "loop1", What: fuser.Loop}
	for _, row := range []struct {
		before, now []fuser.Holder
		want        bool
	}{
		{nil, nil, false},
		{nil, []fuser.Holder{sleep}, false},
		{[]fuser.Holder{sleep}, []fuser.Holder{udev, sleep}, true},
		{[]fuser.Holder{udev}, []fuser.Holder{udev}, false},
		{nil, []fuser.Holder{sleep, loop}, true},
	} {
		if got := remains(row.before, row.now); got != row.want {
			t.Errorf("%v, %v: %v", row.before, row.now, got)
		}
	}
}

// Each kind of holder has a command that makes it release the device.
func TestHoldersRemedy(t *testing.T) {
	for want, h := range map[string]fuser.Holder{
		"losetup -d /dev/loop1":     {Command: "loop1", What: fuser.Loop, Path: "/dev/dm-3"},
		"swapoff /dev/dm-3":         {What: fuser.Swap, Path: "/dev/dm-3"},
		`fault.Unmount{Path:"/o v"`: {What: fuser.Overlay, Path: "/o v"},
		"mdadm --stop /dev/md0":     {Command: "md0", What: fuser.Above, Path: "/dev/md0"},
		"lsblk shows what":          {Command: "bcache0", What: fuser.Above, Path: "/dev/bcache0"},
		"dmsetup remove no-such-dm": {
			Command: "no-such-dm", What: fuser.Above, Path: "/dev/mapper/no-such-dm",
		},
		"end what uses it": {PID: 7, Command: "sleep", What: fuser.Open, Path: "/x"},
	} {
		if got := thintest.Show(holdersRemedy([]fuser.Holder{h})); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %q, want %q", h, got, want)
		}
	}
}
