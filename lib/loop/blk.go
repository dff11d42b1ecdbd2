package loop

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// discardChunk is how much (bytes) is discarded between two looks at ctx.
const discardChunk = 256 << 20

// errNotSupported says that a device has no discard.
var errNotSupported = errors.New("device does not support discard")

// Size is the length (bytes) of an open block device or file.
func Size(f *os.File) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if st.Mode()&os.ModeDevice == 0 {
		return st.Size(), nil
	}
	var n uint64
	if err := ioctl(f, unix.BLKGETSIZE64, &n); err != nil {
		return 0, &os.PathError{Op: "BLKGETSIZE64", Path: f.Name(), Err: err}
	}
	return int64(n), nil
}

// Discard discards length bytes of a block device from off on, in pieces of 256
// MiB. progress is called after each with the bytes that are done; the end of
// ctx counts between two. What was discarded may read as anything.
func Discard(ctx context.Context, f *os.File, off, length int64, progress func(done int64)) error {
	for done := int64(0); done < length; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(discardChunk, length-done)
		span := [2]uint64{uint64(off + done), uint64(n)}
		if err := ioctl(f, unix.BLKDISCARD, &span); errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("%s: %w: %w", f.Name(), errNotSupported, err)
		} else if err != nil && !errors.Is(err, unix.EINTR) {
			return &os.PathError{Op: "BLKDISCARD", Path: f.Name(), Err: err}
		} else if err == nil {
			done += n
			progress(done)
		}
	}
	return nil
}
