// Package fstab reads /etc/fstab as libmount does, for a helper that has to know
// what stands there although mount(8) does not tell.
package fstab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Entry is a line (fstab(5)), with its escapes undone.
type Entry struct {
	Spec    string
	Dir     string
	Type    string
	Options string
	Line    int // from 1
}

// maxSize bounds what is read, in bytes.
const maxSize = 1 << 20

// Read reads the file at path. A missing file has no entries. A line that is
// malformed is left out, and told in the error beside the entries.
func Read(path string) ([]Entry, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := Parse(f)
	if err != nil {
		return entries, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// Parse reads the text of an fstab.
func Parse(r io.Reader) ([]Entry, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("is larger than %d bytes", maxSize)
	}
	var entries []Entry
	var errs []error
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		fields := strings.FieldsFunc(strings.TrimSuffix(line, "\n"), blank)
		switch {
		case len(fields) == 0 || fields[0][0] == '#':
		case len(fields) < 3 || len(fields) > 6 && fields[6][0] != '#' || !numbers(fields[min(4, len(fields)):min(6, len(fields))]):
			errs = append(errs, fmt.Errorf("line %d is malformed", n))
		default:
			e := Entry{Spec: unmangle(fields[0]), Dir: unmangle(fields[1]), Type: unmangle(fields[2]), Line: n}
			if len(fields) > 3 {
				e.Options = unmangle(fields[3])
			}
			entries = append(entries, e)
		}
	}
	return entries, errors.Join(errs...)
}

// blank is what separates fields: other white space stands in names as it is.
func blank(r rune) bool { return r == ' ' || r == '\t' }

// numbers checks the last two fields.
func numbers(fields []string) bool {
	for _, f := range fields {
		if _, err := strconv.Atoi(f); err != nil {
			return false
		}
	}
	return true
}

// unmangle undoes the escapes, a backslash and three octal digits (getmntent(3)).
func unmangle(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
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
