package slotfile

import (
	"hash/crc32"
	"testing"
)

// TestSum wants the checksum to be CRC-32C, as other programs compute it.
func TestSum(t *testing.T) {
	if got, want := sum(7, []byte("content")), crc32.Checksum([]byte("7content"),
		crc32.MakeTable(crc32.Castagnoli)); got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
	if *castagnoli() != *crc32.MakeTable(crc32.Castagnoli) {
		t.Error("the table is another one")
	}
}
