package mount

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/mountinfo"
)

// Each option of the table changes what the kernel is told, at a mount and at a
// remount: no one is taken and then forgotten. The opposite of one that is set
// takes that back.
func TestEveryFlagReachesTheKernel(t *testing.T) {
	told := func(flags uintptr, names func(uintptr) []string) (int, string, bool) {
		all := ""
		for _, n := range names(flags) {
			all += n + ","
		}
		return attributes(flags), all, oldFlags(flags)
	}
	for _, f := range vfsFlags {
		on, ok := setFlag(0, f.on)
		if !ok || on == 0 {
			t.Errorf("%s sets nothing", f.on)
		}
		for what, names := range map[string]func(uintptr) []string{
			"mount": superblockFlags, "remount": superblockChanges,
		} {
			attrs, super, old := told(0, names)
			a, s, o := told(on, names)
			if same := attrs == a && super == s && old == o; same != f.usual {
				t.Errorf("%s with %s: the kernel is told %x %q %v, as without", what, f.on, a, s, o)
			}
		}
		if f.off == "" {
			continue
		}
		if off, ok := setFlag(on, f.off); !ok || off != 0 {
			t.Errorf("%s leaves %x", f.off, off)
		}
	}
	if f, ok := setFlag(1, ""); ok || f != 1 {
		t.Error("an empty word is an option")
	}
}

// A remount turns off each attribute of a mount that is not asked for, and no
// other one.
func TestClearedAttributes(t *testing.T) {
	want := uint64(unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV |
		unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR__ATIME | unix.MOUNT_ATTR_NODIRATIME |
		unix.MOUNT_ATTR_NOSYMFOLLOW)
	if got := clearedAttributes(); got != want {
		t.Errorf("%x, want %x", got, want)
	}
	for _, f := range vfsFlags {
		if attr := uint64(attributes(f.bit)); attr&^clearedAttributes() != 0 {
			t.Errorf("%s stays set", f.on)
		}
	}
}

// No two rows claim the same option or the same flag, and none has no way to
// the kernel, unless it is what the kernel does anyhow.
func TestFlagTable(t *testing.T) {
	words, bits := map[string]bool{"": true}, uintptr(0)
	for _, f := range vfsFlags {
		if words[f.on] || f.off != "" && words[f.off] || bits&f.bit != 0 {
			t.Errorf("%s, %s or %x stands twice", f.on, f.off, f.bit)
		}
		words[f.on], words[f.off], bits = true, true, bits|f.bit
		if f.attr == 0 && !f.super && !f.old && !f.usual {
			t.Errorf("%s is taken and forgotten", f.on)
		}
		if f.usual && f.group == 0 {
			t.Errorf("%s: what clears the others?", f.on)
		}
	}
}

func TestUnlike(t *testing.T) {
	at := func(own, super string) *mountinfo.Info {
		return &mountinfo.Info{Options: own, VFSOptions: super}
	}
	for _, row := range []struct {
		asked string
		m     *mountinfo.Info
		want  []string
	}{
		{"", at("rw,relatime", "rw,discard"), nil},
		{"ro", at("rw,relatime", "rw"), nil},
		{"nosuid,nodev,noexec", at("rw,nodev,relatime", "rw"),
			[]string{"without nosuid", "without noexec"}},
		{"", at("rw,nosuid,relatime", "rw"), []string{"with nosuid"}},
		{"noatime,sync,silent,iversion,strictatime", at("rw,noatime", "rw"),
			[]string{"without sync"}},
		{"data=journal,barrier", at("rw", "rw,data=journal"), []string{"without barrier"}},
		{`context="a,b"`, at("rw", "rw,context=a"), []string{"without context=a,b"}},
		{"discard", at("rw", "rw"), []string{"without discard"}},
		{"nodiscard", at("rw", "rw,discard"), []string{"with discard"}},
		{"discard", at("rw", "rw,discard=async"), nil},
	} {
		o, err := ParseOptions(row.asked)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Unlike(row.m); !slices.Equal(got, row.want) {
			t.Errorf("%q: %q, want %q", row.asked, got, row.want)
		}
	}
	for _, row := range []struct {
		m    *mountinfo.Info
		want bool
	}{{at("rw", "rw,errors=remount-ro"), false}, {at("ro", "rw"), true}, {at("rw", "ro"), true}} {
		if ReadOnly(row.m) != row.want {
			t.Errorf("%+v", row.m)
		}
	}
}

// A remount tells the filesystem of discard where that is to change.
func TestDiscardChange(t *testing.T) {
	yes, no := true, false
	for _, row := range []struct {
		asked *bool
		super string
		want  []string
	}{
		{nil, "rw,discard", nil}, {&yes, "rw,discard", nil}, {&no, "rw", nil},
		{&no, "rw,discard", []string{"nodiscard"}}, {&yes, "rw", []string{"discard"}},
		{&no, "rw,discard=async", []string{"nodiscard"}},
	} {
		m := &mountinfo.Info{Options: "rw", VFSOptions: row.super}
		if got := (Options{Discard: row.asked}).discardChange(m); !slices.Equal(got, row.want) {
			t.Errorf("%v, %s: %q, want %q", row.asked, row.super, got, row.want)
		}
	}
}
