package helper

import (
	"os"
	"path"
	"strings"
)

// StopsUnit tells whether umount.thin runs for a mount unit of systemd that is to
// stop: then it is to unmount, whatever the number of references. systemd repeats
// an umount(8) that leaves the directory mounted 32 times at most
// (RETRY_UMOUNT_MAX in src/core/mount.c). Whatever systemd starts for a unit is in
// the control group of that name, and nobody else is in that of a mount unit.
func StopsUnit() bool { return inMountUnit("/proc/self/cgroup") }

// inMountUnit reads a file as in cgroups(7), with lines "ID:CONTROLLERS:PATH".
func inMountUnit(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false // without cgroups there is no systemd
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) == 3 && path.Ext(fields[2]) == ".mount" {
			return true
		}
	}
	return false
}
