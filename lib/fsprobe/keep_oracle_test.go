//go:build oracle

package fsprobe

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write testdata/real anew from the samples")

// keep writes down what a look at the image reads, and what blkid says of it.
func keep(t *testing.T, name, path string, want Result) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, _ := f.Stat()
	kept := &keeping{f, map[int64][]byte{}}
	if _, err := Signatures(kept, st.Size()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata/real", strings.ReplaceAll(name, " ", "-"))
	if err := os.WriteFile(file, []byte(real{st.Size(), want, kept.rows}.text()),
		0o644); err != nil {
		t.Fatal(err)
	}
}

// text is the file's content.
func (r real) text() string {
	s := fmt.Sprintf("%d %q %q %q\n", r.size, r.want.Type, r.want.UUID, r.want.Label)
	var at []int64
	for off := range r.rows {
		at = append(at, off)
	}
	slices.Sort(at)
	for _, off := range at {
		s += fmt.Sprintf("%x %x\n", off, r.rows[off])
	}
	return s
}

// keeping keeps the rows that are read and not zero, but of what is read in
// bulk only the beginning.
type keeping struct {
	io.ReaderAt
	rows map[int64][]byte
}

func (k *keeping) ReadAt(p []byte, off int64) (int, error) {
	n, err := k.ReaderAt.ReadAt(p, off)
	for at := off &^ (rowSize - 1); at < off+int64(min(n, 4096)); at += rowSize {
		row := make([]byte, rowSize)
		k.ReaderAt.ReadAt(row, at)
		if !zero(row) {
			k.rows[at] = row
		}
	}
	return n, err
}
