package label

import (
	"bytes"
	"errors"
	"testing"
)

func TestHead(t *testing.T) {
	h := Head{UUID: "0123456789abcdef0123456789abcdef", ID: 7, Block: 3}
	b, err := h.Bytes()
	if err != nil || len(b) != headSize {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	disk := append(make([]byte, 65536), b...)
	if got, err := ReadHead(bytes.NewReader(disk), 65536); err != nil || got != h {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := ReadHead(bytes.NewReader(disk), 0); !errors.Is(err, ErrNone) {
		t.Errorf("zeroes: got %v", err)
	}
	if _, err := ReadHead(bytes.NewReader(disk), int64(len(disk))); !errors.Is(err, ErrNone) {
		t.Errorf("behind the end: got %v", err)
	}
	if _, err := Read(bytes.NewReader(b)); !errors.Is(err, ErrNone) {
		t.Errorf("as a label: got %v", err)
	}
	for at := range b {
		damaged := bytes.Clone(b)
		damaged[at] ^= 1
		if got, err := ReadHead(bytes.NewReader(damaged), 0); err == nil && at < checksumAt+4 {
			t.Errorf("byte %d is wrong, and it is read: %+v", at, got)
		}
	}
}

func FuzzHead(f *testing.F) {
	b, err := Head{UUID: "x", ID: 1, Block: 2}.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(headMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ReadHead(bytes.NewReader(b), 0)
		if err != nil {
			return
		}
		again, err := h.Bytes()
		if err != nil {
			t.Fatalf("read %+v, cannot be written: %v", h, err)
		}
		if got, err := ReadHead(bytes.NewReader(again), 0); err != nil || got != h {
			t.Errorf("wrote %+v, read %+v, %v", h, got, err)
		}
	})
}
