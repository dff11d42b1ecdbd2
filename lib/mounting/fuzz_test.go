package mounting

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/backing"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// resolveSource returns names that a volume can have. Both names are in the
// SPEC, or, if the SPEC is a path, in the line of fstab for the directory. A
// SPEC that means no volume is a usage error.
func FuzzResolveSpec(f *testing.F) {
	s := &host.System{StateDir: f.TempDir(), RunDir: "/run/thin"}
	dir := f.TempDir()
	s.Fstab = filepath.Join(dir, "fstab")
	if err := os.WriteFile(
		s.Fstab, []byte("demo/fromfstab "+dir+" thin defaults 0 0\n"), 0o600,
	); err != nil {
		f.Fatal(err)
	}
	for _, source := range []string{
		"demo/base", "/run/thin/dev/demo/base", "/run/thin/dev/../x", "/dev/mapper/thin-demo@base",
		"/dev/mapper/thin-demo@@pool", "/dev/mapper/thin-..@a/b", "/root/demo/base", "/demo/base",
		"/", "", "demo", "demo/base/x", "/demo/base/", "//demo//base",
	} {
		f.Add(source, true)
		f.Add(source, false)
	}
	f.Fuzz(func(t *testing.T, source string, inFstab bool) {
		if _, err := backing.NodeDevice(source); err == nil {
			return // resolveSource would ask the kernel about a device
		}
		on := dir
		if !inFstab {
			on = "/nonexistent"
		}
		volume, _, err := resolveSource(s, nil, source, on)
		if err != nil {
			if !errors.Is(err, fault.ErrUsage) || volume != (spec.Volume{}) {
				t.Errorf("%q: %q, %v", source, volume, err)
			}
			return
		}
		if volume.Check() != nil {
			t.Errorf("%q is taken for %q", source, volume)
		}
		named := source == volume.String() || source == registry.AliasPath(s, volume) ||
			source == "/dev/mapper/"+dmname.Volume(volume)
		if byFstab := inFstab && strings.HasPrefix(source, "/") &&
			volume.String() == "demo/fromfstab"; !named && !byFstab {
			t.Errorf("%q is taken for %q", source, volume)
		}
		if v, ok := registry.NamedBy(s, source); named && (!ok || v != volume) {
			t.Errorf("%q is taken for %q, and by fstab for %q", source, volume, v)
		}
	})
}
