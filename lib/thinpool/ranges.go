package thinpool

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sort"

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
		root, ok, err := w.root(sb.mappingRoot, uint64(id), 0)
		if err == nil && ok {
			err = w.own(root, 0)
		}
		found = w.found
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// rangeWalk is one walk down the upper level of the mapping tree to one device,
// and over that device's own tree. It visits no block of that twice. The order
// of the keys is checked (add), because a wrong range would be discarded.
type rangeWalk struct {
	mappingWalk
	gap   uint64
	found []Range
}

// root finds the root of a device's own tree. ok is false if the pool has no
// such device.
func (w *rangeWalk) root(block, key uint64, depth int) (root uint64, ok bool, err error) {
	n, err := w.read(block, depth)
	if err != nil {
		return 0, false, err
	}
	// The last entry whose key is not greater: the keys of an inner node are
	// the lowest keys below it (dm-btree-internal.h, lower_bound).
	i := sort.Search(n.entries, func(i int) bool { return n.key(i) > key }) - 1
	if i < 0 || n.leaf && n.key(i) != key {
		return 0, false, nil
	}
	below := binary.LittleEndian.Uint64(n.value(i))
	if n.leaf {
		return below, true, nil
	}
	return w.root(below, key, depth+1)
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
