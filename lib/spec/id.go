package spec

import "fmt"

// ID is the number of a thin device in its pool, its thin id. It has 24 bits
// (kernel: drivers/md/dm-thin-metadata.c), but a field of a file may hold more.
type ID uint32

// MaxID is the largest ID.
const MaxID ID = 1<<24 - 1

// NewID makes an ID of a number. A number of more than 24 bits is an error.
func NewID(n uint64) (ID, error) {
	if n > uint64(MaxID) {
		return 0, fmt.Errorf("thin id %d: at most %d", n, MaxID)
	}
	return ID(n), nil
}
