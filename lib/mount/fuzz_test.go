package mount

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/mountinfo"
)

const mountinfoSample = `22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
67 27 253:3 / /mnt/a\040b rw,relatime shared:31 master:2 - ext4 /dev/mapper/thin-demo@base rw
68 27 0:51 /sub /mnt/b\134012 rw - btrfs /dev/mapper/thin-demo@b rw,space_cache=v2,subvol=/sub
69 67 253:3 /x//deleted /mnt/a\040b/c ro master:31 - ext4 /dev/mapper/thin-demo@base rw
`

// mountLine is a line of mountinfo, as the kernel writes it.
func mountLine(m *mountinfo.Info) string {
	tags := m.Optional
	if tags != "" {
		tags += " "
	}
	return fmt.Sprintf("%d %d %d:%d %s %s %s %s- %s %s %s\n", m.ID, m.Parent, m.Major, m.Minor,
		mangle(m.Root), mangle(m.Mountpoint),
		m.Options, tags, mangle(m.FSType), mangle(m.Source), m.VFSOptions)
}

// Of any mount table, what is read is what it says, whatever stands around it;
// what is found is in it, nothing is on top of the uppermost, and a mount that
// is said to be there is.
func FuzzTable(f *testing.F) {
	f.Add(mountinfoSample, "/mnt/a b", "/dev/mapper/thin-demo@base", 253, 3)
	f.Add(mountinfoSample, `/mnt/b\012`, "/dev/vda1", 254, 1)
	f.Add("1 1 0:0 / / rw - a b c\n1 1 0:0 / / rw - a  c\n", "/", "", 0, 0)
	f.Fuzz(func(t *testing.T, text, dir, source string, major, minor int) {
		last := &mountinfo.Info{ID: 9, Major: 7, Root: "/", Mountpoint: dir, Options: "rw",
			FSType: "ext4", Source: source, VFSOptions: "ro"}
		table := mountinfo.Parse(text + "\n" + mountLine(last))
		all := table.All()
		if len(all) == 0 || *all[len(all)-1] != *last {
			t.Fatalf("%+v is not the last of %q", last, text)
		}
		if len(all) > strings.Count(text, "\n")+2 {
			t.Errorf("%d mounts in %q", len(all), text)
		}
		for _, m := range all {
			if again := mountinfo.Parse(mountLine(m)).All(); len(again) != 1 || *again[0] != *m {
				t.Errorf("%+v is read as %+v", m, again)
			}
		}
		if top := Top(table, dir); top != nil {
			if top.Mountpoint != dir || !has(all, top) {
				t.Errorf("top of %q is %+v", dir, top)
			}
			covers := func(m *mountinfo.Info) bool {
				return *m != *top && m.Parent == top.ID && m.Mountpoint == dir
			}
			if dir != "/" && slices.ContainsFunc(all, covers) && !twice(all) {
				t.Errorf("%+v is covered", top)
			}
		}
		found := ByDev(table, major, minor, source)
		for _, m := range all {
			if is := IsOf(m, major, minor, source); is != has(found, m) {
				t.Errorf("%+v: %v", m, is)
			}
			if m.Major == 0 && m.FSType != "btrfs" && NamesDevice(m) {
				t.Errorf("%+v: the name is believed", m)
			}
			if !LiveIn(table)(m.Source, m.Mountpoint) ||
				LiveIn(mountinfo.Parse(mountLine(m)))(m.Source+"x", m.Mountpoint) {
				t.Errorf("%+v: is it there?", m)
			}
		}
	})
}

const utabSample = "SRC=nas:/x  TARGET=/nas ROOT=/ OPTS=_netdev\nID=7 " + anchorLine + shadowLine +
	"# a comment\n\nID=9 SRC=/dev/sdb1 TARGET=/mnt/a\\040b ROOT=/ OPTS=user=joe,x-y\n"

// others are the lines that are not ours, each as it is.
func others(text string) []string {
	return slices.DeleteFunc(strings.Split(strings.TrimSuffix(text, "\n"), "\n"),
		func(s string) bool {
			l := parseLine(s)
			return l.ours() || l.shadow()
		})
}

// Whatever stands in utab, and whatever a mount is called: lines of others
// stay, byte by byte and in their order; an entry that is added has one anchor,
// and one that is gone has none; to mend or to tidy twice is to do so once.
func FuzzUtab(f *testing.F) {
	f.Add(utabSample, "/dev/mapper/x", "/mnt/a b", "/", "p/v", "_netdev")
	f.Add("", "a\nID=3 SRC=b", "/t\nx\\012", "/r s", "p/v\nSRC=x", "ro\nID=4")
	f.Add("OPTS=helper=thin\nROOT=/.thin-shadow\nno newline", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, text string, source, target, root, spec, option string) {
		u := Utab{t.TempDir()}
		path := filepath.Join(u.Dir, "utab")
		put := func(s string) { do(t, os.WriteFile(path, []byte(s), 0o644)) }
		same := func(what string) {
			if got, want := others(u.content()), others(text); !slices.Equal(got, want) &&
				strings.Join(got, "")+strings.Join(want, "") != "" {
				t.Errorf("%s: lines of others are %q, were %q", what, got, want)
			}
		}
		e := Entry{Source: source, Target: target, Root: root, Spec: spec,
			Options: []string{option}}
		put(text)
		before := strings.Count(editText(text, func(l []string) []string { return l }), "\n")
		do(t, u.Add(context.Background(), e, every))
		same("added")
		if e.Root != shadowRoot {
			lines := strings.Split(strings.TrimSuffix(u.content(), "\n"), "\n")
			// Two for the mount, and the shadows that others on its target
			// lacked.
			if len(lines) > before+2+anchors(strings.Split(text, "\n"), target) {
				t.Errorf("%d lines became %d: %q", before, len(lines), u.content())
			}
			if l := parseLine(lines[len(lines)-2]); !l.anchor() || l.src != source ||
				l.target != target || l.root != root {
				t.Errorf("%+v is written as %q", e, lines[len(lines)-2])
			}
			added := u.content()
			do(t, u.Mend(context.Background(), e, 0, every))
			u.check(t, added)
			do(t, u.Tidy(context.Background(), none))
			same("removed")
			if n := anchors(strings.Split(u.content(), "\n"), target); n != 0 {
				t.Errorf("%d are left: %q", n, u.content())
			}
		}
		put(text)
		do(t, u.Feed(context.Background(), target))
		same("a shadow added")
		if e.Root != shadowRoot {
			do(t, u.Mend(context.Background(), e, 1, every))
			same("mended")
			if n := strings.Count(strings.Join(
				dropShadows(strings.Split(u.content(), "\n"), target, 0), "\n"),
				"\n"); strings.Count(u.content(), "\n")-n < 2 {
				t.Errorf("no line to spare: %q", u.content())
			}
		}
		but := func() Live { return func(s, _ string) bool { return s != source } }
		do(t, u.Tidy(context.Background(), but))
		same("tidied")
		once := u.content()
		do(t, u.Tidy(context.Background(), but))
		u.check(t, once)
	})
}

// has tells whether a mount is among others.
func has(mounts []*mountinfo.Info, m *mountinfo.Info) bool {
	return slices.ContainsFunc(mounts, func(o *mountinfo.Info) bool { return *o == *m })
}

// twice tells of a table that no kernel makes: where IDs are not unique, or a
// mount is on one that is on it.
func twice(table []*mountinfo.Info) bool {
	parent := map[int]int{}
	for _, m := range table {
		if _, has := parent[m.ID]; has {
			return true
		}
		parent[m.ID] = m.Parent
	}
	for _, m := range table {
		for id, n := m.Parent, 0; parent[id] != 0; id, n = parent[id], n+1 {
			if n > len(table) {
				return true
			}
		}
	}
	return false
}
