package fuser

import (
	"strconv"
	"strings"

	"thinmount/lib/mountinfo"
)

// mounted is a line of mountinfo.
type mounted struct {
	id, parent   int
	major, minor int
	root, point  string
	groups       []string // N of each of shared:N, master:N, propagate_from:N
	shared       string   // N of shared:N
}

// readTable reads the mount table at path.
func readTable(path string) ([]mounted, error) {
	table, err := mountinfo.Read(path)
	return mounts(table.All()), err
}

// mounts takes from a mount table the fields that this package uses.
func mounts(table []*mountinfo.Info) []mounted {
	var all []mounted
	for _, i := range table {
		m := mounted{
			id: i.ID, parent: i.Parent, major: i.Major, minor: i.Minor,
			root: i.Root, point: i.Mountpoint,
		}
		for _, tag := range strings.Split(i.Optional, " ") {
			if name, group, _ := strings.Cut(tag, ":"); group != "" {
				m.groups = append(m.groups, group)
				if name == "shared" {
					m.shared = group
				}
			}
		}
		all = append(all, m)
	}
	return all
}

// find returns the mount with this ID, if the table has it.
func find(table []mounted, id int) (mounted, bool) {
	for _, m := range table {
		if m.id == id {
			return m, true
		}
	}
	return mounted{}, false
}

// copies returns the IDs of the mounts in table that keep our mount id busy:
// the mount itself, and the copies that the kernel has made of it in other
// places because the mount below it is shared. An unmount has to remove all
// copies together, so a process that uses one of them keeps all busy
// (fs/pnode.c, propagate_mount_busy). Other mounts of the same filesystem do
// not keep our mount busy.
func copies(ours, table []mounted, id int) map[int]bool {
	busy := map[int]bool{id: true}
	m, ok := find(ours, id)
	below, okBelow := find(ours, m.parent)
	if !ok || !okBelow || below.shared == "" {
		return busy
	}
	// The slave of a slave names the peer group between. A mount of that group
	// is in the same table, or in no table that we can see.
	reached := map[string]bool{below.shared: true}
	for again := true; again; {
		again = false
		for _, t := range table {
			if t.shared != "" && !reached[t.shared] && t.in(reached) {
				reached[t.shared], again = true, true
			}
		}
	}
	for _, t := range table {
		if t.major != m.major || t.minor != m.minor || t.root != m.root {
			continue
		}
		p, ok := find(table, t.parent)
		if ok && p.in(reached) && within(p, t.point) == within(below, m.point) {
			busy[t.id] = true
		}
	}
	return busy
}

// in reports whether m is in one of the peer groups.
func (m mounted) in(groups map[string]bool) bool {
	for _, g := range m.groups {
		if groups[g] {
			return true
		}
	}
	return false
}

// within returns the path of a mount point inside the filesystem of the mount
// m, on which it lies.
func within(m mounted, point string) string {
	below := strings.TrimPrefix(strings.TrimPrefix(point, m.point), "/")
	return strings.TrimSuffix(m.root, "/") + "/" + below
}

// mapping is a file that a process has mapped.
type mapping struct {
	addresses    string // START-END, which is also the name in map_files
	major, minor int
	path         string
}

// parseMaps reads the text of /proc/PID/maps (proc_pid_maps(5)) and skips
// mappings without a file.
func parseMaps(text string) []mapping {
	var found []mapping
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
		if len(f) < 6 {
			continue
		}
		major, minor, ok := device(f[3])
		path := strings.TrimLeft(f[5], " ")
		if ok && strings.HasPrefix(path, "/") {
			found = append(found, mapping{mapName(f[0]), major, minor, path})
		}
	}
	return found
}

// mapName removes leading zeros from the addresses: maps writes them, and
// map_files does not.
func mapName(addresses string) string {
	from, to, _ := strings.Cut(addresses, "-")
	trim := func(s string) string {
		if t := strings.TrimLeft(s, "0"); t != "" {
			return t
		}
		return "0"
	}
	return trim(from) + "-" + trim(to)
}

// parseSwaps returns the paths of the swap spaces of a kind, "file" or
// "partition", in the text of /proc/swaps (proc_swaps(5)). The text has a
// header; then each line has name, type and numbers.
func parseSwaps(text, kind string) []string {
	var files []string
	for line := range strings.Lines(text) {
		if f := strings.FieldsFunc(line, blank); len(f) >= 2 && f[1] == kind {
			files = append(files, mountinfo.Unescape(f[0]))
		}
	}
	return files
}

// parseUID returns the effective user in the text of /proc/PID/status
// (proc_pid_status(5)), or -1.
func parseUID(text string) int {
	for line := range strings.Lines(text) {
		if f := strings.FieldsFunc(line, blank); len(f) >= 3 && f[0] == "Uid:" {
			if uid, ok := number(f[2]); ok {
				return uid
			}
		}
	}
	return -1
}

// blank reports whether r separates fields.
func blank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

// number reads a decimal number of 32 bits without a sign.
func number(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil
}

// device reads MAJOR:MINOR, which are hexadecimal numbers.
func device(s string) (major, minor int, ok bool) {
	a, b, _ := strings.Cut(s, ":")
	x, errX := strconv.ParseUint(a, 16, 32)
	y, errY := strconv.ParseUint(b, 16, 32)
	return int(x), int(y), errX == nil && errY == nil
}
