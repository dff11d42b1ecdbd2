package mount

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// Table reads the mounts of this thread's mount namespace, in the order in which
// they lie upon each other.
func Table() ([]*mountinfo.Info, error) {
	runtime.LockOSThread() // what is opened of a thread that ends cannot be read
	defer runtime.UnlockOSThread()
	return ReadTable("/proc/thread-self/mountinfo")
}

// ReadTable reads the mount table of a process: /proc/PID/mountinfo.
func ReadTable(path string) ([]*mountinfo.Info, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mount table: %w", err)
	}
	return parseTable(string(text)), nil
}

// parseTable reads mountinfo (proc_pid_mountinfo(5)), and leaves out what it
// cannot read. A line may have any length: who owns a folder above a mount can
// make the mount's path as long as he likes, one rename after the other.
func parseTable(text string) []*mountinfo.Info {
	var table []*mountinfo.Info
	for line := range strings.Lines(text) {
		if m, ok := parseMount(strings.Split(strings.TrimSuffix(line, "\n"), " ")); ok {
			table = append(table, m)
		}
	}
	return table
}

// parseMount reads the fields of a line: six, any number of tags, a dash, three.
func parseMount(f []string) (*mountinfo.Info, bool) {
	if len(f) < 10 {
		return nil, false
	}
	dash := 6 + slices.Index(f[6:], "-")
	if dash < 6 || len(f) < dash+4 {
		return nil, false
	}
	m := &mountinfo.Info{
		Root: unmangle(f[3]), Mountpoint: unmangle(f[4]), Options: f[5], Optional: strings.Join(f[6:dash], " "),
		FSType: unmangle(f[dash+1]), Source: unmangle(f[dash+2]), VFSOptions: f[dash+3],
	}
	major, minor, _ := strings.Cut(f[2], ":")
	return m, number(f[0], &m.ID) && number(f[1], &m.Parent) && number(major, &m.Major) && number(minor, &m.Minor)
}

// number reads a decimal number of 32 bits without sign.
func number(s string, n *int) bool {
	u, err := strconv.ParseUint(s, 10, 32)
	*n = int(u)
	return err == nil
}

// Top is the mount that is seen at dir, which has no symbolic links, or nil.
func Top(table []*mountinfo.Info, dir string) *mountinfo.Info {
	for i := len(table) - 1; i >= 0; i-- {
		if table[i].Mountpoint == dir {
			return table[i]
		}
	}
	return nil
}

// ByDev lists the mounts of a block device.
func ByDev(table []*mountinfo.Info, major, minor int, source string) []*mountinfo.Info {
	var found []*mountinfo.Info
	for _, m := range table {
		if IsOf(m, major, minor, source) {
			found = append(found, m)
		}
	}
	return found
}

// IsOf tells whether a mount is of a block device: by the device's number, or by
// its name where that can be believed.
func IsOf(m *mountinfo.Info, major, minor int, source string) bool {
	return m.Major == major && m.Minor == minor || m.Source == source && NamesDevice(m)
}

// NamesDevice tells whether the source of a mount is the name of a block device
// that is mounted: where the kernel shows the device's number, and for btrfs, which
// shows a number of its own. Any other filesystem without a device is called what
// its owner likes: fusermount(1) lets each user say fsname=/dev/mapper/X.
func NamesDevice(m *mountinfo.Info) bool { return m.Major != 0 || m.FSType == "btrfs" }
