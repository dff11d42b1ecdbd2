package loop

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// blocks is how many bytes of a file have blocks.
func blocks(t *testing.T, f *os.File) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks * 512
}

func sparse(t *testing.T, size int64) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAllocate(t *testing.T) {
	const size = 3<<20 + 4096
	for name, allocate := range map[string]func(context.Context, *os.File, int64, int64) error{
		"fallocate": Allocate, "zeroes": writeZeroes,
	} {
		t.Run(name, func(t *testing.T) {
			f := sparse(t, size)
			if err := allocate(context.Background(), f, 4096, size-4096); err != nil {
				t.Fatal(err)
			}
			if st, err := f.Stat(); err != nil || st.Size() != size {
				t.Errorf("has %d bytes, want %d (%v)", st.Size(), size, err)
			}
			if have := blocks(t, f); have < size-4096 {
				t.Errorf("has blocks for %d bytes, want %d", have, size-4096)
			}
			if b, err := os.ReadFile(f.Name()); err != nil || len(bytes.Trim(b, "\x00")) > 0 {
				t.Errorf("holds more than zeroes (%v)", err)
			}
		})
	}
}

func TestWriteZeroesIsInterrupted(t *testing.T) {
	f := sparse(t, 1<<20)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := writeZeroes(ctx, f, 0, 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if have := blocks(t, f); have != 0 {
		t.Errorf("wrote %d bytes", have)
	}
}

func TestNoCopyOnWriteElsewhere(t *testing.T) {
	if err := NoCopyOnWrite(sparse(t, 0)); err != nil {
		t.Error(err)
	}
}
