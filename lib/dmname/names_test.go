package dmname

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"thinmount/lib/spec"
)

// Two volumes never have the same dm name, whatever their names are. No volume
// has the dm name of a part of a pool. ParseVolume finds the volume of each
// name.
func TestNamesCannotBeConfused(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9_][A-Za-z0-9_.+-]{0,10}`)
	rapid.Check(t, func(t *rapid.T) {
		pool, volume := name.Draw(t, "pool"), name.Draw(t, "volume")
		other, second := name.Draw(t, "other"), name.Draw(t, "second")
		dmName := Volume(spec.Volume{Pool: pool, Name: volume})
		if v, ok := ParseVolume(dmName); !ok || v.Pool != pool || v.Name != volume {
			t.Fatalf("%s splits into %s, %v", dmName, v, ok)
		}
		if dmName == Volume(spec.Volume{Pool: other, Name: second}) &&
			(pool != other || volume != second) {
			t.Fatalf("%s is two volumes", dmName)
		}
		for _, part := range []string{Pool, Data, Meta} {
			if _, ok := ParseVolume(Part(other, part)); ok {
				t.Fatalf("%s passes for a volume", Part(other, part))
			}
		}
	})
}

func TestNamesOfHyphens(t *testing.T) {
	a := Volume(spec.Volume{Pool: "a-b", Name: "c"})
	if b := Volume(spec.Volume{Pool: "a", Name: "b-c"}); a == b {
		t.Errorf("both are %s", a)
	}
}

func TestLongestNamesFit(t *testing.T) {
	longest := spec.Volume{Pool: strings.Repeat("p", 48), Name: strings.Repeat("v", 72)}
	if n := len(Volume(longest)); n > 127 {
		t.Errorf("%d bytes, dm has 127", n)
	}
}

func TestSplitVolumeUUID(t *testing.T) {
	const pool = "0123456789abcdef0123456789abcdef"
	for _, row := range []struct {
		uuid string
		id   spec.ID
		ok   bool
	}{
		{VolumeUUID(pool, 7), 7, true},
		{VolumeUUID(pool, 1<<24-1), 1<<24 - 1, true},
		{PartUUID(pool, Pool), 0, false},
		{"THIN-" + pool + "-16777216", 0, false},
		{"THIN-" + pool, 0, false},
		{"LVM-" + pool + "-7", 0, false},
		{"", 0, false},
	} {
		p, id, ok := ParseVolumeUUID(row.uuid)
		if ok != row.ok || ok && (p != pool || id != row.id) {
			t.Errorf("%q: %s, %d, %v", row.uuid, p, id, ok)
		}
	}
}

// OfNode accepts the path that a line of utab has for a volume, and no other
// path.
func TestNodeName(t *testing.T) {
	for path, want := range map[string]string{
		"/dev/mapper/thin-p@v": "thin-p@v", "/dev/mapper/thin-p@@pool": "",
		"/dev/mapper/vg-lv": "", "/dev/sda1": "", "p/v": "",
	} {
		if name, ok := OfNode(path); ok != (want != "") || ok && name != want {
			t.Errorf("%s: %q, %v", path, name, ok)
		}
	}
}
