package systemd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The names are what `systemd-escape --path --suffix=mount` of systemd 257
// prints.
func TestEscape(t *testing.T) {
	for path, want := range map[string]string{
		"/":                  "-",
		"/mnt":               "mnt",
		"/srv/deep/data":     "srv-deep-data",
		"/srv/my-data":       `srv-my\x2ddata`,
		"/.hidden/.x":        `\x2ehidden-.x`,
		"/a b/ü":             `a\x20b-\xc3\xbc`,
		"/a_b:c.d":           "a_b:c.d",
		`/back\slash`:        `back\x5cslash`,
		"/srv/\x01\x7f%@~+,": `srv-\x01\x7f\x25\x40\x7e\x2b\x2c`,
	} {
		if got := escape(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestMountUnit(t *testing.T) {
	for _, row := range []struct {
		name, file string
		booted     bool
		want       bool
	}{
		{"fstab", "run/systemd/generator/srv-a.mount", true, true},
		{"own", "etc/systemd/system/srv-a.mount", true, true},
		{"systemd-mount", "run/systemd/transient/srv-a.mount", true, true},
		{"another", "etc/systemd/system/srv-ab.mount", true, false},
		{"none", "", true, false},
		{"no systemd", "etc/systemd/system/srv-a.mount", false, false},
	} {
		root := t.TempDir()
		if row.booted {
			mkdir(t, filepath.Join(root, "run/systemd/system"))
		}
		if row.file != "" {
			file := filepath.Join(root, row.file)
			mkdir(t, filepath.Dir(file))
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		name, ok := mountUnit(root, "/srv/a")
		if ok != row.want || ok && name != "srv-a.mount" {
			t.Errorf("%s: %q, %v", row.name, name, ok)
		}
	}
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestBelieves(t *testing.T) {
	for said, want := range map[string]bool{
		"What=/dev/mapper/x\nActiveState=active\n":       true,
		"ActiveState=active\nWhat=/dev/mapper/x\n":       true,
		"What=/dev/mapper/y\nActiveState=active\n":       false, // what lay below, or came after
		"What=/dev/mapper/x\nActiveState=deactivating\n": false,
		"What=/dev/mapper/x\nActiveState=inactive\n":     false,
		"What=p/v\nActiveState=failed\n":                 false,
		"ActiveState=active\n":                           false,
		"":                                               false,
	} {
		if got := believes(said, "/dev/mapper/x"); got != want {
			t.Errorf("%q: %v", said, got)
		}
	}
}

func TestWaitUnmounted(t *testing.T) {
	const mounted, gone = "What=s\nActiveState=active\n", "What=p/v\nActiveState=inactive\n"
	answers := func(all ...string) (func() (string, error), *int) {
		n := 0
		return func() (string, error) {
			n++
			if n > len(all) {
				return "", errors.New("cannot be asked")
			}
			return all[n-1], nil
		}, &n
	}
	show, n := answers(mounted, mounted, gone, gone)
	if waitUnmounted(t.Context(), show, "s"); *n != 3 {
		t.Errorf("asked %d times, want 3", *n)
	}
	show, n = answers(mounted)
	if waitUnmounted(t.Context(), show, "s"); *n != 2 {
		t.Errorf("systemd cannot be asked: asked %d times, want 2", *n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	waitUnmounted(ctx, func() (string, error) { return mounted, nil }, "s")
	if ctx.Err() == nil {
		t.Error("did not wait")
	}
}
