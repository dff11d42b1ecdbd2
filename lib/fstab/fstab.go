// Package fstab reads /etc/fstab with the rules that libmount reads it by
// (libmount/src/tab_parse.c).
//
// mount(8) reads the file itself and hands each helper the line it has chosen.
// What needs all of the lines (which volumes are to be mounted at boot, which
// line is wrong) must read them just as mount(8) does, or the two see different
// files.
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

// maxSize bounds the file, in bytes.
const maxSize = 1 << 20

// errTooLarge is for a file above 1 MiB, of which nothing is believed.
var errTooLarge = errors.New("larger than 1 MiB")

// Entry is a line of fstab(5), its escapes undone. The two numbers at its end,
// for dump(8) and fsck(8), are only checked.
type Entry struct {
	Spec    string // a device, LABEL=…, pool/volume: as written, quotes included
	Dir     string
	Type    string
	Options string // separated by commas; "defaults" where the line has none
	Line    int    // from 1
}

// LineError tells of a line that cannot be read.
type LineError struct {
	Line   int // from 1
	Reason string
}

// Error names the line first.
func (e *LineError) Error() string { return "line " + strconv.Itoa(e.Line) + ": " + e.Reason }

// Read reads the file at path. A file that is missing has no entries, which is
// no error. A line that mount(8) would skip as malformed is skipped, and told
// of in the error, beside the entries that are good.
func Read(path string) ([]Entry, error) {
	// O_NONBLOCK: to open a FIFO waits for no writer.
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
// line; with any other error there are no entries.
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
