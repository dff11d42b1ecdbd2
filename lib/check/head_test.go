package check

import (
	"testing"

	"thinmount/lib/label"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

func TestHeadIsOfThePool(t *testing.T) {
	idle := func(f *Facts) { f.Devices, f.Uses, f.Entries = f.Devices[:3], nil, nil }
	for _, u := range []unlike{
		{"an old pool", func(f *Facts) {
			f.Config.Head, f.HeadErr = nil, label.ErrNone
			delete(f.Meta.Devices, 0)
			idle(f)
		}, []string{"first-blocks demo: give them to a thin id of their own"}},
		{"an old pool, in use", func(f *Facts) {
			f.Config.Head, f.HeadErr = nil, label.ErrNone
			delete(f.Meta.Devices, 0)
		},
			[]string{
				"first-blocks demo: by hand: no volume may be in use for the repair: unmount " +
					"demo/base"}},
		{"an id 0 of somebody",
			func(f *Facts) { f.Config.Head, f.HeadErr = nil, label.ErrNone; idle(f) },
			[]string{"first-blocks demo: give",
				"orphan-id demo: thin id 0: name it demo/orphan-0"}},
		{"an older copy of pool.json", func(f *Facts) { f.Config.Head = nil; idle(f) },
			[]string{"first-blocks demo: give"}},
		{"overwritten", func(f *Facts) { f.HeadErr = label.ErrDamaged; idle(f) },
			[]string{"first-blocks demo: give"}},
		{"its id is gone", func(f *Facts) { delete(f.Meta.Devices, 0); idle(f) },
			[]string{"first-blocks demo: give"}},
		{"the data cannot be read", func(f *Facts) { f.HeadLooked = false }, nil},
		{"a volume has the id", func(f *Facts) {
			v := thintest.Volume("zero", 0)
			f.Volumes, f.Config.Head, f.HeadErr = append(f.Volumes, v), nil, label.ErrNone
			f.Meta.Devices[0] = thinpool.Device{
				Details: thinpool.Details{TransactionID: v.TransactionID}}
			idle(f)
		}, []string{"first-blocks demo: give"}},
	} {
		u.run(t)
	}
}
