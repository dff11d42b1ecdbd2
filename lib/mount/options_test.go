package mount

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseOptions(t *testing.T) {
	yes, no := true, false
	for _, row := range []struct {
		in   string
		want Options
	}{
		{"", Options{}},
		{"rw", Options{}},
		{"ro", Options{Flags: unix.MS_RDONLY, ReadOnly: true}},
		{"ro,rw", Options{}},
		{"rw,ro", Options{Flags: unix.MS_RDONLY, ReadOnly: true}},
		{"rw,noexec,nosuid,nodev,user,exec", Options{Flags: unix.MS_NOSUID | unix.MS_NODEV}},
		{"noatime,relatime", Options{Flags: unix.MS_RELATIME}},
		{"strictatime,noatime", Options{Flags: unix.MS_NOATIME}},
		{"sync,dirsync,lazytime,nosymfollow,nodiratime", Options{Flags: unix.MS_SYNCHRONOUS | unix.MS_DIRSYNC | unix.MS_LAZYTIME | unix.MS_NOSYMFOLLOW | unix.MS_NODIRATIME}},
		{"defaults,auto,noauto,users,owner,group,comment=a,x-foo,x-systemd.automount,X-mount.mkdir=755,helper=thin,uhelper=x", Options{}},
		{"nofail,_netdev,remount", Options{Nofail: true, Netdev: true, Remount: true}},
		{"discard", Options{Discard: &yes}},
		{"discard,nodiscard", Options{Discard: &no}},
		{"data=ordered,barrier,discard=async", Options{FS: []string{"data=ordered", "barrier", "discard=async"}}},
		{`context="a:b:c1,c2",ro`, Options{Flags: unix.MS_RDONLY, ReadOnly: true, FS: []string{`context="a:b:c1,c2"`}}},
		{"userfoo,autodefrag,loopy", Options{FS: []string{"userfoo", "autodefrag", "loopy"}}},
		{`a\040b`, Options{FS: []string{`a\040b`}}},
	} {
		if got, err := ParseOptions(row.in); err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%q: %+v, %v, want %+v", row.in, got, err, row.want)
		}
	}
}

// Each flag has an effect, and its opposite takes it back.
func TestEveryFlag(t *testing.T) {
	for word, f := range vfsFlags() {
		o, err := ParseOptions(word)
		if err != nil || o.Flags != f.set || len(o.FS) != 0 {
			t.Errorf("%s: %+v, %v", word, o, err)
		}
		if f.set != 0 {
			continue
		}
		for other, g := range vfsFlags() {
			if g.set != 0 && g.set&f.clear == g.set {
				if o, _ := ParseOptions(other + "," + word); o.Flags != 0 {
					t.Errorf("%s,%s leaves %#x", other, word, o.Flags)
				}
			}
		}
	}
}

func TestRefusedOptions(t *testing.T) {
	for _, in := range []string{"loop", "loop=/dev/loop0", "offset=1", "sizelimit=5", "bind", "rbind", "move", "a\nb", "a\x00b", `context="a,b`} {
		if o, err := ParseOptions(in); !errors.Is(err, ErrOption) {
			t.Errorf("%q: %+v, %v", in, o, err)
		}
	}
}

func FuzzParseOptions(f *testing.F) {
	f.Add(`rw,context="a,b",noatime,x-foo,errors=remount-ro`)
	f.Add("nofail,,=,")
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseOptions(s)
		if err != nil {
			return
		}
		words, _ := splitOptions(s)
		for _, w := range o.FS {
			if !slices.Contains(words, w) || w == "" || strings.HasPrefix(w, "x-") {
				t.Errorf("%q: %q goes to the filesystem", s, w)
			}
		}
		if strings.Join(words, ",") != s {
			t.Errorf("%q was split into %q", s, words)
		}
	})
}

func TestFSOptions(t *testing.T) {
	parse := func(s string) Options {
		o, err := ParseOptions(s)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for _, row := range []struct {
		fs, options, want string
		discards          bool
	}{
		{"ext4", "", "discard", true},
		{"ext4", "discard,data=ordered", "data=ordered,discard", true},
		{"ext4", "nodiscard", "nodiscard", false},
		{"xfs", "", "nouuid,discard", true},
		{"xfs", "nouuid,nodiscard", "nouuid,nodiscard", false},
		{"btrfs", "subvol=a", "subvol=a,discard", true},
		{"vfat", "nodiscard", "", false},
		{"iso9660", "", "", false},
		{"ext2", "", "", false},
		{"squashfs", "discard", "", false},
	} {
		got, discards := fsOptions(Request{FSType: row.fs, Options: parse(row.options)})
		if strings.Join(got, ",") != row.want || discards != row.discards {
			t.Errorf("%s %q: %q, %v", row.fs, row.options, got, discards)
		}
	}
}

func TestOptionLosesItsQuotes(t *testing.T) {
	for in, want := range map[string][2]string{`context="a,b"`: {"context", "a,b"}, "a=b=c": {"a", "b=c"}, "bare": {"bare", ""}, `q="`: {"q", `"`}} {
		if key, value, _ := option(in); key != want[0] || value != want[1] {
			t.Errorf("%s: %q %q", in, key, value)
		}
	}
	if got := joinOptions([]string{`context="a"`, "b"}); got != "context=a,b" {
		t.Error(got)
	}
}

func TestFlagsOfTheTwoLevels(t *testing.T) {
	flags := uintptr(unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NOATIME | unix.MS_SYNCHRONOUS | unix.MS_RELATIME)
	if got, want := attributes(flags), unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOATIME; got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
	if got := superblockFlags(flags); !slices.Equal(got, []string{"ro", "sync"}) {
		t.Error(got)
	}
}

func TestErrorHasTheKernelsWords(t *testing.T) {
	err := error(&Error{Op: "fsconfig", Target: "/mnt", FSType: "ext4", Kernel: []string{"ext4: Unknown parameter 'x'"}, Err: unix.EINVAL})
	if want := "mount ext4 on /mnt: invalid argument (kernel: ext4: Unknown parameter 'x')"; err.Error() != want || !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
}
