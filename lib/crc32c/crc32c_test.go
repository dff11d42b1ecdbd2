package crc32c

import (
	"bytes"
	"hash/crc32"
	"testing"
)

// TestTables wants both tables to give what other programs compute.
func TestTables(t *testing.T) {
	if *small() != *large() {
		t.Error("the small table is another one")
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	whole := bytes.Repeat([]byte("0123456789"), smallUntil/20)
	for range 4 { // by the small table, and then by the large one
		if got, want := Sum(whole), crc32.Checksum(whole, table); got != want {
			t.Errorf("%#x, want %#x", got, want)
		}
		if got, want := Update(Sum(whole[:7]), whole[7:]), Sum(whole); got != want {
			t.Errorf("in two parts %#x, want %#x", got, want)
		}
	}
	// The check value of CRC-32C (RFC 3720, B.4, has more).
	if got := Sum([]byte("123456789")); got != 0xe3069283 {
		t.Errorf("%#x", got)
	}
}
