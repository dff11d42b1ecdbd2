package thinpool_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// The tables of a pool and of its thin device 7, as device-mapper takes them.
func ExampleTable() {
	pool := thinpool.Table{
		Metadata: dm.DevNo{Major: 253, Minor: 0}, Data: dm.DevNo{Major: 253, Minor: 1},
		Size: 2097152, BlockSize: 128, LowWater: 1024, OnFull: spec.OnFullError,
	}
	id, err := spec.NewID(7)
	if err != nil {
		fmt.Println(err)
		return
	}
	volume := thinpool.Thin{Pool: dm.DevNo{Major: 253, Minor: 2}, ID: id, Size: 4194304}
	fmt.Println(pool.Target())
	fmt.Println(volume.Target())
	back, err := thinpool.ParseThin(volume.Target())
	fmt.Println(back.ID, back.Size.Bytes(), err)
	// Output:
	// 0 2097152 thin-pool 253:0 253:1 128 1024 1 error_if_no_space
	// 0 4194304 thin 253:2 7
	// 7 2147483648 <nil>
}

// The status line of a pool tells whether it takes writes and messages.
func ExampleParseStatus() {
	for _, line := range []string{
		"3 117/16384 812/16384 - rw discard_passdown queue_if_no_space - 1024",
		"3 117/16384 16384/16384 - out_of_data_space discard_passdown queue_if_no_space - 1024",
		"3 117/16384 812/16384 - ro discard_passdown error_if_no_space needs_check 1024",
	} {
		s, err := thinpool.ParseStatus(line)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(s.DataTotal-s.DataUsed, "blocks free, writes wait:", s.Queues())
		if err := s.Writable(); errors.Is(err, thinpool.ErrMode) {
			fmt.Println(err)
		}
	}
	// Output:
	// 15572 blocks free, writes wait: false
	// 0 blocks free, writes wait: true
	// 15572 blocks free, writes wait: false
	// read-only: a write of its metadata failed, and the metadata needs a check
}

// A metadata device is looked at before a pool is made of it: the kernel would
// take zeroes for an empty pool.
func ExampleReadSuperblock() {
	block := make([]byte, thinpool.MetadataBlock)
	_, err := thinpool.ReadSuperblock(bytes.NewReader(block))
	fmt.Println(err, errors.Is(err, thinpool.ErrUnformatted))

	le := binary.LittleEndian
	le.PutUint64(block[32:], 27022010) // magic
	le.PutUint32(block[40:], 2)        // version
	le.PutUint64(block[48:], 5)        // transaction id
	le.PutUint32(block[336:], 128)     // sectors of a block
	le.PutUint32(block, ^crc32.Checksum(block[4:], crc32.MakeTable(crc32.Castagnoli))^160774)
	sb, err := thinpool.ReadSuperblock(bytes.NewReader(block))
	fmt.Println("transaction", sb.TransactionID, "blocks of", dm.Size(sb.BlockSize.Bytes()), err)
	// Output:
	// metadata is not formatted: its first block is zero true
	// transaction 5 blocks of 64K <nil>
}

// The metadata of a pool of 1 TiB in blocks of 64 KiB.
func ExampleMetadataSize() {
	const data = 1 << 40
	size := thinpool.MetadataSize(data, 128)
	fmt.Println(dm.Size(size), thinpool.CheckFit(data, size, 128))
	err := thinpool.CheckFit(data, 2<<20, 128)
	fmt.Println(strings.Replace(err.Error(), ", ", ",\n", 1))
	// Output:
	// 2G <nil>
	// 2M is too little for 1T of data in blocks of 64K,
	// which take at least 4116K
}
