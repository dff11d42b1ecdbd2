package thin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/label"
	"thinmount/lib/loop"
)

// makeFile gives a new backing file its size. Data is sparse. Metadata has all
// its blocks from the beginning: a pool whose metadata cannot be written is
// read-only from then on, while one whose data cannot be written only fails that
// write.
func (p *pool) makeFile(ctx context.Context, f *os.File, b catalog.Backing, role string) error {
	if err := loop.NoCopyOnWrite(f); err != nil {
		p.sys.warn("pool %s: %v: when the filesystem is full, what is there cannot be overwritten either", p.name(), err)
	}
	size := label.Reserved + b.Size
	if err := f.Truncate(size); err != nil {
		return err
	}
	if role != labelRole(partMeta) {
		return nil
	}
	return p.allocate(ctx, f, 0, size)
}

// allocate gives length bytes of a file of the pool's metadata their blocks.
func (p *pool) allocate(ctx context.Context, f *os.File, off, length int64) error {
	p.sys.step("allocating %s for the metadata of pool %s", sizeText(length), p.name())
	err := loop.Allocate(ctx, f, off, length)
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return err
	}
	dir := shellPath(filepath.Dir(f.Name()))
	return &Error{Object: "pool " + p.name(), Hint: "make room (df " + dir + "), or choose less with --metadata-size",
		Err: wrap(ErrPoolState, fmt.Errorf("metadata: %s wanted at once: %w", sizeText(length), err))}
}
