// Package mountinfo reads the kernel's mount tables (proc_pid_mountinfo(5)) and
// undoes the escapes in their paths. Users choose these paths: a table may have
// lines of any length, and names with any bytes.
//
// Do not use this package to find out whether an unmount has worked. The error
// of the unmount says that.
package mountinfo

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// Info describes one mount.
type Info = mountinfo.Info

// Read reads the mount table at path, which is /proc/PID/mountinfo for some
// process.
func Read(path string) ([]*Info, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mount table: %w", err)
	}
	return Parse(string(text)), nil
}

// Parse reads the text of a mount table and skips lines that it cannot read. A
// line may have any length: the owner of a folder above a mount can make the
// mount's path longer by renaming folders.
func Parse(text string) []*Info {
	var table []*Info
	for line := range strings.Lines(text) {
		if m, ok := parseMount(strings.Split(strings.TrimSuffix(line, "\n"), " ")); ok {
			table = append(table, m)
		}
	}
	return table
}

// parseMount reads the fields of a line, as proc_pid_mountinfo(5) numbers them:
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//	0  1  2    3     4     5          6…       -  +1   +2        +3
//
// 0 mount ID, 1 parent, 2 major:minor, 3 root, 4 mount point, 5 options of the
// mount, from 6 on any number of tags; behind the dash type, source, and
// options of the filesystem.
func parseMount(f []string) (*Info, bool) {
	const id, parent, device, root, point, options, tags = 0, 1, 2, 3, 4, 5, 6
	if len(f) < tags {
		return nil, false
	}
	dash := tags + slices.Index(f[tags:], "-")
	if dash < tags || len(f) < dash+4 {
		return nil, false
	}
	fsType, source, fsOptions := f[dash+1], f[dash+2], f[dash+3]
	m := &Info{
		Root:       Unescape(f[root]),
		Mountpoint: Unescape(f[point]),
		Options:    f[options],
		Optional:   strings.Join(f[tags:dash], " "),
		FSType:     Unescape(fsType),
		Source:     Unescape(source),
		VFSOptions: fsOptions,
	}
	major, minor, _ := strings.Cut(f[device], ":")
	ok := number(f[id], &m.ID) && number(f[parent], &m.Parent) &&
		number(major, &m.Major) && number(minor, &m.Minor)
	return m, ok
}

// number reads a decimal number of 32 bits without a sign into n. It returns
// false if s is no such number.
func number(s string, n *int) bool {
	u, err := strconv.ParseUint(s, 10, 32)
	*n = int(u)
	return err == nil
}

// Unescape undoes the escapes of the kernel (fs/seq_file.c, mangle_path) and of
// libmount (lib/mangle.c). They write one byte as a backslash and three octal
// digits.
func Unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
