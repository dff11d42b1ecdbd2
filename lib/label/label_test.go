package label

import (
	"bytes"
	"encoding/binary"
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
	return Label{Pool: "demo", UUID: strings.Repeat("ab", 16), Role: "data", BlockSize: 128,
		Size:    1 << 30,
		Created: time.Date(2026, 11, 23, 10, 5, 0, 0, time.UTC)}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Label{
			Pool: rapid.String().Draw(t, "pool"), UUID: rapid.String().Draw(t, "uuid"),
			Role:      rapid.SampledFrom([]string{"data", "metadata"}).Draw(t, "role"),
			BlockSize: rapid.Uint64().Draw(t, "block"), Size: rapid.Int64().Draw(t, "size"),
			Created: sample().Created,
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
	for name, d := range map[string]disk{
		"empty": {}, "short": make(disk, 100), "zero": make(disk, blockSize),
	} {
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
		l, err := Read(disk(b))
		if err != nil {
			if l != (Label{}) || !errors.Is(err, ErrNone) && !errors.Is(err, ErrDamaged) &&
				!errors.Is(err, ErrOverwritten) {
				t.Errorf("%+v, %v", l, err)
			}
			return
		}
		again := make(disk, blockSize)
		if err := Write(again, l); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(again); err != nil || !got.Created.Equal(l.Created) ||
			got.Pool != l.Pool || got.UUID != l.UUID || got.Role != l.Role || got.Size != l.Size ||
			got.BlockSize != l.BlockSize {
			t.Errorf("%+v, written anew %+v, %v", l, got, err)
		}
	})
}

// The payload comes whole, with its sum, so that it is JSON that is fuzzed.
func FuzzPayload(f *testing.F) {
	d := make(disk, blockSize)
	Write(d, sample())
	f.Add([]byte(d[payloadAt : bytes.LastIndexByte(d, '}')+1]))
	f.Add([]byte(`{"pool":"p","uuid":"u","role":"metadata","size":-1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		payload = payload[:min(len(payload), maxPayload)]
		b := make(disk, blockSize)
		copy(b, magic)
		copy(b[payloadAt:], payload)
		le := binary.LittleEndian
		le.PutUint32(b[versionAt:], version)
		le.PutUint32(b[lengthAt:], uint32(len(payload)))
		le.PutUint32(b[checksumAt:], checksum(b, payload))
		if l, err := Read(b); err == nil && l.Role != "data" && l.Role != "metadata" ||
			err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%+v, %v", l, err)
		}
	})
}
