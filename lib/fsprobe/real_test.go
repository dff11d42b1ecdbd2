package fsprobe

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// real is an image that a mkfs program made, as far as a look at it reads, with
// what blkid found on it. TestOracleSamples -write writes the files of
// testdata/real: the size and the three words, each on a line and quoted, then
// the rows that are not zero.
type real struct {
	size int64
	want Result // without the kind
	rows map[int64][]byte
}

const rowSize = 32

func readReal(t testing.TB, path string) real {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := real{rows: map[int64][]byte{}}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if n, err := fmt.Sscanf(lines[0], "%d %q %q %q", &r.size, &r.want.Type, &r.want.UUID,
		&r.want.Label); n != 4 {
		t.Fatalf("%s: %v", path, err)
	}
	for _, line := range lines[1:] {
		at, row, _ := strings.Cut(line, " ")
		off, err := strconv.ParseInt(at, 16, 64)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if r.rows[off], err = hex.DecodeString(row); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return r
}

// reals are all of them, by name.
func reals(t testing.TB) map[string]real {
	t.Helper()
	files, err := filepath.Glob("testdata/real/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in testdata/real, %v", len(files), err)
	}
	all := map[string]real{}
	for _, f := range files {
		all[filepath.Base(f)] = readReal(t, f)
	}
	return all
}

// ReadAt gives zeroes between the rows.
func (r real) ReadAt(p []byte, off int64) (int, error) {
	if off >= r.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), r.size-off))
	clear(p[:n])
	for at, row := range r.rows {
		if at < off+int64(n) && at+rowSize > off {
			copy(p[max(0, at-off):n], row[max(0, off-at):])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// What blkid found on real images is found, without blkid and without mkfs.
func TestReal(t *testing.T) {
	for name, r := range reals(t) {
		found, err := Signatures(r, r.size)
		if err != nil || len(found) != 1 {
			t.Errorf("%s: %+v, %v", name, found, err)
			continue
		}
		if found[0].Kind = 0; found[0] != r.want {
			t.Errorf("%s: %+v, want %+v", name, found[0], r.want)
		}
	}
}

// halves are the pieces of an image that a fuzzer changes: its beginning, and
// the first piece that lies further on.
func (r real) halves() (head, far []byte, farAt int64) {
	const split, most = 4096 + 1024, 2048
	head = make([]byte, split)
	r.ReadAt(head, 0)
	head = bytes.TrimRight(head, "\x00")
	farAt = r.size
	for at := range r.rows {
		if at >= split {
			farAt = min(farAt, at)
		}
	}
	if farAt == r.size {
		return head, nil, 0
	}
	far = make([]byte, most)
	n, _ := r.ReadAt(far, farAt)
	return head, bytes.TrimRight(far[:n], "\x00"), farAt
}
