package thinpool

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"thinmount/lib/spec"
)

// Mapping is one block of a thin device, and the block of the pool's data that
// it lies in.
type Mapping struct{ Virtual, Data uint64 }

// ReadFirst reads which blocks of which devices lie in the first blocks of the
// pool's data: those with a number less than below. It reads all mappings of
// all devices, but no node twice, also where devices share it. When ctx ends,
// its error is returned. For r and at see ReadDevices.
func ReadFirst(
	ctx context.Context, r io.ReaderAt, at int64, below uint64,
) (map[spec.ID][]Mapping, error) {
	r = until{ctx, r}
	var found map[spec.ID][]Mapping
	err := committed(r, at, func(sb Superblock) error {
		w := firstWalk{
			mappingWalk: mappingWalk{
				r: r, at: at, blocks: sb.MetadataBlocks, visited: map[uint64]bool{},
			},
			below: below, under: map[uint64][]Mapping{}, found: map[spec.ID][]Mapping{},
		}
		found = w.found
		return w.devices(sb.mappingRoot, 0)
	})
	return found, err
}

// firstWalk visits the upper level of the mapping tree, and all of the trees
// below. What is below a node is kept by the node: a snapshot shares nodes with
// its origin, and a walk without memory would take time for each of both.
type firstWalk struct {
	mappingWalk
	below uint64
	under map[uint64][]Mapping // what each node of a device's own tree leads to
	found map[spec.ID][]Mapping
}

// devices visits a node of the upper level, whose leaves lead to the tree of
// each device.
func (w *firstWalk) devices(block uint64, depth int) error {
	if w.visited[block] {
		return placeError(block)
	}
	w.visited[block] = true
	n, err := w.read(block, depth)
	if err != nil {
		return err
	}
	for i := range n.entries {
		below := binary.LittleEndian.Uint64(n.value(i))
		if !n.leaf {
			if err := w.devices(below, depth+1); err != nil {
				return err
			}
			continue
		}
		id, err := spec.NewID(n.key(i))
		if err != nil {
			return err
		}
		mappings, err := w.mappings(below, 0)
		if err != nil {
			return err
		}
		if len(mappings) > 0 {
			w.found[id] = append(w.found[id], mappings...)
		}
	}
	return nil
}

// mappings is what a node of a device's own tree leads to. A loop ends at
// maxDepth. The list of a node is at most as long as there are first blocks.
func (w *firstWalk) mappings(block uint64, depth int) ([]Mapping, error) {
	if known, ok := w.under[block]; ok {
		return known, nil
	}
	n, err := w.read(block, depth)
	if err != nil {
		return nil, err
	}
	var all []Mapping
	for i := range n.entries {
		value := binary.LittleEndian.Uint64(n.value(i))
		if n.leaf {
			// The low 24 bits are the time (dm-thin-metadata.c,
			// unpack_block_time).
			if data := value >> 24; data < w.below {
				all = append(all, Mapping{n.key(i), data})
			}
			continue
		}
		below, err := w.mappings(value, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
		if uint64(len(all)) > w.below { // a device has no block twice
			return nil, fmt.Errorf("metadata block %d: leads to more than %d of %d blocks",
				block, w.below, w.below)
		}
	}
	w.under[block] = all
	return all, nil
}
