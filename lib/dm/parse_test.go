package dm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A number that is read fits into what device-mapper is given, and is written
// as it would be read.
func FuzzParseDevNo(f *testing.F) {
	for _, s := range []string{
		"253:3", "0:0", "4095:1048575", "4096:0", "0:1048576", "007:01", "7", "7:", ":7", "7:0:1",
		"-1:0", "7:0\n", "major:minor",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDevNo(s)
		if err != nil {
			if d != (DevNo{}) || !strings.Contains(err.Error(), fmt.Sprintf("%q", s)) {
				t.Errorf("%q: %v beside %v", s, d, err)
			}
			return
		}
		if back, err := ParseDevNo(d.String()); err != nil || back != d ||
			decodeDev(encodeDev(d)) != d {
			t.Errorf("%q reads as %v, and that as %v, %v", s, d, back, err)
		}
		if strings.Trim(s, "0123456789") != ":" {
			t.Errorf("%q reads as %v", s, d)
		}
	})
}

// A minor number stands before the driver's whole name, on a line of its own,
// and there is none where no line has that name.
func FuzzMiscMinor(f *testing.F) {
	f.Add("130 watchdog\n237 loop-control\n236 device-mapper\n231 snapshot\n", "device-mapper")
	f.Add("  1 device-mapper", "device-mapper")
	f.Add("237 loop-control 236 device-mapper\n", "device-mapper")
	f.Add("device-mapper device-mapper\n1048576 device-mapper\n", "device-mapper")
	path := filepath.Join(f.TempDir(), "misc")
	f.Fuzz(func(t *testing.T, text, driver string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		n, err := miscMinor(path, driver)
		named := false
		for line := range strings.Lines(text) {
			fields := strings.Fields(line)
			ours := len(fields) == 2 && fields[1] == driver
			if ours && !named && err == nil &&
				strings.TrimLeft(fields[0], "0") != strings.TrimLeft(fmt.Sprint(n), "0") {
				t.Errorf("%q reads as %d", line, n)
			}
			named = named || ours
		}
		if named == errors.Is(err, ErrNoDriver) || err == nil && n >= 1<<20 {
			t.Errorf("%d, %v, and a line: %v", n, err, named)
		}
	})
}
