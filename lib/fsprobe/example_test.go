package fsprobe_test

import (
	"bytes"
	"errors"
	"fmt"

	"thinmount/lib/fsprobe"
)

// A device is probed before it is mounted, and before it is overwritten. Here
// it is an image in memory, with the superblock of an XFS.
func ExampleProbe() {
	image := make([]byte, 1<<20)
	probe := func() {
		found, err := fsprobe.Probe(bytes.NewReader(image), int64(len(image)))
		var other *fsprobe.OtherError
		var several *fsprobe.AmbiguousError
		switch {
		case errors.Is(err, fsprobe.ErrNone):
			fmt.Println("nothing is known of it")
		case errors.As(err, &other):
			fmt.Println("not to be mounted:", other.Result.Type)
		case errors.As(err, &several):
			fmt.Println("not clear:", several.Found[0].Type, "or", several.Found[1].Type)
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Printf("%s, label %q\n", found.Type, found.Label)
		}
	}
	probe()
	copy(image, "XFSB\x00\x00\x10\x00") // magic, and blocks of 4096 bytes
	copy(image[102:], "\x02\x00")       // sectors of 512 bytes
	copy(image[108:], "data")
	probe()
	copy(image[65536+0x40:], "_BHRfS_M") // a btrfs that a new XFS has not overwritten
	probe()
	clear(image)
	copy(image, "LUKS\xba\xbe")
	probe()
	// Output:
	// nothing is known of it
	// xfs, label "data"
	// not clear: xfs or btrfs
	// not to be mounted: crypto_LUKS
}
