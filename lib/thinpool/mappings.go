package thinpool

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Device is all that a look at the metadata tells of a thin device.
type Device struct {
	Details
	End uint64 // blocks of the pool, from the device's beginning to the end of its highest mapped one; 0 when none is
}

// Metadata is one committed state of a pool's metadata.
type Metadata struct {
	Superblock
	Devices map[ID]Device
}

// ReadMetadata is ReadDevices with the superblock of the same state, and with
// how far each device is mapped. It reads a few blocks for each device, not its
// mappings.
func ReadMetadata(r io.ReaderAt, at int64) (Metadata, error) {
	var m Metadata
	err := committed(r, at, func(sb Superblock) error {
		details := detailsWalk{r: r, at: at, blocks: sb.MetadataBlocks, visited: map[uint64]bool{}, found: map[ID]Details{}}
		if err := details.node(sb.detailsRoot, 0); err != nil {
			return err
		}
		mappings := mappingWalk{r: r, at: at, blocks: sb.MetadataBlocks, ends: map[ID]uint64{}}
		if err := mappings.devices(sb.mappingRoot, 0); err != nil {
			return err
		}
		m = Metadata{Superblock: sb, Devices: make(map[ID]Device, len(details.found))}
		for id, d := range details.found {
			m.Devices[id] = Device{Details: d, End: mappings.ends[id]}
		}
		return nil
	})
	return m, err
}

// mappingSize is the size of a value in both levels of the mapping tree: the
// root of a device's own tree, and a data block with its time
// (drivers/md/dm-thin-metadata.c, __setup_btree_details).
const mappingSize = 8

// mappingWalk walks over the upper level of the mapping tree, and down the
// right edge of each device's own tree.
type mappingWalk struct {
	r       io.ReaderAt
	at      int64
	blocks  uint64
	visited uint64
	ends    map[ID]uint64
}

func (w *mappingWalk) read(block uint64, depth int) (node, error) {
	if block == 0 || block >= w.blocks || depth > maxDepth {
		return node{}, fmt.Errorf("metadata block %d: no place for a tree node", block)
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

// devices visits each node of the upper level; a loop of them ends with the
// number of blocks.
func (w *mappingWalk) devices(block uint64, depth int) error {
	if w.visited++; w.visited > w.blocks {
		return fmt.Errorf("metadata block %d: no place for a tree node", block)
	}
	n, err := w.read(block, depth)
	if err != nil {
		return err
	}
	for i := range n.entries {
		below := binary.LittleEndian.Uint64(n.value(i))
		if !n.leaf {
			err = w.devices(below, depth+1)
		} else {
			w.ends[ID(n.key(i))], err = w.end(below)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// end follows the last entry of each node. Devices that share blocks share
// nodes, too, so the bound is the depth.
func (w *mappingWalk) end(block uint64) (uint64, error) {
	for depth := 0; ; depth++ {
		n, err := w.read(block, depth)
		if err != nil || n.entries == 0 {
			return 0, err
		}
		last := n.entries - 1
		if n.leaf {
			return n.key(last) + 1, nil
		}
		block = binary.LittleEndian.Uint64(n.value(last))
	}
}
