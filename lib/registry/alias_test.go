package registry

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

func TestAlias(t *testing.T) {
	s := thintest.Scratch(t)
	path := AliasPath(s, thintest.Named("demo/base"))
	for _, device := range []string{"/dev/mapper/thin-demo@base", "/dev/mapper/thin-demo@base",
		"/dev/mapper/other"} {
		if err := MakeAlias(s, thintest.Named("demo/base"), device); err != nil {
			t.Fatal(err)
		}
		if at, err := os.Readlink(path); err != nil || at != device {
			t.Errorf("%s leads to %q, %v", path, at, err)
		}
	}
	DropAlias(s, thintest.Named("demo/base"))
	DropAlias(s, thintest.Named("demo/base"))
	if _, err := os.Lstat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

// TestAliasesTogether makes and removes aliases of one pool at the same time.
// The pool's folder goes with the last alias while another goroutine makes an
// alias in it.
func TestAliasesTogether(t *testing.T) {
	s := thintest.Scratch(t)
	var all sync.WaitGroup
	for _, volume := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			for range 200 {
				v := spec.Volume{Pool: "demo", Name: volume}
				if err := MakeAlias(s, v, "/dev/null"); err != nil {
					t.Error(err)
				}
				DropAlias(s, spec.Volume{Pool: "demo", Name: volume})
			}
		})
	}
	all.Wait()
}

func TestParseAlias(t *testing.T) {
	s := thintest.Scratch(t)
	for path, want := range map[string]string{
		s.RunDir + "/dev/demo/base":     "demo/base",
		s.RunDir + "/dev/demo/base/x":   "",
		s.RunDir + "/dev/demo":          "",
		s.RunDir + "/dev/../base":       "",
		s.RunDir + "/dev/.hidden/base":  "",
		"/elsewhere/dev/demo/base":      "",
		s.RunDir + "/device/demo/base":  "",
		s.RunDir + "/dev/de\nmo/base":   "",
		s.RunDir + "/dev/demo/ba@se":    "",
		s.RunDir + "/dev/demo/-option":  "",
		s.RunDir + "/dev/demo.1/base-2": "demo.1/base-2",
	} {
		got := ""
		if volume, ok := ParseAlias(s, path); ok {
			got = volume.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestFstabLine(t *testing.T) {
	s := thintest.Scratch(t)
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	text := "# comment\n" +
		"demo/base " + link + " thin defaults 0 0\n" +
		s.RunDir + "/dev/demo/two /two thin.xfs ro\n" +
		"/dev/mapper/thin-demo@three /three/ thin ro\n" +
		"demo/base /other ext4 rw\nbad\n" +
		"demo/none none thin rw\n"
	if err := os.WriteFile(s.Fstab, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		volume, dir string
		want        int
	}{
		{"demo/base", real, 2}, {"demo/base", link, 2}, {"demo/two", "/two", 3},
		{"demo/three", "/three", 4},
		{"demo/base", "/other", 0}, {"demo/two", "/three", 0}, {"demo/nosuch", real, 0},
	} {
		volume, _ := spec.ParseVolume(row.volume)
		if got, _ := FstabLine(s, volume, row.dir); got != row.want {
			t.Errorf("%s on %s: line %d, want %d", row.volume, row.dir, got, row.want)
		}
	}
	if volume, ok := FstabSpec(s, "/two"); !ok || volume.String() != "demo/two" {
		t.Errorf("%s, %v", volume, ok)
	}
	if _, ok := FstabSpec(s, "/nowhere"); ok {
		t.Error("found what is not there")
	}
}
