package install

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// want are the files of an installation with the default folders, and their
// modes.
var want = map[string]fs.FileMode{
	"sbin/mount.thin":                                          0o755,
	"sbin/umount.thin":                                         0o755,
	"usr/local/sbin/thin-snap":                                 0o755,
	"usr/local/share/man/man8/":                                0o644, // all of man/
	"usr/local/lib/systemd/system/thin-pools.service":          0o644,
	"usr/local/share/bash-completion/completions/thin-snap":    0o644,
	"usr/local/share/zsh/site-functions/_thin-snap":            0o644,
	"usr/local/share/fish/vendor_completions.d/thin-snap.fish": 0o644,
	// README.md and its like, docs/*.md
	"usr/local/share/doc/thinmount/":          0o644,
	"usr/local/share/doc/thinmount/examples/": 0o755,
}

// clone makes a folder with what `make install` reads; built says whether bin/
// is there.
func clone(t *testing.T, built bool) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"Makefile", "go.mod", "README.md", "CHANGELOG.md", "SECURITY.md", "NOTICE", "man", "docs",
		"contrib", "examples",
	} {
		if out, err := exec.Command("cp", "-a", filepath.Join("../..", name),
			dir).CombinedOutput(); err != nil {
			t.Fatalf("cp: %v: %s", err, out)
		}
	}
	if built {
		for _, p := range []string{"mount.thin", "umount.thin", "thin-snap"} {
			write(t, filepath.Join(dir, "bin", p), "built "+p)
		}
	}
	return dir
}

// write makes an executable file, and the folders above it.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// makeAsRoot runs make in a clone as sudo does, whose PATH has no Go.
func makeAsRoot(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("make", append([]string{"GO=there-is-no-go"}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// files lists the files below a folder, with their modes.
func files(t *testing.T, top string) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	err := fs.WalkDir(os.DirFS(top), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		i, err := d.Info()
		if err == nil {
			found[name] = i.Mode()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wanted is want, with its folders replaced by the files of the project.
func wanted(t *testing.T) map[string]fs.FileMode {
	t.Helper()
	from := map[string][]string{
		"usr/local/share/man/man8/": {"../../man/*.8"},
		"usr/local/share/doc/thinmount/": {"../../README.md", "../../CHANGELOG.md",
			"../../SECURITY.md", "../../NOTICE", "../../docs/*.md"},
		"usr/local/share/doc/thinmount/examples/": {"../../examples/*"},
	}
	all := map[string]fs.FileMode{}
	for name, mode := range want {
		if !strings.HasSuffix(name, "/") {
			all[name] = mode
		}
		for _, pattern := range from[name] {
			found, err := filepath.Glob(pattern)
			if err != nil || len(found) == 0 {
				t.Fatalf("%s: %v", pattern, err)
			}
			for _, f := range found {
				all[name+filepath.Base(f)] = mode
			}
		}
	}
	return all
}

func TestInstall(t *testing.T) {
	dir, dest := clone(t, true), filepath.Join(t.TempDir(), "dest")
	if out, err := makeAsRoot(t, dir, "install", "DESTDIR="+dest); err != nil ||
		strings.Contains(out, "there-is-no-go") {
		t.Fatalf("make install without Go: %v: %s", err, out)
	}
	got, want := files(t, dest), wanted(t)
	for name, mode := range want {
		if got[name] != mode {
			t.Errorf("%s: mode %v, want %v", name, got[name], mode)
		}
	}
	for name := range got {
		if want[name] == 0 {
			t.Errorf("%s is installed, and not wanted", name)
		}
	}
	for name, text := range map[string]string{
		"sbin/umount.thin":         "built umount.thin",
		"usr/local/sbin/thin-snap": "built thin-snap",
	} {
		if out, err := os.ReadFile(filepath.Join(dest, name)); err != nil || string(out) != text {
			t.Errorf("%s is not what was built: %q, %v", name, out, err)
		}
	}
	unit, err := os.ReadFile(filepath.Join(dest, "usr/local/lib/systemd/system/thin-pools.service"))
	if err != nil || !strings.Contains(string(unit), "/usr/local/sbin/thin-snap ") ||
		strings.Contains(string(unit), "@") {
		t.Errorf("thin-pools.service: %v: %s", err, unit)
	}
}

// TestUninstall wants that all goes which was installed, and nothing else.
func TestUninstall(t *testing.T) {
	for what, args := range map[string][]string{
		"default": nil,
		"package": {"PREFIX=/usr", "SBINDIR=/usr/sbin", "UNITDIR=/lib/systemd/system"},
		"folders": {"BASHDIR=/b", "ZSHDIR=/z", "FISHDIR=/f", "DOCDIR=/doc"},
	} {
		t.Run(what, func(t *testing.T) {
			dir, dest := clone(t, true), filepath.Join(t.TempDir(), "dest")
			args := append([]string{"DESTDIR=" + dest}, args...)
			if out, err := makeAsRoot(t, dir, append([]string{"install"}, args...)...); err != nil {
				t.Fatalf("make install: %v: %s", err, out)
			}
			ours := files(t, dest)
			var others []string
			for name := range ours { // each folder has a file of somebody else
				other := filepath.Join(filepath.Dir(name), "other")
				write(t, filepath.Join(dest, other), "of others")
				others = append(others, other)
			}
			if out, err := makeAsRoot(t, dir,
				append([]string{"uninstall"}, args...)...); err != nil {
				t.Fatalf("make uninstall: %v: %s", err, out)
			}
			slices.Sort(others)
			left := slices.Sorted(maps.Keys(files(t, dest)))
			if others = slices.Compact(others); !slices.Equal(left, others) {
				t.Errorf("left: %q, want %q", left, others)
			}
		})
	}
}

// TestUninstallOld takes the link away by which versions before enabled the
// unit, and so does an installation over it.
func TestUninstallOld(t *testing.T) {
	for _, target := range []string{"install", "uninstall"} {
		dir, dest := clone(t, true), t.TempDir()
		link := filepath.Join(dest,
			"usr/local/lib/systemd/system/sysinit.target.wants/thin-pools.service")
		write(t, link, "")
		if out, err := makeAsRoot(t, dir, target, "DESTDIR="+dest); err != nil {
			t.Fatalf("make %s: %v: %s", target, err, out)
		}
		if _, err := os.Lstat(link); err == nil {
			t.Errorf("make %s: %s is still there", target, link)
		}
	}
}

// TestInstallUnbuilt wants clear words and no half installation where there is
// nothing to install.
func TestInstallUnbuilt(t *testing.T) {
	dir, dest := clone(t, false), filepath.Join(t.TempDir(), "dest")
	out, err := makeAsRoot(t, dir, "install", "DESTDIR="+dest)
	if err == nil || !strings.Contains(out, "bin/mount.thin is missing: run make first") {
		t.Errorf("make install: %v: %s", err, out)
	}
	if _, err := os.Stat(dest); err == nil {
		t.Errorf("installed: %v", files(t, dest))
	}
}

// TestBuildWithoutGo wants to be told which Go it takes and where to get it.
func TestBuildWithoutGo(t *testing.T) {
	out, err := makeAsRoot(t, clone(t, false))
	if err == nil || !strings.Contains(out, "Go 1.") || !strings.Contains(out, "go.dev/dl") {
		t.Errorf("make: %v: %s", err, out)
	}
}

// TestTargets looks for each target of the Makefile in the list at its head.
func TestTargets(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), "\n\n")
	_, rest, _ = strings.Cut(rest, ".PHONY: ")
	phony, _, _ := strings.Cut(rest, "\n")
	targets := strings.Fields(strings.ReplaceAll(phony, "$(programs:%=$(BIN)/%)", ""))
	if len(targets) < 10 {
		t.Fatalf("targets: %q", targets)
	}
	for _, target := range targets {
		switch target {
		case "all", "go", "built": // the first is plain make, the others are steps
		default:
			if !slices.Contains(strings.FieldsFunc(head,
				func(r rune) bool { return strings.ContainsRune(" ,;#\n", r) }), target) {
				t.Errorf("the list at the Makefile's head lacks %s", target)
			}
		}
	}
}
