package mountinfo

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

const sample = `22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
67 27 253:3 / /mnt/a\040b rw,relatime shared:31 master:2 - ext4 /dev/mapper/thin-demo@base rw
68 27 0:51 /sub /mnt/b\134012 rw - btrfs /dev/mapper/thin-demo@b rw,space_cache=v2,subvol=/sub
69 67 253:3 /x//deleted /mnt/a\040b/c ro master:31 - ext4 /dev/mapper/thin-demo@base rw
`

// byFields reads a table by splitting each line into its fields.
func byFields(text string) (all []*Info) {
	for l := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(l, "\n"), " ")
		if len(f) < 6 {
			continue
		}
		dash := 6 + slices.Index(f[6:], "-")
		if dash < 6 || len(f) < dash+4 {
			continue
		}
		m := &Info{Root: Unescape(f[3]), Mountpoint: Unescape(f[4]), Options: f[5],
			Optional: strings.Join(f[6:dash], " "), FSType: Unescape(f[dash+1]),
			Source: Unescape(f[dash+2]), VFSOptions: f[dash+3]}
		major, minor, _ := strings.Cut(f[2], ":")
		var n [4]uint32
		ok := true
		for i, s := range []string{f[0], f[1], major, minor} {
			ok = number(s, &n[i]) && ok
		}
		if m.ID, m.Parent, m.Major, m.Minor = int(n[0]), int(n[1]), int(n[2]), int(n[3]); ok {
			all = append(all, m)
		}
	}
	return all
}

// Each question finds what is found by looking at each mount, in any text.
func FuzzQuestions(f *testing.F) {
	f.Add(sample, "/mnt/a b/c", "/dev/mapper/thin-demo@base", 253, 3)
	f.Add(sample, `/mnt/b\012`, "/dev/vda1", 254, 1)
	f.Add("1 1 0:0 / / rw  - a  c\n2 1 0:0 / /- rw - - a b - \n3 1 0:1 / / rw - b\n", "/-", "",
		0, 1)
	f.Add("4294967296 1 0:0 / / rw - a b c\n4294967295 1 0:0 / / rw - btrfs b c", "", "b", 0, 0)
	f.Fuzz(func(t *testing.T, text, dir, source string, major, minor int) {
		table, all := Parse(text), byFields(text)
		if got := table.All(); !reflect.DeepEqual(got, all) {
			t.Fatalf("%q is read as %v, want %v", text, got, all)
		}
		for name, question := range map[string]struct {
			got  []*Info
			want func(*Info) bool
		}{
			"Of": {table.Of(major, minor, source), func(m *Info) bool {
				return m.Major == major && m.Minor == minor || m.Source == source
			}},
			"From": {table.From(source), func(m *Info) bool { return m.Source == source }},
			"OnTheWay": {table.OnTheWay(dir), func(m *Info) bool {
				return m.Mountpoint == dir || m.Mountpoint == "/" ||
					strings.HasPrefix(dir, m.Mountpoint+"/")
			}},
			"OnDevices": {table.OnDevices(), func(m *Info) bool {
				return m.Major != 0 || m.FSType == "btrfs"
			}},
		} {
			want := slices.DeleteFunc(slices.Clone(all),
				func(m *Info) bool { return !question.want(m) })
			if len(want)+len(question.got) > 0 && !reflect.DeepEqual(question.got, want) {
				t.Errorf("%s in %q: %v, want %v", name, text, question.got, want)
			}
		}
		for _, m := range all {
			first := all[slices.IndexFunc(all, func(o *Info) bool { return o.ID == m.ID })]
			if got := table.ByID(m.ID); got == nil || *got != *first {
				t.Errorf("by ID %d: %v, want %v", m.ID, got, first)
			}
			others := slices.DeleteFunc(slices.Clone(all),
				func(o *Info) bool { return o.ID == m.ID })
			if rest := table.Without(m.ID).All(); len(rest)+len(others) > 0 &&
				!reflect.DeepEqual(rest, others) {
				t.Errorf("without ID %d: %v, want %v", m.ID, rest, others)
			}
			if _, ok := table.Parents()[m.ID]; !ok {
				t.Errorf("no parent of %d", m.ID)
			}
		}
		if got := table.ByID(1 << 30); got != nil &&
			!slices.ContainsFunc(all, func(o *Info) bool { return o.ID == 1<<30 }) {
			t.Errorf("by an ID that is not there: %v", got)
		}
	})
}
