package mount

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Every option of the VFS sets its flag, and its opposite clears it.
func TestParseFlags(t *testing.T) {
	for _, c := range []struct {
		on, off string
		flag    uintptr
	}{
		{"ro", "rw", unix.MS_RDONLY}, {"nosuid", "suid", unix.MS_NOSUID},
		{"nodev", "dev", unix.MS_NODEV},
		{"noexec", "exec", unix.MS_NOEXEC}, {"sync", "async", unix.MS_SYNCHRONOUS},
		{"lazytime", "nolazytime", unix.MS_LAZYTIME},
		{"silent", "loud", unix.MS_SILENT}, {"mand", "nomand", unix.MS_MANDLOCK},
		{"iversion", "noiversion", unix.MS_I_VERSION},
		{"nosymfollow", "symfollow", unix.MS_NOSYMFOLLOW},
		{"nodiratime", "diratime", unix.MS_NODIRATIME},
		{"noatime", "atime", unix.MS_NOATIME}, {"relatime", "norelatime", unix.MS_RELATIME},
		{"strictatime", "nostrictatime", unix.MS_STRICTATIME}, {"dirsync", "", unix.MS_DIRSYNC},
		{"noatime,relatime", "norelatime", unix.MS_RELATIME},
		{"strictatime,noatime", "atime", unix.MS_NOATIME},
	} {
		for s, want := range map[string]uintptr{
			c.on: c.flag, c.off: 0, c.on + "," + c.off: c.flag * b2u(c.off == ""),
			c.off + "," + c.on: c.flag,
		} {
			o, err := ParseOptions(s)
			if err != nil || o.Flags != want || o.FS != nil ||
				o.ReadOnly != (want == unix.MS_RDONLY) {
				t.Errorf("%s: %+v, %v; want flags %x", s, o, err, want)
			}
		}
	}
}

func b2u(b bool) uintptr {
	if b {
		return 1
	}
	return 0
}

func TestParseOptions(t *testing.T) {
	yes, no := true, false
	for s, want := range map[string]Options{
		"": {}, ",,": {},
		"defaults,auto,user=joe,x-a=b,X-b,comment=c,helper=thin,uhelper=u": {User: true},
		"nofail": {Nofail: true}, "_netdev": {Netdev: true}, "once": {Once: true},
		"remount,ro": {Remount: true, ReadOnly: true, Flags: unix.MS_RDONLY},
		"discard":    {Discard: &yes}, "discard,nodiscard": {Discard: &no},
		"discard=async":              {FS: []string{"discard=async"}},
		`context="a,b",data=ordered`: {FS: []string{`context="a,b"`, "data=ordered"}},
		`a=x\040y,b`:                 {FS: []string{`a=x\040y`, "b"}},
		"comment":                    {FS: []string{"comment"}}, "ro=x": {FS: []string{"ro=x"}},
	} {
		if got, err := ParseOptions(s); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v; want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"source=/dev/sda", "loop", "loop=/dev/loop0", "offset=1", "sizelimit=1", "bind", "rbind",
		"move", "a\x00b", "a\nb", `a="b`, `"`,
	} {
		if o, err := ParseOptions(s); !errors.Is(err, errOption) {
			t.Errorf("%q: %+v, %v", s, o, err)
		}
	}
}

// No word is lost: the filesystem gets each word that nobody else takes.
func FuzzParseOptions(f *testing.F) {
	for _, s := range []string{"ro,nofail,x-a,data=b", `a="b,c",d`, "discard,loop", ",", "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseOptions(s)
		if err != nil {
			if !errors.Is(err, errOption) {
				t.Fatal(err)
			}
			return
		}
		var rest []string
		for part := ""; ; {
			word, more, comma := strings.Cut(s, ",")
			s, part = more, part+word
			if comma && strings.Count(part, `"`)%2 == 1 {
				part += ","
				continue
			}
			if o, err := ParseOptions(part); err != nil ||
				len(o.FS) > 0 && !slices.Equal(o.FS, []string{part}) {
				t.Fatalf("%q: %+v, %v", part, o, err)
			} else if len(o.FS) > 0 {
				rest = append(rest, part)
			} else if _, flag := setFlag(0, part); !flag && !forOthers(part) {
				t.Fatalf("%q is lost", part)
			}
			if part = ""; !comma {
				break
			}
		}
		if !slices.Equal(o.FS, rest) {
			t.Errorf("%q, want %q", o.FS, rest)
		}
	})
}

func forOthers(word string) bool {
	key, _, _ := strings.Cut(word, "=")
	return word == "" || strings.HasPrefix(strings.ToLower(word), "x-") ||
		slices.Contains(userspace(), key) ||
		slices.Contains([]string{"comment", "helper", "uhelper", "discard", "nodiscard"}, key)
}

func TestOption(t *testing.T) {
	for word, want := range map[string][2]string{
		"a": {"a", ""}, "a=": {"a", ""}, `a="b,c"`: {"a", "b,c"}, `a="`: {"a", `"`},
		"a=b=c": {"a", "b=c"},
	} {
		if k, v, has := option(word); k != want[0] || v != want[1] ||
			has != strings.Contains(word, "=") {
			t.Errorf("%s: %q %q %v", word, k, v, has)
		}
	}
}

func TestFSOptions(t *testing.T) {
	for _, c := range []struct{ fs, said, want string }{
		{"ext4", "", "discard"}, {"ext4", "nodiscard", "nodiscard"},
		{"ext4", "data=x,discard", "data=x,discard"},
		{"xfs", "", "nouuid,discard"}, {"xfs", "nouuid", "nouuid,discard"},
		{"vfat", "nodiscard", ""}, {"exfat", "", "discard"},
		{"ext2", "", ""}, {"squashfs", "discard,a", "a,discard"}, {"squashfs", "nodiscard,a", "a"},
		{"squashfs", "a", "a"}, {"btrfs", "nodiscard", "nodiscard"},
	} {
		o, err := ParseOptions(c.said)
		if err != nil {
			t.Fatal(err)
		}
		got, discards := fsOptions(Request{FSType: c.fs, Options: o})
		if strings.Join(got, ",") != c.want || discards != slices.Contains(got, "discard") {
			t.Errorf("%s %q: %q, %v; want %q", c.fs, c.said, got, discards, c.want)
		}
	}
}

func TestFlags(t *testing.T) {
	o, err := ParseOptions(
		"ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow,sync,dirsync,lazytime")
	if err != nil {
		t.Fatal(err)
	}
	want := unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV |
		unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NOATIME | unix.MOUNT_ATTR_NODIRATIME |
		unix.MOUNT_ATTR_NOSYMFOLLOW
	if got := attributes(o.Flags); got != want {
		t.Errorf("attributes %x, want %x", got, want)
	}
	if got := superblockFlags(o.Flags); !slices.Equal(got,
		[]string{"ro", "sync", "dirsync", "lazytime"}) {
		t.Errorf("%q", got)
	}
}

func TestOpenDir(t *testing.T) {
	dir := t.TempDir()
	file, link, loop := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir,
		"loop")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(dir, link),
		os.Symlink(loop, loop)); err != nil {
		t.Fatal(err)
	}
	if got, err := OpenDir(link + "/."); err != nil || got != dir {
		t.Errorf("%s, %v", got, err)
	}
	for path, want := range map[string]error{file: unix.ENOTDIR, dir + "/none": unix.ENOENT} {
		if _, err := OpenDir(path); !errors.Is(err, want) || err.Error() != path+": "+want.Error() {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := OpenDir(loop); err == nil || !strings.HasPrefix(err.Error(), loop+": ") {
		t.Errorf("loop: %v", err)
	}
}

// A directory is pinned as what its path says, or not at all.
func TestPin(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := errors.Join(os.MkdirAll(real+"/below", 0o700), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	fd, err := pin(real + "/below")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := os.Rename(real, real+"2"); err != nil {
		t.Fatal(err)
	}
	if now, err := os.Readlink(descriptor(fd)); err != nil || now != real+"2/below" {
		t.Errorf("the descriptor leads to %s, %v", now, err)
	}
	if err := os.Symlink(real+"2", real); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		real + "/below": ErrMoved, link: unix.ENOTDIR, dir + "/none": unix.ENOENT,
		real + "2/.": ErrMoved,
	} {
		if fd, err := pin(path); !errors.Is(err, want) || fd != -1 ||
			!strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %d, %v, want %v", path, fd, err, want)
		}
	}
}

func TestBtrfsConflict(t *testing.T) {
	sys := t.TempDir()
	for _, d := range []string{
		"one/devices/dm-3", "two/devices/dm-4", "raid/devices/dm-3", "raid/devices/dm-4",
	} {
		if err := os.MkdirAll(filepath.Join(sys, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for fsid, want := range map[string]error{
		"one": nil, "two": errSameFSID, "three": nil, "raid": errSameFSID,
	} {
		if err := btrfsConflict(sys, fsid, "dm-3"); !errors.Is(err, want) {
			t.Errorf("%s: %v", fsid, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(sys, "features/temp_fsid"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := btrfsConflict(sys, "two", "dm-3"); err != nil {
		t.Error(err)
	}
	if err := btrfsConflict(sys, "raid", "dm-3"); !errors.Is(err, errSameFSID) {
		t.Errorf("a second device: %v", err)
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{FSType: "ext4", Target: "/mnt", Err: unix.EINVAL}
	if got := e.Error(); !strings.HasPrefix(got,
		"mount ext4 on /mnt: invalid argument (the kernel gives no reason") {
		t.Error(got)
	}
	e.Err = unix.EIO
	if got := e.Error(); got != "mount ext4 on /mnt: input/output error" {
		t.Error(got)
	}
	e.Err = unix.EINVAL
	e.Kernel = []string{"a", "b"}
	if got := e.Error(); got != "mount ext4 on /mnt: invalid argument (kernel: a; b)" ||
		!errors.Is(e, unix.EINVAL) {
		t.Error(got)
	}
}
