package thinpool

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"thinmount/lib/spec"
)

// Range is a part of a thin device, in blocks of the pool. End is the first
// block behind it.
type Range struct{ Begin, End uint64 }

// ReadRanges reads which blocks of one thin device are mapped in the committed
// metadata, in order. Ranges with a gap of at most gap blocks between them are
// joined. A device that maps nothing, or that does not exist, has none. It
// reads all mappings of the device. When ctx ends, its error is returned. For r
// and at see ReadDevices. What is written after the last commit is not among
// them: a caller flushes the device first.
func ReadRanges(
	ctx context.Context, r io.ReaderAt, at int64, id spec.ID, gap uint64,
) ([]Range, error) {
	r = until{ctx, r}
	var found []Range
	err := committed(r, at, func(sb Superblock) error {
		w := rangeWalk{
			mappingWalk: mappingWalk{
				r: r, at: at, blocks: sb.MetadataBlocks, visited: map[uint64]bool{},
			},
			gap: gap,
		}
		root, err := lookup(r, at, sb, sb.mappingRoot, mappingSize, uint64(id))
		if err == nil && root != nil {
			err = w.own(binary.LittleEndian.Uint64(root), 0)
		}
		found = w.found
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// rangeWalk is one walk over a device's own tree. It visits no block twice. The
// order of the keys is checked (add), because a wrong range would be discarded.
type rangeWalk struct {
	mappingWalk
	gap   uint64
	found []Range
}

// own visits a node of the device's tree and what is below it.
func (w *rangeWalk) own(block uint64, depth int) error {
	if w.visited[block] {
		return placeError(block)
	}
	w.visited[block] = true
	n, err := w.read(block, depth)
	if err != nil {
		return err
	}
	for i := range n.entries {
		if n.leaf {
			err = w.add(n.key(i))
		} else {
			err = w.own(binary.LittleEndian.Uint64(n.value(i)), depth+1)
		}
		if err != nil {
			return fmt.Errorf("metadata block %d: %w", block, err)
		}
	}
	return nil
}

// add takes in a mapped block. The blocks of a tree come in order.
func (w *rangeWalk) add(block uint64) error {
	if len(w.found) == 0 {
		w.found = []Range{{block, block + 1}}
		return nil
	}
	last := &w.found[len(w.found)-1]
	switch {
	case block < last.End || block+1 == 0:
		return fmt.Errorf("block %d of the device is out of order", block)
	case block-last.End <= w.gap:
		last.End = block + 1
	default:
		w.found = append(w.found, Range{block, block + 1})
	}
	return nil
}
