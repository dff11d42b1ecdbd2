package helper

import (
	"os"
	"path"
	"strings"
)

// StopsUnit says whether umount.thin runs for a mount unit of systemd that is
// to stop. Then umount.thin must unmount, whatever the number of references is:
// systemd repeats an umount(8) that leaves the directory mounted, 32 times at
// most (RETRY_UMOUNT_MAX in src/core/mount.c). systemd starts all processes of
// a unit in the control group of the unit's name. The control group of a mount
// unit has no other processes.
func StopsUnit() bool { return inMountUnit("/proc/self/cgroup") }

// inMountUnit says whether a file in the format of cgroups(7), with lines
// "ID:CONTROLLERS:PATH", names the control group of a mount unit.
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
