package slotfile

import (
	"bytes"
	"errors"
	"hash/crc32"
	"testing"
)

// TestSum wants the checksum to be CRC-32C, as other programs compute it.
func TestSum(t *testing.T) {
	if got, want := sum(7, []byte("content")), crc32.Checksum([]byte("7content"),
		crc32.MakeTable(crc32.Castagnoli)); got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
}

// TestDamageAfterRead wants a slot that was whole to be looked at anew when its
// bytes have changed.
func TestDamageAfterRead(t *testing.T) {
	b, err := New([]byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, n, err := Read(bytes.NewReader(b)); err != nil || string(got) != "content" ||
			n != 1 {
			t.Fatalf("%q, %d, %v", got, n, err)
		}
	}
	for _, at := range []int{headerSize, headerSize + 6, 30} {
		damaged := bytes.Clone(b)
		damaged[at] ^= 1
		if got, _, err := Read(bytes.NewReader(damaged)); !errors.Is(err, ErrTorn) {
			t.Errorf("byte %d: %q, %v", at, got, err)
		}
	}
}
