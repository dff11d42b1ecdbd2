package mounting

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/mount"
	"thinmount/lib/registry"
	"thinmount/lib/thintest"
)

// If fstab has several lines for a volume that are mounted at boot, the first
// line wins.
func TestFstabFirstLineWins(t *testing.T) {
	const yes, no = "defaults", "noauto"
	for _, row := range []struct {
		name         string
		first, other string // options of the lines for /a and /b
		asked        string
		loses        bool
	}{
		{"the first", yes, yes, "/a", false},
		{"the second", yes, yes, "/b", true},
		{"the second with nofail", yes, "nofail", "/b", true},
		{"the first is for hands", no, yes, "/b", false},
		{"the second is for hands", yes, "ro,noauto", "/b", false},
		{"both are for hands", no, no, "/b", false},
		{"the first waits for somebody to look", "noauto,x-systemd.automount", yes, "/b", true},
		{"the second waits for somebody to look", yes, "noauto,x-systemd.automount", "/b", true},
		{"neither", yes, yes, "/c", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := thintest.Scratch(t)
			text := "demo/other /x thin defaults 0 0\ndemo/v /a thin " + row.first + " 0 0\n" +
				s.RunDir + "/dev/demo/v /b thin.ext4 " + row.other + " 0 0\n"
			if err := os.WriteFile(s.Fstab, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			m := &mounting{System: s, dir: row.asked}
			m.findLine(thintest.Named("demo/v"))
			err := m.loses
			if (err != nil) != row.loses {
				t.Fatalf("%v", err)
			}
			if err != nil &&
				!strings.Contains(err.Error(), "demo/v: line 2 of "+s.Fstab+" mounts it on /a, ") {
				t.Error(err)
			}
			found := registry.Losers(s, "demo")
			if both := row.loses && row.asked == "/b"; (len(found) == 1) != both &&
				row.asked == "/b" {
				t.Errorf("%+v", found)
			}
			if m.options = (mount.Options{Nofail: true}); err != nil && m.skip(err) != nil {
				t.Error("nofail does not let it pass")
			}
			if m.skip(unix.EIO) != nil || (&mounting{System: s}).skip(unix.EIO) != unix.EIO {
				t.Error("skip")
			}
		})
	}
}
