// Package fstab reads /etc/fstab by the rules of libmount
// (libmount/src/tab_parse.c).
//
// mount(8) reads the file itself and gives one line to its helper. thinmount
// has to know the other lines too: which volumes are mounted at boot, and which
// line is wrong. It must read them by the rules of mount(8), or the two
// programs would find different lines in one file.
package fstab

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxSize is the largest file, in bytes, that this package reads.
const maxSize = 1 << 20

// errTooLarge is the error for a file above maxSize. Such a file gives no
// entries.
var errTooLarge = errors.New("larger than 1 MiB")

// Entry is a line of fstab(5) without its escapes. The two numbers at the end
// of a line, for dump(8) and fsck(8), are checked and then dropped.
type Entry struct {
	Spec    string // a device, LABEL=…, pool/volume; as written, with any quotes
	Dir     string
	Type    string
	Options string // separated by commas; "defaults" if the line has none
	Line    int    // from 1
}

// LineError is the error for a line that mount(8) would skip as malformed.
type LineError struct {
	Line   int // from 1
	Reason string
}

// Error returns "line", the line's number and the reason.
func (e *LineError) Error() string { return "line " + strconv.Itoa(e.Line) + ": " + e.Reason }

// Read reads the file at path. A missing file has no entries and gives no
// error. Read skips malformed lines, as mount(8) does. If there are any, it
// returns the good entries and an error that joins a *LineError for each
// malformed line.
func Read(path string) ([]Entry, error) {
	// With O_NONBLOCK the open of a FIFO does not wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no regular file", path)
	}
	entries, err := parse(f)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return entries, err
}

// parse reads the lines of r. Its error joins a *LineError for each malformed
// line. With any other error it returns no entries.
func parse(r io.Reader) ([]Entry, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, errTooLarge
	}
	var entries []Entry
	var bad []error
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line, whole := strings.CutSuffix(line, "\n")
		// libmount reads the last line as a C string, up to a NUL (getline(3)).
		if !whole {
			line, _, _ = strings.Cut(line, "\x00")
		}
		e, reason := parseLine(line)
		switch {
		case reason != "":
			bad = append(bad, &LineError{n, reason})
		case e != (Entry{}):
			e.Line = n
			entries = append(entries, e)
		}
	}
	return entries, errors.Join(bad...)
}
