package fuser

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestOfDevice wants the devices on a device first, then the overlays, then the
// processes that have a file of its filesystem open.
func TestOfDevice(t *testing.T) {
	s := newStage(t)
	d := Device{s.mount.Major, s.mount.Minor, "/mnt/a b"}
	s.process(t, 99, "sleep")
	s.link(t, "50/cwd", "/proc/self") // not on the device
	s.write(t, "self/mountinfo",
		`7 1 0:9 / /ov rw - overlay o rw,lowerdir=/srv:/mnt/a\040b/l1,upperdir=/u,workdir=/w`+"\n"+
			`8 1 0:9 / /mnt/a\040b rw - overlay o rw,lowerdir=/srv:/mnt/a\040bc`+"\n")
	dir := fmt.Sprintf("%s/dev/block/%d:%d/holders", s.sys, d.Major, d.Minor)
	for name, file := range map[string]string{"dm-5": "dm/name", "md0": "md/x"} {
		path := filepath.Join(dir, name, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("vg-lv\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ofDevice(t.Context(), s.proc, s.sys, d)
	if err != nil {
		t.Fatal(err)
	}
	want := []Holder{
		{0, "dm-5", -1, Above, "/dev/mapper/vg-lv", 0}, {0, "md0", -1, Above, "/dev/md0", 0},
		{0, "", -1, Overlay, "/ov", 0},
		{99, "sleep", 1000, Cwd, s.dir, 0},
	}
	slices.SortFunc(got[:2], func(a, b Holder) int { return len(a.Command) - len(b.Command) })
	slices.SortFunc(want[:2], func(a, b Holder) int { return len(a.Command) - len(b.Command) })
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	line := "/dev/md0 lies on it, /dev/mapper/vg-lv lies on it, the overlay on /ov has layers in " +
		"it, sleep (pid 99, works in " + s.dir + ")"
	if l := Line(got, 9); l != line {
		t.Errorf("%q\nwant %q", l, line)
	}
}

// TestOnDevice wants that the device itself counts, and each file of its
// filesystem, on any mount.
func TestOnDevice(t *testing.T) {
	l := look{search: &search{mount: Mount{Major: 253, Minor: 7}, device: true}}
	for _, row := range []struct {
		at   place
		want bool
	}{
		{place{id: 4, major: 0, minor: 5, device: [2]int{253, 7}}, true},
		{place{id: 4, major: 0, minor: 5, device: [2]int{253, 8}}, false},
		{place{id: 9, major: 253, minor: 7}, true}, {place{id: 9, major: 253, minor: 8}, false},
	} {
		if got := l.on(row.at, nil); got != row.want {
			t.Errorf("%+v: %v", row.at, got)
		}
	}
}

func TestHasLayer(t *testing.T) {
	for _, row := range []struct {
		options string
		want    bool
	}{
		{"rw,lowerdir=/mnt", true}, {"rw,lowerdir=/a:/mnt/b,upperdir=/c", true},
		{"rw,lowerdir=/a,upperdir=/mnt/u,workdir=/w", true},
		{"rw,lowerdir=/a::/mnt/data", true}, {"rw,lowerdir+=/mnt/a", true},
		{"rw,lowerdir=/mnt2:/a/mnt", false}, {"rw,xino=/mnt", false}, {"", false},
	} {
		if got := hasLayer(row.options, "/mnt"); got != row.want {
			t.Errorf("%q: %v", row.options, got)
		}
	}
}
