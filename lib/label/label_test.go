package label

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// disk is a device in memory.
type disk []byte

func (d disk) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(d).ReadAt(p, off) }
func (d disk) WriteAt(p []byte, off int64) (int, error) {
	return copy(d[off:], p), nil
}

func sample() Label {
	return Label{Pool: "demo", UUID: strings.Repeat("ab", 16), Role: "data", BlockSize: 128, Size: 1 << 30,
		Created: time.Date(2026, 11, 23, 10, 5, 0, 0, time.UTC)}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Label{
			Pool: rapid.String().Draw(t, "pool"), UUID: rapid.String().Draw(t, "uuid"),
			Role:      rapid.SampledFrom([]string{"data", "metadata"}).Draw(t, "role"),
			BlockSize: rapid.Uint64().Draw(t, "block"), Size: rapid.Int64().Draw(t, "size"), Created: sample().Created,
		}
		l.Pool, l.UUID = strings.ToValidUTF8(l.Pool, ""), strings.ToValidUTF8(l.UUID, "")
		d := make(disk, Reserved)
		if err := Write(d, l); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(d); err != nil || got != l {
			t.Fatalf("got %+v, %v, want %+v", got, err, l)
		}
	})
}

// Every byte counts: a change of any one is noticed.
func TestEveryByteIsChecked(t *testing.T) {
	d := make(disk, blockSize)
	if err := Write(d, sample()); err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndexByte(d, '}') + 1
	for i := range end {
		if i >= checksumAt+4 && i < payloadAt {
			continue // reserved
		}
		d[i] ^= 0x20
		if _, err := Read(d); !errors.Is(err, ErrNone) && !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: %v", i, err)
		}
		d[i] ^= 0x20
	}
}

func TestNoLabel(t *testing.T) {
	for name, d := range map[string]disk{"empty": {}, "short": make(disk, 100), "zero": make(disk, blockSize)} {
		if _, err := Read(d); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWipe(t *testing.T) {
	d := make(disk, blockSize)
	Write(d, sample())
	if err := Wipe(d); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(d); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

func TestTooLong(t *testing.T) {
	l := sample()
	l.Pool = strings.Repeat("p", blockSize)
	if err := Write(make(disk, blockSize), l); err == nil {
		t.Error("a label longer than its block was written")
	}
}

func FuzzRead(f *testing.F) {
	d := make(disk, blockSize)
	Write(d, sample())
	f.Add([]byte(d))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := Read(disk(b)); err == nil && l.Role == "" {
			t.Errorf("%+v", l)
		}
	})
}
