// Package crc32c computes CRC-32C checksums in programs that run for a moment.
// It starts with a table that is filled in a few microseconds. The package
// hash/crc32 is faster by the byte, but fills tables that take as long as
// 500 kB of checksums by the small one.
package crc32c

import (
	"hash/crc32"
	"sync"
	"sync/atomic"
)

// smallUntil is how much (bytes) the small table sums in one program. After
// that, the package hash/crc32 does it.
const smallUntil = 500_000

var (
	summed atomic.Int64 // bytes

	small = sync.OnceValue(func() *crc32.Table {
		t := new(crc32.Table)
		for i := range t {
			sum := uint32(i)
			for range 8 {
				sum = sum>>1 ^ crc32.Castagnoli&-(sum&1)
			}
			t[i] = sum
		}
		return t
	})
	large = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })
)

// Sum returns the checksum of b. Several goroutines may call it.
func Sum(b []byte) uint32 { return Update(0, b) }

// Update returns the checksum of what sum is the checksum of, followed by b.
func Update(sum uint32, b []byte) uint32 {
	table := small
	if summed.Add(int64(len(b))) > smallUntil {
		table = large
	}
	return crc32.Update(sum, table(), b)
}
