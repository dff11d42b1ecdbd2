// Package mountinfo reads the mount tables that the kernel shows, whatever users
// have made of the paths in them.
package mountinfo

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// Info is a mount.
type Info = mountinfo.Info

// Read reads the mount table of a process: /proc/PID/mountinfo.
func Read(path string) ([]*Info, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mount table: %w", err)
	}
	return Parse(string(text)), nil
}

// Parse reads mountinfo (proc_pid_mountinfo(5)), and leaves out what it cannot
// read. A line may have any length: who owns a folder above a mount can make the
// mount's path as long as he likes, one rename after the other.
func Parse(text string) []*Info {
	var table []*Info
	for line := range strings.Lines(text) {
		if m, ok := parseMount(strings.Split(strings.TrimSuffix(line, "\n"), " ")); ok {
			table = append(table, m)
		}
	}
	return table
}

// parseMount reads the fields of a line: six, any number of tags, a dash, three.
func parseMount(f []string) (*Info, bool) {
	if len(f) < 10 {
		return nil, false
	}
	dash := 6 + slices.Index(f[6:], "-")
	if dash < 6 || len(f) < dash+4 {
		return nil, false
	}
	m := &Info{
		Root: Unescape(f[3]), Mountpoint: Unescape(f[4]), Options: f[5], Optional: strings.Join(f[6:dash], " "),
		FSType: Unescape(f[dash+1]), Source: Unescape(f[dash+2]), VFSOptions: f[dash+3],
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

// Unescape undoes the kernel's mangle (fs/seq_file.c) and libmount's
// (lib/mangle.c): a backslash and three octal digits for one byte.
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
