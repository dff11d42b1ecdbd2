package mounting

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
)

// resolveSpec returns names that a volume can have. Both names are in the SPEC,
// or, if the SPEC is a path, in the line of fstab for the directory. A SPEC
// that means no volume is a usage error.
func FuzzResolveSpec(f *testing.F) {
	s := &host.System{StateDir: f.TempDir(), RunDir: "/run/thin"}
	dir := f.TempDir()
	s.Fstab = filepath.Join(dir, "fstab")
	if err := os.WriteFile(
		s.Fstab, []byte("demo/fromfstab "+dir+" thin defaults 0 0\n"), 0o600,
	); err != nil {
		f.Fatal(err)
	}
	for _, spec := range []string{
		"demo/base", "/run/thin/dev/demo/base", "/run/thin/dev/../x", "/dev/mapper/thin-demo@base",
		"/dev/mapper/thin-demo@@pool", "/dev/mapper/thin-..@a/b", "/root/demo/base", "/demo/base",
		"/", "", "demo", "demo/base/x", "/demo/base/", "//demo//base",
	} {
		f.Add(spec, true)
		f.Add(spec, false)
	}
	f.Fuzz(func(t *testing.T, spec string, inFstab bool) {
		if _, err := backing.NodeDevice(spec); err == nil {
			return // resolveSpec would ask the kernel about a device
		}
		on := dir
		if !inFstab {
			on = "/nonexistent"
		}
		pool, volume, _, err := resolveSpec(s, nil, spec, on)
		if err != nil {
			if !errors.Is(err, fault.ErrUsage) || pool+volume != "" {
				t.Errorf("%q: %q, %q, %v", spec, pool, volume, err)
			}
			return
		}
		if catalog.CheckPoolName(pool) != nil || catalog.CheckVolumeName(volume) != nil {
			t.Errorf("%q is taken for %q, %q", spec, pool, volume)
		}
		named := spec == pool+"/"+volume || spec == registry.AliasPath(s, pool, volume) ||
			spec == "/dev/mapper/"+dmname.Volume(pool, volume)
		if byFstab := inFstab && strings.HasPrefix(spec, "/") && pool == "demo" &&
			volume == "fromfstab"; !named && !byFstab {
			t.Errorf("%q is taken for %q, %q", spec, pool, volume)
		}
		if p, v, ok := registry.NamedBy(s, spec); named && (!ok || p != pool || v != volume) {
			t.Errorf("%q is taken for %q, %q, and by fstab for %q, %q", spec, pool, volume, p, v)
		}
	})
}
