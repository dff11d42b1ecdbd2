// Package mountinfo reads the kernel's mount tables (proc_pid_mountinfo(5)) and
// undoes the escapes in their paths. Users choose these paths: a table may have
// lines of any length, and names with any bytes.
//
// A table may have many thousand lines, and a command wants a few of them. So
// Read only notes where the fields of each line begin. A question makes an Info
// of those lines alone that answer it.
//
// Do not use this package to find out whether an unmount has worked. The error
// of the unmount says that.
package mountinfo

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Info describes one mount.
type Info = mountinfo.Info

// Table is a mount table. The zero value has no mounts.
type Table struct {
	text  string
	lines []line
}

// Read reads the mount table at path, which is /proc/PID/mountinfo for some
// process.
func Read(path string) (Table, error) {
	f, t, err := Open(path)
	if err == nil {
		f.Close()
	}
	return t, err
}

// Open is Read that leaves the file open, for poll(2): the kernel tells by it
// whether the table has changed since (proc_pid_mounts(5)). The caller closes
// the file.
func Open(path string) (*os.File, Table, error) {
	// os.Open would add the file to the runtime's poller, since it can be
	// polled. That takes calls of its own.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, Table{}, fmt.Errorf("mount table: %w",
			&os.PathError{Op: "open", Path: path, Err: err})
	}
	f := os.NewFile(uintptr(fd), path)
	t, err := readAll(fd)
	if err != nil {
		f.Close()
		return nil, Table{}, fmt.Errorf("mount table: %w",
			&os.PathError{Op: "read", Path: path, Err: err})
	}
	return f, t, nil
}

// readAll reads the mount table that is open as fd.
func readAll(fd int) (Table, error) {
	// The kernel hands out a page at a time (fs/seq_file.c, seq_read_iter).
	page := make([]byte, os.Getpagesize())
	var text strings.Builder
	for {
		n, err := unix.Read(fd, page)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return Table{}, err
		}
		if n == 0 {
			return Parse(text.String()), nil
		}
		if text.Cap()-text.Len() < n {
			text.Grow(text.Len() + 2*len(page)) // at least twice as much
		}
		text.Write(page[:n])
	}
}

// Parse reads the text of a mount table and skips lines that it cannot read. A
// line may have any length: the owner of a folder above a mount can make the
// mount's path longer by renaming folders.
func Parse(text string) Table {
	t := Table{text: text, lines: make([]line, 0, strings.Count(text, "\n")+1)}
	for begin := 0; begin < len(text) && uint64(len(text)) <= math.MaxUint32; {
		end := len(text)
		if n := strings.IndexByte(text[begin:], '\n'); n >= 0 {
			end = begin + n
		}
		if l, ok := parseLine(text[begin:end]); ok {
			l.begin, l.end = uint32(begin), uint32(end)
			t.lines = append(t.lines, l)
		}
		begin = end + 1
	}
	return t
}

// line has the numbers of a line, and says where the line is in the text.
type line struct {
	id, parent, major, minor uint32

	begin, end    uint32
	point, source uint32 // where these fields begin in the line; a space ends each
}

// The fields of a line, as proc_pid_mountinfo(5) numbers them:
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//	0  1  2    3     4     5          6…       -  +1   +2        +3
//
// 0 mount ID, 1 parent, 2 major:minor, 3 root, 4 mount point, 5 options of the
// mount, from 6 on any number of tags; behind the dash type, source, and
// options of the filesystem.
const (
	idField = iota
	parentField
	deviceField
	rootField
	pointField
	optionsField
	tagsField
)

// parseLine reads the numbers of a line, and notes where two of its fields are.
// Without the dash and three fields behind it ok is false.
func parseLine(text string) (l line, ok bool) {
	var begin [tagsField + 1]int
	for i := range tagsField {
		n := strings.IndexByte(text[begin[i]:], ' ')
		if n < 0 {
			return l, false
		}
		begin[i+1] = begin[i] + n + 1
	}
	field := func(i int) string { return text[begin[i] : begin[i+1]-1] }
	const dash = " - " // its first space may be the one that ends the options
	tags := begin[tagsField] - 1
	n := strings.Index(text[tags:], dash)
	if n < 0 {
		return l, false
	}
	kind := tags + n + len(dash)
	n = strings.IndexByte(text[kind:], ' ')
	source := kind + n + 1
	if n < 0 || strings.IndexByte(text[source:], ' ') < 0 {
		return l, false
	}
	l.point, l.source = uint32(begin[pointField]), uint32(source)
	major, minor, _ := strings.Cut(field(deviceField), ":")
	ok = number(field(idField), &l.id) && number(field(parentField), &l.parent) &&
		number(major, &l.major) && number(minor, &l.minor)
	return l, ok
}

// number reads a decimal number of 32 bits without a sign into n. It returns
// false if s is no such number.
func number(s string, n *uint32) bool {
	u := uint64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || u > math.MaxUint32 {
			return false
		}
		u = 10*u + uint64(s[i]-'0')
	}
	*n = uint32(u)
	return s != "" && u <= math.MaxUint32
}

// info is a line as an Info.
func (t Table) info(l line) *Info {
	f := strings.Split(t.text[l.begin:l.end], " ")
	dash := tagsField + slices.Index(f[tagsField:], "-")
	return &Info{
		ID: int(l.id), Parent: int(l.parent), Major: int(l.major), Minor: int(l.minor),
		Root:       Unescape(f[rootField]),
		Mountpoint: Unescape(f[pointField]),
		Options:    f[optionsField],
		Optional:   strings.Join(f[tagsField:dash], " "),
		FSType:     Unescape(f[dash+1]),
		Source:     Unescape(f[dash+2]),
		VFSOptions: f[dash+3],
	}
}

// begins tells whether a text begins with the field that begins at a byte of a
// line, and how long the field is without its escapes. Most fields differ in
// one of the first bytes.
func (t Table) begins(text string, l line, at uint32) (n int, ok bool) {
	field := t.text[l.begin+at : l.end]
	for ; field[n] != ' '; n++ {
		if field[n] == '\\' {
			field, _, _ = strings.Cut(field, " ")
			field = Unescape(field)
			return len(field), strings.HasPrefix(text, field)
		}
		if n == len(text) || text[n] != field[n] {
			return 0, false
		}
	}
	return n, true
}

// is tells whether the field that begins at a byte of a line is the text.
func (t Table) is(text string, l line, at uint32) bool {
	n, ok := t.begins(text, l, at)
	return ok && n == len(text)
}

// where returns the mounts of the lines that is chooses.
func (t Table) where(is func(line) bool) (found []*Info) {
	for _, l := range t.lines {
		if is(l) {
			found = append(found, t.info(l))
		}
	}
	return found
}

// All returns all mounts, in the order of the table.
func (t Table) All() []*Info { return t.where(func(line) bool { return true }) }

// ByID returns the mount of that ID, or nil.
func (t Table) ByID(id int) *Info {
	for _, l := range t.lines {
		if int(l.id) == id {
			return t.info(l)
		}
	}
	return nil
}

// Of returns the mounts that show this device number or this source.
func (t Table) Of(major, minor int, source string) []*Info {
	return t.where(func(l line) bool {
		return int(l.major) == major && int(l.minor) == minor || t.is(source, l, l.source)
	})
}

// From returns the mounts that show this source.
func (t Table) From(source string) []*Info {
	return t.where(func(l line) bool { return t.is(source, l, l.source) })
}

// OnDevices returns the mounts that may be of a block device: those that show a
// device's number, and those of btrfs, which shows a number of its own.
func (t Table) OnDevices() []*Info {
	return t.where(func(l line) bool {
		return l.major != 0 || strings.HasSuffix(t.text[l.begin:l.begin+l.source], " btrfs ")
	})
}

// OnTheWay returns the mounts on dir or on a folder above it.
func (t Table) OnTheWay(dir string) []*Info {
	return t.where(func(l line) bool {
		n, ok := t.begins(dir, l, l.point)
		return ok && (n == len(dir) || dir[n] == '/') || t.is("/", l, l.point)
	})
}

// Without returns the table without the mount of that ID.
func (t Table) Without(id int) Table {
	rest := Table{text: t.text}
	for _, l := range t.lines {
		if int(l.id) != id {
			rest.lines = append(rest.lines, l)
		}
	}
	return rest
}

// Parents returns the ID of the parent of each mount.
func (t Table) Parents() map[int]int {
	parents := make(map[int]int, len(t.lines))
	for _, l := range t.lines {
		parents[int(l.id)] = int(l.parent)
	}
	return parents
}

// Unescape undoes the escapes of the kernel (fs/seq_file.c, mangle_path) and of
// libmount (lib/mangle.c). They write one byte as a backslash and three octal
// digits.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
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
