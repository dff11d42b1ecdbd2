package thinpool

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"thinmount/lib/spec"
)

// Device is what ReadMetadata tells of a thin device.
type Device struct {
	Details
	End uint64 // of its last mapped block, in blocks of the pool; 0 if none is mapped
}

// Metadata is one committed state of a pool's metadata.
type Metadata struct {
	Superblock
	Devices map[spec.ID]Device
}

// ReadMetadata is ReadDevices with the superblock of the same state, and with
// the end of each device's mappings. It reads a few blocks for each device, not
// all of its mappings. When ctx ends, its error is returned. The end of a
// device tells how large it was at least: the kernel does not keep its size.
func ReadMetadata(ctx context.Context, r io.ReaderAt, at int64) (Metadata, error) {
	r = until{ctx, r}
	var m Metadata
	err := committed(r, at, func(sb Superblock) error {
		details := detailsWalk{
			r: r, at: at, blocks: sb.MetadataBlocks,
			visited: map[uint64]bool{}, found: map[spec.ID]Details{},
		}
		if err := details.node(sb.detailsRoot, 0); err != nil {
			return err
		}
		mappings := mappingWalk{
			r: r, at: at, blocks: sb.MetadataBlocks, wanted: details.found,
			visited: map[uint64]bool{}, known: map[uint64]uint64{}, ends: map[spec.ID]uint64{},
		}
		if err := mappings.devices(sb.mappingRoot, 0); err != nil {
			return err
		}
		m = Metadata{Superblock: sb, Devices: make(map[spec.ID]Device, len(details.found))}
		for id, d := range details.found {
			m.Devices[id] = Device{Details: d, End: mappings.ends[id]}
		}
		return nil
	})
	return m, err
}

// until reads until ctx ends. A read of a disk that hangs does not end by it:
// ctx is looked at between reads.
type until struct {
	ctx context.Context
	r   io.ReaderAt
}

// ReadAt reads from r, or returns the error of ctx.
func (u until) ReadAt(p []byte, off int64) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.ReadAt(p, off)
}

// mappingSize is the size of a value in both levels of the mapping tree: the
// root of a device's own tree, and a data block with its time
// (drivers/md/dm-thin-metadata.c, __setup_btree_details).
const mappingSize = 8

// mappingWalk walks over the upper level of the mapping tree, whose leaves lead
// to a tree for each device, and down the right edge of the tree of each device
// that has details. A node of the upper level has one parent. A node of a
// device's tree may have many: a snapshot begins with its origin's root, and
// the two share all nodes that neither has written to. The result for such a
// node is kept, so that no block is read twice in either level.
type mappingWalk struct {
	r       io.ReaderAt
	at      int64
	blocks  uint64
	wanted  map[spec.ID]Details
	visited map[uint64]bool   // nodes of the upper level
	known   map[uint64]uint64 // where the tree below each node of a right edge ends
	ends    map[spec.ID]uint64
}

// read reads a node of either level, and refuses a place that no node can have.
// The depth ends a tree that leads back to itself.
func (w *mappingWalk) read(block uint64, depth int) (node, error) {
	if block == 0 || block >= min(w.blocks, uint64(MaxMetadata/MetadataBlock)) || depth > maxDepth {
		return node{}, placeError(block)
	}
	buf, err := readBlock(w.r, w.at, block)
	if err != nil {
		return node{}, err
	}
	n, err := parseNode(buf, block, mappingSize)
	if err != nil {
		return node{}, fmt.Errorf("metadata block %d: %w", block, err)
	}
	return n, nil
}

// devices visits a node of the upper level and what is below it. A node that
// two parents lead to is no sound tree.
func (w *mappingWalk) devices(block uint64, depth int) error {
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
			err = w.devices(below, depth+1)
		} else if err = w.device(n.key(i), below); err != nil {
			err = fmt.Errorf("metadata block %d: %w", block, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// placeError is the error of a tree that leads to a block that cannot be a node
// of it.
func placeError(block uint64) error {
	return fmt.Errorf("metadata block %d: no place for a tree node", block)
}

// device notes the end of the mappings of one device. A device without details
// is passed over: the kernel would not open it (dm-thin-metadata.c,
// __open_device).
func (w *mappingWalk) device(key, root uint64) error {
	id, err := spec.NewID(key)
	if err != nil {
		return err
	}
	if _, wanted := w.wanted[id]; !wanted {
		return nil
	}
	if _, twice := w.ends[id]; twice {
		return fmt.Errorf("device %d: mapped twice", id)
	}
	w.ends[id], err = w.end(root, 0)
	return err
}

// end is the end of the mappings below a node: it follows the last entry of
// each. A loop ends at maxDepth.
func (w *mappingWalk) end(block uint64, depth int) (uint64, error) {
	if end, ok := w.known[block]; ok {
		return end, nil
	}
	n, err := w.read(block, depth)
	if err != nil {
		return 0, err
	}
	var end uint64
	switch last := n.entries - 1; {
	case n.entries == 0:
	case n.leaf:
		end = n.key(last) + 1
	default:
		end, err = w.end(binary.LittleEndian.Uint64(n.value(last)), depth+1)
	}
	if err == nil {
		w.known[block] = end
	}
	return end, err
}
