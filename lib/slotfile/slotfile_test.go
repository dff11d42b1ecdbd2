package slotfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func create(t *testing.T, content string) *os.File {
	t.Helper()
	return open(t, t.TempDir(), []byte(content))
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface{ Fatal(args ...any) }

func open(t fataler, dir string, content []byte) *os.File {
	b, err := New(content)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "journal"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// want reads the file, and returns the number of its content.
func want(t *testing.T, f *os.File, content string) uint64 {
	t.Helper()
	b, n, err := Read(f)
	if err != nil || string(b) != content {
		t.Fatalf("%.20q, %d, %v; want %.20q", b, n, err, content)
	}
	return n
}

func TestWriteRead(t *testing.T) {
	f := create(t, "first")
	number := want(t, f, "first")
	for i, content := range []string{
		"second", "", strings.Repeat("x", firstRead), strings.Repeat("y", MaxContent), "last",
	} {
		next, err := Write(f, number, []byte(content), nil)
		if err != nil || next != uint64(i)+2 {
			t.Fatalf("%d, %v", next, err)
		}
		if number = want(t, f, content); number != next {
			t.Errorf("number %d, want %d", number, next)
		}
	}
	if st, err := f.Stat(); err != nil || st.Size() != Size {
		t.Errorf("%v, %v", st, err)
	}
	if _, err := Write(f, number, make([]byte, MaxContent+1), nil); err == nil {
		t.Error("wrote more than fits")
	}
	if _, err := New(make([]byte, MaxContent+1)); err == nil {
		t.Error("made more than fits")
	}
	if _, err := Write(f, number-2, []byte("stale"), nil); err == nil {
		t.Error("wrote over what is newer")
	}
	want(t, f, "last")
}

// If the write or its sync fails, the old content stays, for readers too.
func TestWriteFails(t *testing.T) {
	for _, at := range []string{"overwrite", "datasync"} {
		f := create(t, "a")
		failed := false
		_, err := Write(f, 1, []byte("b"), func(step, _ string) error {
			if step == at && !failed {
				failed = true
				return unix.EIO
			}
			return nil
		})
		if !errors.Is(err, unix.EIO) {
			t.Errorf("%s: %v", at, err)
		}
		number := want(t, f, "a")
		if _, err := Write(f, number, []byte("c"), nil); err != nil {
			t.Error(err)
		}
		want(t, f, "c")
	}
}

// If the disk refuses even to put the old content back, the writer goes on from
// the number that it knows.
func TestWriteAfterBrokenDisk(t *testing.T) {
	f := create(t, "a")
	always := func(step, _ string) error {
		if step == "datasync" {
			return unix.EIO
		}
		return nil
	}
	if _, err := Write(f, 1, []byte("b"), always); !errors.Is(err, unix.EIO) {
		t.Error(err)
	}
	if n, err := Write(f, 1, []byte("c"), nil); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	want(t, f, "c")
}

// TestTorn writes again and again, and cuts the power during the last write:
// any of its sectors may be old or new. The content is the old one or the new.
func TestTorn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "slotfile")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		content := rapid.Custom(func(t *rapid.T) []byte {
			return bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")},
				rapid.IntRange(0, 3000).Draw(t, "length"))
		})
		old := content.Draw(t, "content")
		f := open(t, dir, old)
		defer f.Close()
		number := uint64(1)
		for range rapid.IntRange(0, 3).Draw(t, "writes") {
			old = content.Draw(t, "content")
			if number, err = Write(f, number, old, nil); err != nil {
				t.Fatal(err)
			}
		}
		before, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		next := content.Draw(t, "last content")
		if _, err := Write(f, number, next, nil); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		const sector = 512
		for at := 0; at < len(after); at += sector {
			if bytes.Equal(before[at:at+sector], after[at:at+sector]) {
				continue
			}
			if rapid.Bool().Draw(t, "lost") {
				copy(after[at:at+sector], before[at:at+sector])
			}
		}
		got, _, err := Read(bytes.NewReader(after))
		if err != nil || !bytes.Equal(got, old) && !bytes.Equal(got, next) {
			t.Fatalf("%v: %d bytes, neither the old %d nor the new %d", err, len(got), len(old),
				len(next))
		}
	})
}

func TestNeitherSlotIsWhole(t *testing.T) {
	for _, text := range []string{"", "slot", strings.Repeat("\x00", Size)} {
		if b, _, err := Read(strings.NewReader(text)); !errors.Is(err, ErrTorn) {
			t.Errorf("%q, %v", b, err)
		}
	}
}

// FuzzRead reads any bytes, and gives nothing that it has not checked.
func FuzzRead(f *testing.F) {
	f.Add(append(header(1, []byte("{}")), "{}"...))
	f.Add([]byte("slot 00000000000000000001 99999999 00000000"))
	f.Add([]byte(fmt.Sprintf("slot %d %d %x", uint64(1)<<63, -1, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		content, number, err := Read(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrTorn) {
				t.Error(err)
			}
			return
		}
		if want := append(header(number, content), content...); !bytes.Contains(b, want[:5]) ||
			!bytes.Contains(b, content) {
			t.Errorf("%d %q is not in %q", number, content, b)
		}
	})
}
