package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// unitDirs are the folders of the system's units, and of those that systemd
// makes from fstab(5) or for systemd-mount(1) (systemd.unit(5)).
var unitDirs = []string{
	"run/systemd/generator", "etc/systemd/system", "run/systemd/system", "run/systemd/transient",
	"run/systemd/generator.early", "run/systemd/generator.late", "etc/systemd/system.control",
	"run/systemd/system.control", "usr/local/lib/systemd/system", "usr/lib/systemd/system",
	"lib/systemd/system",
}

// MountUnit returns the name of the mount unit of a directory, if systemd runs
// and the unit has a file. A unit without a file follows the mount table alone.
func MountUnit(dir string) (name string, ok bool) { return mountUnit("/", dir) }

func mountUnit(root, dir string) (name string, ok bool) {
	// sd_booted(3)
	if _, err := os.Lstat(filepath.Join(root, "run/systemd/system")); err != nil {
		return "", false
	}
	name = escape(dir) + ".mount"
	for _, units := range unitDirs {
		if _, err := os.Lstat(filepath.Join(root, units, name)); err == nil {
			return name, true
		}
	}
	return "", false
}

// escape makes a path a unit's name (systemd.unit(5), STRING ESCAPING FOR
// INCLUSION IN UNIT NAMES; systemd-escape --path). The path is absolute and
// clean.
func escape(path string) string {
	path = strings.Trim(path, "/")
	if path == "" {
		return "-"
	}
	var b strings.Builder
	for i, c := range []byte(path) {
		switch {
		case c == '/':
			b.WriteByte('-')
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == ':', c == '_',
			c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}
